// The options: ranges, defaults, and those of one accept.
#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "websocket/accepting.hpp"

namespace windhover {
namespace {

using namespace std::chrono_literals;
using http::connection_peers;
using http::exchange;
using http::status_lines;
using test::answer_to;
using test::client_frame;
using test::opcode;
using test::request;
using test::server_frame;
using notes = std::vector<std::string>;

// ----- Options

TEST(AcceptOptions, OptionsOfOneAcceptReplaceTheGeneralOnes) {
  connection_peers peers;
  websocket_settings general;
  general.max_message_size = 10;
  peers.context.handler = [&](exchange& with) -> task<> {
    websocket_accept_options options;
    options.keep_alive_interval = 30s;
    options.keep_alive_timeout = 0s;
    options.max_message_size = 5;
    websocket socket = accept_websocket(with, std::make_shared<const websocket_settings>(general), true, options);
    co_await test::echo(socket);
  };
  peers.connect();
  peers.send(request());
  peers.run_until_received(test::from_hex("8a00"));
  EXPECT_EQ(peers.loop.now() - net::time_point(), 30s);
  peers.send(client_frame(opcode::text, "123456"));
  peers.run_until_received(server_frame(opcode::close, test::closing(1009, "the message is too big")));
  peers.client_end->close();
  peers.run_until_gone();
}

TEST(AcceptOptions, AnOptionOfOneAcceptThatIsOutOfRangeIsRefused) {
  const std::string answer = answer_to(
      [](exchange& with) -> task<> {
        websocket_accept_options options;
        options.keep_alive_timeout = -1ms;
        EXPECT_THROW(static_cast<void>(accept_websocket(with, {}, true, options)), std::invalid_argument);
        options = {};
        options.keep_alive_interval = -1ms;
        EXPECT_THROW(static_cast<void>(accept_websocket(with, {}, true, options)), std::invalid_argument);
        EXPECT_FALSE(with.upgraded());
        co_return;
      },
      request());
  EXPECT_EQ(status_lines(answer), notes{"HTTP/1.1 200 OK"});
}

TEST(AcceptOptions, OptionsCarryTheirValues) {
  // AddWebSocketsTests: interval 1000 s, timeout 1234 s and one origin.
  websocket_options options;
  options.keep_alive_interval = 1000s;
  options.keep_alive_timeout = 1234s;
  options.allowed_origins = {"https://example.com"};
  options.receive_buffer_size = 8192;
  options.max_message_size = 12345;
  options.close_timeout = 7s;
  options.stalled_timeout = 8s;
  options.max_queued_bytes = 2048;
  options.max_inbound_bytes = 4096;
  options.max_fragments = 9;
  options.max_control_frames_per_second = 10;
  options.max_queued_messages = 11;
  options.max_unsent_bytes = 12'000;
  options.max_frame_size = 13;
  const websocket_settings settings = checked_settings(options);
  EXPECT_EQ(settings.keep_alive_interval, 1'000'000U);
  EXPECT_EQ(settings.keep_alive_timeout, 1'234'000U);
  EXPECT_EQ(settings.receive_chunk, 8192U);
  EXPECT_EQ(settings.max_message_size, 12345U);
  EXPECT_EQ(settings.close_timeout, 7000U);
  EXPECT_EQ(settings.stalled_timeout, 8000U);
  EXPECT_EQ(settings.max_queued_bytes, 2048U);
  EXPECT_EQ(settings.max_inbound_bytes, 4096U);
  EXPECT_EQ(settings.max_fragments, 9U);
  EXPECT_EQ(settings.max_control_frames, 10U);
  EXPECT_EQ(settings.max_queued_messages, 11U);
  EXPECT_EQ(settings.max_unsent_bytes, 12'000U);
  EXPECT_EQ(settings.max_frame_size, 13U);
}

TEST(AcceptOptions, AsMuchAsIsWaitedForMayBeUnsent) {
  websocket_options options;
  options.max_queued_bytes = 5000;
  options.max_unsent_bytes = 4000;
  EXPECT_EQ(checked_settings(options).max_unsent_bytes, 5000U);
}

TEST(AcceptOptions, TheDefaultsOfOptionsAndSettingsAreTheSame) {
  const websocket_settings from_options = checked_settings({});
  const websocket_settings settings;
  EXPECT_EQ(from_options.keep_alive_interval, settings.keep_alive_interval);
  EXPECT_EQ(from_options.keep_alive_timeout, settings.keep_alive_timeout);
  EXPECT_EQ(from_options.receive_chunk, settings.receive_chunk);
  EXPECT_EQ(from_options.max_message_size, settings.max_message_size);
  EXPECT_EQ(from_options.close_timeout, settings.close_timeout);
  EXPECT_EQ(from_options.stalled_timeout, settings.stalled_timeout);
  EXPECT_EQ(from_options.max_queued_bytes, settings.max_queued_bytes);
  EXPECT_EQ(from_options.max_inbound_bytes, settings.max_inbound_bytes);
  EXPECT_EQ(from_options.max_fragments, settings.max_fragments);
  EXPECT_EQ(from_options.max_control_frames, settings.max_control_frames);
  EXPECT_EQ(from_options.max_queued_messages, settings.max_queued_messages);
  EXPECT_EQ(from_options.max_unsent_bytes, settings.max_unsent_bytes);
  EXPECT_EQ(from_options.max_frame_size, settings.max_frame_size);
}

TEST(AcceptOptions, OptionsOfCompressionCarryTheirValues) {
  websocket_options options;
  options.dangerous_enable_compression = true;
  options.disable_client_context_takeover = true;
  options.server_max_window_bits = 10;
  options.client_max_window_bits = 11;
  options.compression_threshold = 12;
  options.max_compression_memory = 13;
  const compression_settings settings = checked_compression(options);
  EXPECT_TRUE(settings.enabled);
  EXPECT_TRUE(settings.wanted.server_context_takeover);
  EXPECT_FALSE(settings.wanted.client_context_takeover);
  EXPECT_EQ(settings.wanted.server_max_window_bits, 10);
  EXPECT_EQ(settings.wanted.client_max_window_bits, 11);
  EXPECT_EQ(settings.threshold, 12U);
  EXPECT_EQ(settings.max_memory, 13U);
}

TEST(AcceptOptions, TheDefaultsOfCompressionAreTheSameInOptionsAndSettings) {
  const compression_settings from_options = checked_compression({});
  const compression_settings settings;
  EXPECT_EQ(from_options.enabled, settings.enabled);
  EXPECT_FALSE(settings.enabled);
  EXPECT_EQ(from_options.wanted.server_context_takeover, settings.wanted.server_context_takeover);
  EXPECT_EQ(from_options.wanted.client_context_takeover, settings.wanted.client_context_takeover);
  EXPECT_EQ(from_options.wanted.server_max_window_bits, settings.wanted.server_max_window_bits);
  EXPECT_EQ(from_options.wanted.client_max_window_bits, settings.wanted.client_max_window_bits);
  EXPECT_EQ(from_options.threshold, settings.threshold);
  EXPECT_EQ(from_options.max_memory, settings.max_memory);
}

TEST(AcceptOptions, OptionsOfCompressionOutOfRangeAreRefusedByName) {
  const auto refused = [](std::string_view name, const std::function<void(websocket_options&)>& change) {
    websocket_options options;
    change(options);
    try {
      checked_compression(options);
      ADD_FAILURE() << name << " was taken";
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string_view(error.what()).find(name), std::string_view::npos) << error.what();
    }
  };
  for (const int wrong : {-1, 0, 8, 16, 265}) {
    refused("server_max_window_bits is " + std::to_string(wrong) + "; it must be from 9 to 15",
            [&](websocket_options& options) { options.server_max_window_bits = wrong; });
  }
  for (const int wrong : {-1, 0, 7, 16, 265}) {
    refused("client_max_window_bits is " + std::to_string(wrong) + "; it must be from 8 to 15",
            [&](websocket_options& options) { options.client_max_window_bits = wrong; });
  }
  refused("compression_threshold",
          [](websocket_options& options) { options.compression_threshold = (std::size_t{1} << 30) + 1; });
}

TEST(AcceptOptions, AMessageSizeOfZeroIsNoLimit) {
  websocket_options options;
  options.max_message_size = 0;
  EXPECT_EQ(checked_settings(options).max_message_size, std::numeric_limits<std::uint64_t>::max());
}

TEST(AcceptOptions, OptionsOutOfRangeAreRefusedByName) {
  const auto refused = [](std::string_view name, const std::function<void(websocket_options&)>& change) {
    websocket_options options;
    change(options);
    try {
      checked_settings(options);
      ADD_FAILURE() << name << " was taken";
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string_view(error.what()).find(name), std::string_view::npos) << error.what();
    }
  };
  for (const auto wrong : {std::chrono::milliseconds(-1), std::chrono::milliseconds(24h * 20 + 1ms)}) {
    refused("keep_alive_interval", [&](websocket_options& options) { options.keep_alive_interval = wrong; });
    refused("keep_alive_timeout", [&](websocket_options& options) { options.keep_alive_timeout = wrong; });
    refused("close_timeout", [&](websocket_options& options) { options.close_timeout = wrong; });
    refused("stalled_timeout", [&](websocket_options& options) { options.stalled_timeout = wrong; });
  }
  refused("close_timeout", [](websocket_options& options) { options.close_timeout = 0ms; });
  for (const std::size_t wrong : {std::size_t{0}, std::size_t{63}, (std::size_t{16} << 20) + 1}) {
    refused("receive_buffer_size", [&](websocket_options& options) { options.receive_buffer_size = wrong; });
  }
  for (const std::size_t wrong : {std::size_t{0}, std::size_t{1023}, (std::size_t{1} << 30) + 1}) {
    refused("max_queued_bytes", [&](websocket_options& options) { options.max_queued_bytes = wrong; });
    refused("max_inbound_bytes", [&](websocket_options& options) { options.max_inbound_bytes = wrong; });
  }
  constexpr std::size_t too_many = std::size_t{1} << 32;
  for (const std::size_t wrong : {std::size_t{0}, too_many}) {
    refused("max_fragments", [&](websocket_options& options) { options.max_fragments = wrong; });
    refused("max_queued_messages", [&](websocket_options& options) { options.max_queued_messages = wrong; });
  }
  refused("max_control_frames_per_second",
          [](websocket_options& options) { options.max_control_frames_per_second = too_many; });
  refused("max_frame_size", [](websocket_options& options) { options.max_frame_size = (std::size_t{1} << 30) + 1; });
  for (const char* const wrong : {"", "example.com", "http://example.com/", "http://"}) {
    refused("allowed_origins", [&](websocket_options& options) { options.allowed_origins = {"*", wrong}; });
  }
}

TEST(AcceptOptions, OptionsAtTheEndsOfTheirRangesAreTaken) {
  for (const bool least : {true, false}) {
    websocket_options options;
    options.keep_alive_interval = options.keep_alive_timeout = options.stalled_timeout = least ? 0ms : 24h * 20;
    options.close_timeout = least ? 1ms : 24h * 20;
    options.receive_buffer_size = least ? 64 : std::size_t{16} << 20;
    options.max_queued_bytes = options.max_inbound_bytes = least ? 1024 : std::size_t{1} << 30;
    options.max_fragments = options.max_queued_messages = least ? 1 : (std::size_t{1} << 32) - 1;
    options.max_control_frames_per_second = least ? 0 : (std::size_t{1} << 32) - 1;
    options.max_frame_size = least ? 1 : std::size_t{1} << 30;
    options.allowed_origins = {"null", "*", "http://[::1]:5000"};
    EXPECT_NO_THROW(checked_settings(options));
  }
}

}  // namespace
}  // namespace windhover
