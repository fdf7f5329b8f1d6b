#include "hosting/websocket_feature.hpp"

#include <chrono>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hosting/error_text.hpp"
#include "hosting/settings.hpp"
#include <windhover/configuration.hpp>

namespace windhover::hosting {
namespace {

using namespace std::chrono_literals;

// Keys below Windhover:WebSockets.
class WebSocketFeature : public ::testing::Test {
 protected:
  void set(const std::string& key, const std::string& value) { keys.set("Windhover:WebSockets:" + key, value); }
  websocket_feature make(websocket_options from_code = {}) const {
    return websocket_feature::make(std::move(from_code), keys, read_settings(keys).websockets);
  }

  configuration keys;
};

TEST_F(WebSocketFeature, OptionsOfTheCodeAreTakenWhereTheConfigurationSaysNothing) {
  websocket_options options;
  options.keep_alive_interval = 7s;
  options.keep_alive_timeout = 8s;
  options.receive_buffer_size = 900;
  options.allowed_origins = {"https://a.example"};
  options.max_message_size = 10;
  options.close_timeout = 11s;
  options.stalled_timeout = 12s;
  options.max_queued_bytes = 1300;
  options.max_inbound_bytes = 1400;
  options.max_fragments = 15;
  options.max_control_frames_per_second = 16;
  options.max_queued_messages = 17;
  options.max_unsent_bytes = 1800;
  options.max_frame_size = 19;
  options.enabled = false;
  const websocket_feature feature = make(options);
  EXPECT_EQ(feature.settings->keep_alive_interval, 7'000U);
  EXPECT_EQ(feature.settings->keep_alive_timeout, 8'000U);
  EXPECT_EQ(feature.settings->receive_chunk, 900U);
  EXPECT_EQ(feature.options.allowed_origins, options.allowed_origins);
  EXPECT_EQ(feature.settings->max_message_size, 10U);
  EXPECT_EQ(feature.settings->close_timeout, 11'000U);
  EXPECT_EQ(feature.settings->stalled_timeout, 12'000U);
  EXPECT_EQ(feature.settings->max_queued_bytes, 1'300U);
  EXPECT_EQ(feature.settings->max_inbound_bytes, 1'400U);
  EXPECT_EQ(feature.settings->max_fragments, 15U);
  EXPECT_EQ(feature.settings->max_control_frames, 16U);
  EXPECT_EQ(feature.settings->max_queued_messages, 17U);
  EXPECT_EQ(feature.settings->max_unsent_bytes, 1'800U);
  EXPECT_EQ(feature.settings->max_frame_size, 19U);
  EXPECT_FALSE(feature.enabled_for("/"));
}

TEST_F(WebSocketFeature, KeysOfTheConfigurationGoBeforeTheCode) {
  set("KeepAliveInterval", "00:00:07");
  set("KeepAliveTimeout", "00:00:08");
  set("ReceiveBufferSize", "900");
  set("AllowedOrigins:0", "https://a.example");
  set("SameOrigin", "true");
  set("RetainRequestHeaders", "false");
  set("MaxMessageSize", "10");
  set("CloseTimeout", "00:00:11");
  set("StalledTimeout", "00:00:12");
  set("MaxQueuedBytes", "1300");
  set("MaxInboundBytes", "1400");
  set("MaxFragments", "15");
  set("MaxControlFramesPerSecond", "16");
  set("MaxQueuedMessages", "17");
  set("MaxUnsentBytes", "1800");
  set("MaxFrameSize", "19");
  set("Enabled", "false");
  websocket_options options;
  options.allowed_origins = {"https://code.example"};
  const websocket_feature feature = make(options);
  EXPECT_EQ(feature.settings->keep_alive_interval, 7'000U);
  EXPECT_EQ(feature.settings->keep_alive_timeout, 8'000U);
  EXPECT_EQ(feature.settings->receive_chunk, 900U);
  EXPECT_EQ(feature.options.allowed_origins, std::vector<std::string>{"https://a.example"});
  EXPECT_TRUE(feature.options.same_origin);
  EXPECT_FALSE(feature.options.retain_request_headers);
  EXPECT_EQ(feature.settings->max_message_size, 10U);
  EXPECT_EQ(feature.settings->close_timeout, 11'000U);
  EXPECT_EQ(feature.settings->stalled_timeout, 12'000U);
  EXPECT_EQ(feature.settings->max_queued_bytes, 1'300U);
  EXPECT_EQ(feature.settings->max_inbound_bytes, 1'400U);
  EXPECT_EQ(feature.settings->max_fragments, 15U);
  EXPECT_EQ(feature.settings->max_control_frames, 16U);
  EXPECT_EQ(feature.settings->max_queued_messages, 17U);
  EXPECT_EQ(feature.settings->max_unsent_bytes, 1'800U);
  EXPECT_EQ(feature.settings->max_frame_size, 19U);
  EXPECT_FALSE(feature.enabled_for("/"));
}

TEST_F(WebSocketFeature, KeysOfCompressionGoBeforeTheCode) {
  websocket_options options;
  options.dangerous_enable_compression = true;
  options.disable_server_context_takeover = true;
  options.server_max_window_bits = 14;
  options.compression_threshold = 20;
  EXPECT_TRUE(make(options).compression.enabled);
  EXPECT_FALSE(make(options).compression.wanted.server_context_takeover);
  EXPECT_EQ(make(options).compression.wanted.server_max_window_bits, 14);
  EXPECT_EQ(make(options).compression.threshold, 20U);
  set("DangerousEnableCompression", "false");
  set("DisableServerContextTakeover", "false");
  set("DisableClientContextTakeover", "true");
  set("ServerMaxWindowBits", "9");
  set("ClientMaxWindowBits", "8");
  set("CompressionThreshold", "30");
  set("MaxCompressionMemory", "40");
  const websocket_feature feature = make(options);
  EXPECT_FALSE(feature.compression.enabled);
  EXPECT_TRUE(feature.compression.wanted.server_context_takeover);
  EXPECT_FALSE(feature.compression.wanted.client_context_takeover);
  EXPECT_EQ(feature.compression.wanted.server_max_window_bits, 9);
  EXPECT_EQ(feature.compression.wanted.client_max_window_bits, 8);
  EXPECT_EQ(feature.compression.threshold, 30U);
  EXPECT_EQ(feature.compression.max_memory, 40U);
}

TEST_F(WebSocketFeature, CompressionIsOffUnlessItIsAskedFor) { EXPECT_FALSE(make().compression.enabled); }

TEST_F(WebSocketFeature, AKeyWithItsDefaultValueGoesBeforeTheCodeToo) {
  set("KeepAliveInterval", "00:02:00");
  EXPECT_EQ(make({.keep_alive_interval = 1s}).settings->keep_alive_interval, 120'000U);
}

// AddWebSocketsTests, row 7, and what this house adds.
TEST_F(WebSocketFeature, TheDefaultsAreThoseOfTheOriginalWithADeadlineForPongs) {
  const websocket_feature feature = make();
  EXPECT_EQ(feature.settings->keep_alive_interval, 120'000U);
  EXPECT_EQ(feature.settings->keep_alive_timeout, 20'000U);
  EXPECT_TRUE(feature.options.allowed_origins.empty());
  EXPECT_TRUE(feature.enabled_for("/anything"));
}

TEST_F(WebSocketFeature, NoLimitOfAMessageIsZero) {
  EXPECT_EQ(make({.max_message_size = 0}).settings->max_message_size, std::numeric_limits<std::uint64_t>::max());
  set("MaxMessageSize", "0");
  EXPECT_EQ(make().settings->max_message_size, std::numeric_limits<std::uint64_t>::max());
}

// AddWebSocketsTests, row 8: a negative time-out is out of range.
TEST_F(WebSocketFeature, OptionsOutOfRangeAreTheCodesMistake) {
  EXPECT_THROW(make({.keep_alive_timeout = -1ms}), std::invalid_argument);
  EXPECT_THROW(make({.keep_alive_interval = -1ms}), std::invalid_argument);
  EXPECT_THROW(make({.close_timeout = 0ms}), std::invalid_argument);
  EXPECT_THROW(make({.receive_buffer_size = 63}), std::invalid_argument);
  EXPECT_THROW(make({.allowed_origins = {"example.com"}}), std::invalid_argument);
}

TEST_F(WebSocketFeature, EveryValueThatTheTableOfKeysAllowsIsTaken) {
  set("KeepAliveInterval", "20.00:00:00");
  set("KeepAliveTimeout", "20.00:00:00");
  set("ReceiveBufferSize", "16777216");
  set("MaxMessageSize", "1099511627776");
  set("CloseTimeout", "1.00:00:00");
  set("StalledTimeout", "20.00:00:00");
  set("MaxQueuedBytes", "1073741824");
  set("MaxInboundBytes", "1073741824");
  set("ServerMaxWindowBits", "15");
  set("ClientMaxWindowBits", "15");
  set("CompressionThreshold", "1073741824");
  set("MaxCompressionMemory", "1099511627776");
  EXPECT_NO_THROW(make());
  set("KeepAliveInterval", "00:00:00");
  set("KeepAliveTimeout", "00:00:00");
  set("ReceiveBufferSize", "64");
  set("MaxMessageSize", "0");
  set("CloseTimeout", "00:00:00.001");
  set("StalledTimeout", "00:00:00");
  set("MaxQueuedBytes", "1024");
  set("MaxInboundBytes", "1024");
  set("ServerMaxWindowBits", "9");
  set("ClientMaxWindowBits", "8");
  set("CompressionThreshold", "0");
  set("MaxCompressionMemory", "0");
  EXPECT_NO_THROW(make());
}

TEST_F(WebSocketFeature, AnOriginOfTheConfigurationThatIsNoneIsItsMistake) {
  set("AllowedOrigins:0", "https://a.example");
  set("AllowedOrigins:1", "a.example");
  EXPECT_EQ(
      error_text([this] { make(); }),
      "code: Windhover:WebSockets:AllowedOrigins:1 is \"a.example\"; expected an origin such as https://example.com, "
      "null, or *");
}

// ----- The switch

TEST_F(WebSocketFeature, TheSwitchOfAPathIsForWhatIsBelowItToo) {
  set("Paths:/chat:Enabled", "false");
  const websocket_feature feature = make();
  EXPECT_FALSE(feature.enabled_for("/chat"));
  EXPECT_FALSE(feature.enabled_for("/CHAT/rooms/7"));
  EXPECT_FALSE(feature.enabled_for("/chat/"));
  EXPECT_TRUE(feature.enabled_for("/chatter"));
  EXPECT_TRUE(feature.enabled_for("/"));
  EXPECT_TRUE(feature.enabled_for("/ws/chat"));
}

TEST_F(WebSocketFeature, TheMostSpecificSwitchDecides) {
  set("Enabled", "false");
  set("Paths:/chat:Enabled", "true");
  set("Paths:/chat/old:Enabled", "false");
  set("Paths:/chat/old/but-used/:Enabled", "true");
  const websocket_feature feature = make();
  EXPECT_FALSE(feature.enabled_for("/ws"));
  EXPECT_TRUE(feature.enabled_for("/chat/rooms"));
  EXPECT_FALSE(feature.enabled_for("/chat/old/room"));
  EXPECT_TRUE(feature.enabled_for("/chat/old/but-used/room"));
  EXPECT_TRUE(feature.enabled_for("/chat/old/but-used"));
}

TEST_F(WebSocketFeature, TheRootIsEveryPath) {
  set("Paths:/:Enabled", "false");
  const websocket_feature feature = make();
  EXPECT_FALSE(feature.enabled_for("/"));
  EXPECT_FALSE(feature.enabled_for("/ws"));
}

}  // namespace
}  // namespace windhover::hosting
