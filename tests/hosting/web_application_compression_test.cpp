// permessage-deflate in an application: switched on for all, for one endpoint, for one accept, or by the configuration.
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "hosting/running_application.hpp"
#include <windhover/web_application.hpp>

namespace windhover::hosting {
namespace {

using test::websocket_client;
using wire::opcode;

// "Hello", compressed (RFC 7692, section 7.2.3.1), from a client.
std::string compressed_hello() {
  std::string frame = websocket_client::frame(opcode::text, std::string_view("\xf2\x48\xcd\xc9\xc9\x07\x00", 7));
  frame.front() = static_cast<char>(frame.front() | 0x40);
  return frame;
}

// The value of Sec-WebSocket-Extensions in a header's answer, or "none".
std::string extensions_of(const test::http_answer& answer) {
  const auto value = answer.header("Sec-WebSocket-Extensions");
  return value ? std::string(*value) : "none";
}

class Compression : public running_application {
 protected:
  // What a client that offers everything gets there.
  std::string agreed_on(std::string_view target) {
    websocket_client client(url, target, offer);
    return extensions_of(client.answer());
  }
  static constexpr std::string_view offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
};

const auto with_request = [](websocket& socket, const http_context&) { return echo(socket); };

TEST_P(Compression, IsOffUnlessItIsSwitchedOn) {
  make().use_websockets();
  app->map_websocket("/ws", echo);
  start();
  EXPECT_EQ(agreed_on("/ws"), "none");
}

TEST_P(Compression, TheMiddlewareSwitchesItOnForAll) {
  websocket_options options;
  options.dangerous_enable_compression = true;
  options.disable_server_context_takeover = true;
  make().use_websockets(options);
  app->map_websocket("/ws", echo);
  app->map_websocket("/request", with_request);
  app->map("/long", [](http_context& context) -> task<> {
    websocket socket = co_await context.websockets().accept();
    co_await echo(socket);
  });
  start();
  for (const char* const target : {"/ws", "/request", "/long"}) {
    SCOPED_TRACE(target);
    websocket_client client(url, target, offer);
    EXPECT_EQ(extensions_of(client.answer()),
              "permessage-deflate; client_max_window_bits=15; server_no_context_takeover");
    client.connection().send(compressed_hello());
    EXPECT_EQ(client.receive_text(), "Hello");
    client.close();
  }
}

TEST_P(Compression, AnEndpointHasOptionsOfItsOwn) {
  make().use_websockets();
  websocket_endpoint_options options;
  options.dangerous_enable_compression = true;
  options.disable_server_context_takeover = true;
  options.disable_client_context_takeover = true;
  options.server_max_window_bits = 10;
  options.client_max_window_bits = 11;
  app->map_websocket("/ws", echo);
  app->map_websocket("/compressed", options, echo);
  app->map_websocket("/compressed/request", options, with_request);
  start();
  const std::string everything =
      "permessage-deflate; client_max_window_bits=11; client_no_context_takeover; server_no_context_takeover; "
      "server_max_window_bits=10";
  EXPECT_EQ(agreed_on("/ws"), "none");
  EXPECT_EQ(agreed_on("/compressed"), everything);
  EXPECT_EQ(agreed_on("/compressed/request"), everything);
}

TEST_P(Compression, AnEndpointCanSwitchItOff) {
  make().use_websockets({.dangerous_enable_compression = true});
  websocket_endpoint_options options;
  options.dangerous_enable_compression = false;
  app->map_websocket("/secrets", options, echo);
  app->map_websocket("/ws", echo);
  start();
  EXPECT_EQ(agreed_on("/secrets"), "none");
  EXPECT_EQ(agreed_on("/ws"), "permessage-deflate; client_max_window_bits=15");
}

TEST_P(Compression, OneAcceptHasOptionsOfItsOwnAndTheSocketTells) {
  make().use_websockets();
  app->map("/ws", [](http_context& context) -> task<> {
    websocket_accept_options options;
    options.dangerous_enable_compression = true;
    options.server_max_window_bits = 9;
    websocket socket = co_await context.websockets().accept(options);
    const std::string agreed(socket.extensions());
    co_await socket.send(agreed);
  });
  start();
  websocket_client client(url, "/ws", offer);
  EXPECT_EQ(client.receive_text(), "permessage-deflate; client_max_window_bits=15; server_max_window_bits=9");
}

TEST_P(Compression, TheConfigurationGoesBeforeTheCode) {
  make({"--Windhover:WebSockets:DangerousEnableCompression=true", "--Windhover:WebSockets:ServerMaxWindowBits=12"})
      .use_websockets();
  app->map_websocket("/ws", echo);
  start();
  EXPECT_EQ(agreed_on("/ws"), "permessage-deflate; client_max_window_bits=15; server_max_window_bits=12");
}

TEST_P(Compression, SocketsThatGetNoMemoryForTheirContextsAreCounted) {
  websocket_options options;
  options.dangerous_enable_compression = true;
  options.compression_threshold = 0;
  options.max_compression_memory = 1;
  make().use_websockets(options);
  websocket_endpoint_options none_wanted;
  none_wanted.disable_server_context_takeover = true;
  none_wanted.disable_client_context_takeover = true;
  app->map_websocket("/none", none_wanted, echo);
  app->map_websocket("/both", echo);
  websocket_endpoint_options one_way;
  one_way.disable_client_context_takeover = true;
  app->map_websocket("/leaving", one_way, echo);
  start();
  const auto echo_twice = [&](std::string_view target) {
    websocket_client client(url, target, offer);
    for (int i = 0; i < 2; ++i) {
      client.connection().send(compressed_hello());
      client.receive();
    }
    client.close();
    return app->counters().compression_shortages;
  };
  EXPECT_EQ(echo_twice("/none"), 0U);
  EXPECT_EQ(echo_twice("/both"), 1U) << "each of them once, whichever of its two contexts it was";
  EXPECT_EQ(echo_twice("/leaving"), 2U) << "which is known only when it first compresses";
}

TEST_P(Compression, AWindowOutOfRangeIsRefusedWhenItIsSet) {
  make();
  EXPECT_THROW(app->use_websockets({.server_max_window_bits = 8}), std::invalid_argument);
  websocket_endpoint_options options;
  options.client_max_window_bits = 7;
  EXPECT_THROW(app->map_websocket("/ws", options, echo), std::invalid_argument);
}

INSTANTIATE_TEST_SUITE_P(Engines, Compression, both_engines(), engine_name);

}  // namespace
}  // namespace windhover::hosting
