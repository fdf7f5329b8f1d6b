// What concerns the process: signals, exit codes, handlers that never end, and a kernel that gives no io_uring.
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "hosting/temporary_folder.hpp"
#include "net/self_signed_certificate.hpp"
#include "running_process.hpp"
#include "support/http_client.hpp"

namespace windhover::hosting {
namespace {

using end = test::child_process::end;
using test::websocket_client;

class Process : public running_process {
 protected:
  // A WebSocket to a handler that has begun.
  websocket_client open(std::string_view path) {
    websocket_client client(url, path);
    client.receive_text();
    return client;
  }
};

class ProcessStop : public Process {};

TEST_P(ProcessStop, ASignalStopsGracefullyAndTheExitCodeIs0) {
  for (const int number : {SIGINT, SIGTERM}) {
    start();
    {
      websocket_client client(url);
      child->signal(number);
      EXPECT_EQ(client.receive_close(), close_code::going_away);
      client.send_close(close_code::going_away);
      EXPECT_EQ(client.connection().read_to_end(), "");
    }
    EXPECT_EQ(child->wait_for_end(), end{.exit_code = 0}) << child->text();
  }
}

TEST_P(ProcessStop, ASecondSignalEndsTheProcessAtOnce) {
  for (const auto& [first, second] : {std::pair(SIGINT, SIGINT), std::pair(SIGTERM, SIGINT)}) {
    start();
    websocket_client client = open("/sleep");
    child->signal(first);
    EXPECT_EQ(client.receive_close(), close_code::going_away);
    child->signal(second);
    EXPECT_EQ(child->wait_for_end(), end{.signal = second}) << child->text();
  }
}

TEST_P(ProcessStop, AHandlerThatListensToStoppingEnds) {
  start();
  {
    websocket_client client = open("/obey");
    child->signal(SIGTERM);
    EXPECT_EQ(client.receive_close(), close_code::going_away);
    client.send_close(close_code::going_away);
  }
  EXPECT_EQ(child->wait_for_end(), end{.exit_code = 0}) << child->text();
}

// What is left behind is no leak that anybody could mend, and goes on while the process ends.
const std::vector<std::string> left_behind{"ASAN_OPTIONS=detect_leaks=0", "TSAN_OPTIONS=report_bugs=0"};

TEST_P(ProcessStop, AHandlerThatNeverEndsIsNamedAndTheExitCodeIs1) {
  start({"--Windhover:ShutdownTimeout=00:00:00.001"}, left_behind);
  websocket_client client = open("/sleep");
  child->signal(SIGTERM);
  EXPECT_EQ(child->wait_for_end(), end{.exit_code = 1}) << child->text();
  EXPECT_NE(child->wait_for_line("still running after the shutdown: ").find("/sleep"), std::string::npos);
}

TEST_P(ProcessStop, AHandlerThatHoldsItsThreadDoesNotHoldTheProcess) {
  start({"--Windhover:ShutdownTimeout=00:00:00.001"}, left_behind);
  websocket_client client = open("/hold");
  child->signal(SIGTERM);
  EXPECT_EQ(child->wait_for_end(), end{.exit_code = 1}) << child->text();
  EXPECT_NE(child->text().find("still running after the shutdown: a handler that holds its event loop's thread"),
            std::string::npos)
      << child->text();
}

TEST_P(ProcessStop, WorkOfThePoolThatNeverEndsDoesNotHoldTheProcess) {
  start({"--Windhover:ShutdownTimeout=00:00:00.001"}, left_behind);
  websocket_client client = open("/work");
  child->signal(SIGTERM);
  EXPECT_EQ(child->wait_for_end(), end{.exit_code = 1}) << child->text();
  EXPECT_NE(child->wait_for_line("still running after the shutdown: ").find("/work"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Engines, ProcessStop, ::testing::Values("io_uring", "epoll"),
                         [](const ::testing::TestParamInfo<std::string>& each) { return each.param; });

// ----- SIGHUP

class ProcessReload : public Process {};

TEST_P(ProcessReload, SighupReadsCertificatesAgain) {
  const temporary_folder folder;
  const auto write = [&](const char* name) {
    const net::made_certificate made = net::make_self_signed({.common_name = name});
    return folder.write("both.pem", made.certificate + made.key).string();
  };
  start({"--urls", "https://127.0.0.1:0", "--Windhover:Certificates:Default:Path=" + write("old")});
  // Although nothing has changed.
  child->signal(SIGHUP);
  child->wait_for_line("were read again: CN=old");
  write("new");
  child->signal(SIGHUP);
  child->wait_for_line("were read again: CN=new");
  child->signal(SIGTERM);
  EXPECT_EQ(child->wait_for_end(), end{.exit_code = 0}) << child->text();
}

TEST_P(ProcessReload, WithoutHttpsSighupIsWhatItAlwaysWas) {
  start();
  child->signal(SIGHUP);
  EXPECT_EQ(child->wait_for_end(), end{.signal = SIGHUP}) << child->text();
}

INSTANTIATE_TEST_SUITE_P(Engines, ProcessReload, both_engines(), engine_name);

// ----- A machine that does not allow io_uring

const std::vector<std::string> without_io_uring{"FORBID_IO_URING=1"};

class ProcessWithoutIoUring : public Process {};

TEST_P(ProcessWithoutIoUring, ServesOnEpollAndSaysWhy) {
  start({}, without_io_uring);
  EXPECT_EQ(test::http_client(url).get("/hello").body, "hello");
  EXPECT_NE(child->text().find("Using the epoll engine (io_uring is not available here ("), std::string::npos)
      << child->text();
  EXPECT_NE(child->text().find("Operation not permitted"), std::string::npos) << child->text();
}

INSTANTIATE_TEST_SUITE_P(Engines, ProcessWithoutIoUring, ::testing::Values("auto"));

TEST(ProcessStart, AnEngineThatIsNotToBeHadIsOneClearLineAndExitCode1) {
  test::child_process child(WINDHOVER_CHILD_SERVER, {"--engine", "io_uring", "--urls", "http://127.0.0.1:0"},
                            without_io_uring);
  EXPECT_EQ(child.wait_for_end(), end{.exit_code = 1});
  const std::string& text = child.text();
  EXPECT_TRUE(text.starts_with("the io_uring engine was asked for, but io_uring is not available here (")) << text;
  EXPECT_NE(text.find("use --engine epoll"), std::string::npos) << text;
  EXPECT_EQ(text.find('\n'), text.size() - 1) << text;
}

}  // namespace
}  // namespace windhover::hosting
