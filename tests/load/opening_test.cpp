// Loads on servers that do not do their part: each of them ends, and says what was wrong.
#include "load/opening.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "load/load_run.hpp"
#include "load/scripted_server.hpp"
#include "support/websocket_peer.hpp"

namespace windhover::load {
namespace {

using std::chrono::milliseconds;
using wire::opcode;

load_options short_load(const std::string& url) {
  return {.url = url,
          .connections = 1,
          .warm_up = milliseconds(0),
          .duration = milliseconds(50),
          .patience = std::chrono::seconds(60)};
}

// What the load ends with.
std::string failure_of(const load_options& options) {
  try {
    run_load(options, {});
  } catch (const load_failure& why) {
    return why.what();
  }
  return "none";
}

// The text of a handshake's failure, without the address.
std::string refusal_of(const load_options& options) {
  const std::string whole = failure_of(options);
  const std::string begin = "no WebSocket to " + options.url.substr(0, options.url.size() - 1) + ": ";
  return whole.starts_with(begin) ? whole.substr(begin.size()) : "something else: " + whole;
}

// ----- The handshake

TEST(Opening, NobodyListens) {
  std::string url;
  {
    const scripted_server gone([](const scripted_connection&) {});
    url = gone.url();
  }
  const std::string address = url.substr(5, url.size() - 6);
  EXPECT_EQ(refusal_of(short_load(url)), address + ": Connection refused");
}

TEST(Opening, AUnixSocketThatIsNotThere) {
  EXPECT_EQ(failure_of(short_load("ws://unix:/nowhere/at.all:/ws")),
            "no WebSocket to ws://unix:/nowhere/at.all: unix:/nowhere/at.all: No such file or directory");
}

TEST(Opening, TheServerRefuses) {
  const scripted_server server([](const scripted_connection& client) {
    client.receive_key();
    client.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    client.receive_until_the_end();
  });
  EXPECT_EQ(refusal_of(short_load(server.url())), "the server answered with status 403");
}

TEST(Opening, TheServerHasAnotherKey) {
  const scripted_server server([](const scripted_connection& client) {
    client.receive_key();
    client.send(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    client.receive_until_the_end();
  });
  EXPECT_EQ(refusal_of(short_load(server.url())), std::string(wire::describe(wire::handshake_failure::accept_wrong)));
}

TEST(Opening, TheServerSpeaksSomethingElse) {
  const scripted_server server([](const scripted_connection& client) {
    client.receive_key();
    client.send("SSH-2.0-OpenSSH_9.2\r\n");
    client.receive_until_the_end();
  });
  EXPECT_EQ(refusal_of(short_load(server.url())), "the answer does not begin with a status line of HTTP/1.1");
}

TEST(Opening, TheServerHangsUpWithinItsAnswer) {
  const scripted_server server([](const scripted_connection& client) {
    client.receive_key();
    client.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: webs");
  });
  EXPECT_NE(refusal_of(short_load(server.url())).find("ended"), std::string::npos)
      << refusal_of(short_load(server.url()));
}

TEST(Opening, AServerThatNeverAnswersIsGivenUp) {
  const scripted_server server([](const scripted_connection& client) { client.receive_until_the_end(); });
  load_options options = short_load(server.url());
  options.patience = milliseconds(50);
  for (const scenario each : {scenario::echo, scenario::churn, scenario::storm}) {
    options.scenario = each;
    EXPECT_EQ(refusal_of(options), "it was not open within the --patience of 50 ms");
  }
}

TEST(Opening, TheFirstThatFailsIsTheReason) {
  // The server takes one connection at a time: the others wait, and are stopped when the first one fails.
  const scripted_server server([](const scripted_connection& client) {
    client.receive_key();
    client.send("HTTP/1.1 503 Full\r\nContent-Length: 0\r\n\r\n");
    client.receive_until_the_end();
  });
  load_options options = short_load(server.url());
  options.connections = 10;
  EXPECT_EQ(refusal_of(options), "the server answered with status 503");
}

TEST(Opening, AnExtensionThatWasNotOfferedIsRefused) {
  const scripted_server server([](const scripted_connection& client) {
    client.accept("Sec-WebSocket-Extensions: permessage-deflate\r\n");
    client.receive_until_the_end();
  });
  EXPECT_NE(refusal_of(short_load(server.url())), "none");
  EXPECT_TRUE(failure_of(short_load(server.url())).starts_with("no WebSocket to "));
}

TEST(Opening, ASmallerWindowThanTheFramesWereMadeForIsRefused) {
  const scripted_server server([](const scripted_connection& client) {
    client.accept("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10\r\n");
    client.receive_until_the_end();
  });
  load_options options = short_load(server.url());
  options.compress = true;
  EXPECT_EQ(refusal_of(options),
            "it demands a smaller window than messages are compressed with here; leave out --compress");
}

// ----- HTTP/2

TEST(Opening, ConnectionsThatNobodySharesAreMadeAtTheSameTime) {
  // Nobody is answered before the second one has come.
  std::vector<std::unique_ptr<scripted_connection>> waiting;
  const scripted_server server(
      [&waiting](std::unique_ptr<scripted_connection> client) {
        waiting.push_back(std::move(client));
        if (waiting.size() < 2) return;
        for (const auto& each : waiting) each->send("HTTP/1.1 505 HTTP Version Not Supported\r\n\r\n");
      },
      scripted_server::keeping{});
  load_options options = short_load(server.url());
  options.connections = 2;
  options.http2 = true;
  options.per_connection = 1;
  EXPECT_EQ(refusal_of(options), "what the server says does not begin as HTTP/2 does");
}

// ----- Behind it

TEST(BrokenLoad, TheServerHangsUpInTheMiddle) {
  const scripted_server server([](const scripted_connection& client) {
    client.accept();
    client.receive();
  });
  const std::string ended = "a connection has ended: ";
  const std::string why = failure_of(short_load(server.url()));
  // What it has not read makes a reset of its end.
  EXPECT_TRUE(why == ended + "the server ended it without a close frame" ||
              why == ended + "the peer reset the connection (Connection reset by peer)")
      << why;
}

TEST(BrokenLoad, TheServerClosesInTheMiddle) {
  const scripted_server server([](const scripted_connection& client) {
    client.accept();
    client.receive();
    client.send(test::server_frame(opcode::close, test::closing(1001, "bye")));
    client.receive();
  });
  for (const scenario each : {scenario::echo, scenario::churn, scenario::broadcast}) {
    load_options options = short_load(server.url());
    options.scenario = each;
    EXPECT_EQ(failure_of(options), "a connection has ended: the server closed it with 1001 (bye)") << name_of(each);
  }
}

TEST(BrokenLoad, AMessageThatWasNotSent) {
  const scripted_server server([](const scripted_connection& client) {
    client.accept();
    client.receive();
    for (int i = 0; i < 3; ++i) client.send(test::server_frame(opcode::binary, "surprise"));
    client.receive_until_the_end();
  });
  load_options options = short_load(server.url());
  // None of them answers anything: with a rate of one a second only the first message is sent.
  options.rate = 1;
  EXPECT_EQ(failure_of(options), "more messages came back than were sent");
  options.rate = 0;
  options.scenario = scenario::broadcast;
  EXPECT_EQ(failure_of(options), "a message came that nobody has sent");
}

TEST(BrokenLoad, AWrongEchoIsFoundByLooking) {
  const scripted_server server([](const scripted_connection& client) {
    client.accept();
    client.receive();
    client.send(test::server_frame(opcode::binary, "01234567890123456789"));
    client.receive_until_the_end();
  });
  load_options options = short_load(server.url());
  options.check = true;
  for (const scenario each : {scenario::echo, scenario::churn}) {
    options.scenario = each;
    EXPECT_EQ(failure_of(options), "a connection has ended: what came back is not what was sent");
  }
}

TEST(BrokenLoad, AnEchoThatNeverComesIsNotForgotten) {
  const scripted_server server([](const scripted_connection& client) {
    client.accept();
    client.receive_until_the_end();
  });
  load_options options = short_load(server.url());
  options.patience = milliseconds(1000);
  const std::string forgotten = "messages were sent that did not come back within the --patience of 1000 ms";
  EXPECT_EQ(failure_of(options), forgotten);
  options.scenario = scenario::broadcast;
  EXPECT_EQ(failure_of(options), forgotten);
  options.scenario = scenario::churn;
  EXPECT_EQ(failure_of(options), "a connection has ended: it took longer than the --patience");
}

}  // namespace
}  // namespace windhover::load
