// A server for the tests that need a process of its own. What its handlers do when they are asked to stop is chosen by
// the path: /obey, /sleep, /hold. What it has counted is at /counters.
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdlib>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <windhover/windhover.hpp>

namespace wh = windhover;
using namespace std::chrono_literals;

namespace {

// From here on the process cannot have an io_uring, as in a container whose profile forbids it.
bool forbid_io_uring() {
  sock_filter rules[] = {
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, __NR_io_uring_setup},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  };
  const sock_fprog program{sizeof rules / sizeof rules[0], rules};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

wh::task<> echo(wh::websocket& socket) {
  while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

// Lines such as "connections 3".
std::string text_of(const wh::server_counters& seen) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  const std::pair<const char*, std::uint64_t> lines[] = {
      {"open_files", files.rlim_cur},
      {"connections", seen.connections},
      {"websockets", seen.websockets},
      {"connections_accepted", seen.connections_accepted},
      {"connections_refused", seen.connections_refused},
      {"accept_failures", seen.accept_failures},
      {"requests_timed_out", seen.requests_timed_out},
      {"protocol_errors", seen.protocol_errors},
      {"stalled_handlers", seen.stalled_handlers},
      {"inbound_overflows", seen.inbound_overflows},
  };
  std::string text;
  for (const auto& [name, value] : lines) text += std::string(name) + " " + std::to_string(value) + "\n";
  return text;
}

}  // namespace

int main(int argc, char* argv[]) {
  // It does not outlive its test.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (std::getenv("FORBID_IO_URING") != nullptr && !forbid_io_uring()) return 77;

  wh::web_application app(argc, argv);
  app.use_websockets();
  app.map("/hello", [](wh::http_context& context) -> wh::task<> { co_await context.response().write("hello"); });
  app.map("/counters", [&app](wh::http_context& context) -> wh::task<> {
    co_await context.response().write(text_of(app.counters()));
  });
  app.map_websocket("/ws", echo);
  app.map_websocket("/obey", [&app](wh::websocket& socket) -> wh::task<> {
    co_await socket.send("obeying");
    co_await wh::sleep_for(24h, app.stopping());
  });
  // Never receives, and ends with its connection.
  app.map_websocket("/never", [](wh::websocket&, const wh::http_context& context) -> wh::task<> {
    co_await wh::sleep_for(24h, context.request_aborted());
  });
  // Takes no notice of anything.
  app.map_websocket("/sleep", [](wh::websocket& socket) -> wh::task<> {
    co_await socket.send("sleeping");
    co_await wh::sleep_for(24h);
  });
  // Does not even give its thread back.
  app.map_websocket("/hold", [](wh::websocket& socket) -> wh::task<> {
    co_await socket.send("holding");
    co_await wh::sleep_for(1ms);
    static std::atomic<bool> never = false;
    never.wait(false);
  });
  // Work of the pool that does not end.
  app.map_websocket("/work", [](wh::websocket& socket) -> wh::task<> {
    co_await socket.send("working");
    co_await wh::run_blocking([] {
      static std::atomic<bool> never = false;
      never.wait(false);
    });
  });
  return app.run();
}
