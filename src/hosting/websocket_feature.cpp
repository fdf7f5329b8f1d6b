#include "hosting/websocket_feature.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "hosting/configuration_values.hpp"
#include "wire/websocket/origin.hpp"

namespace windhover::hosting {
namespace {

// The table of keys says that an origin is a text; what else it must be is known here.
void check_origins(const configuration& whole) {
  for (const configuration& each : whole.section("Windhover:WebSockets:AllowedOrigins").children()) {
    const std::string value = each[""];
    if (wire::is_origin_entry(value)) continue;
    throw unsuitable_value(whole.origin(each.path()), each.path(), value,
                           "an origin such as https://example.com, null, or *");
  }
}

void take_compression(websocket_options& options, const configuration& keys,
                      const hosting::websocket_settings& configured) {
  const auto named = [&keys](std::string_view key) { return keys.find(key).has_value(); };
  if (named("DangerousEnableCompression")) {
    options.dangerous_enable_compression = configured.dangerous_enable_compression;
  }
  if (named("DisableServerContextTakeover")) {
    options.disable_server_context_takeover = configured.disable_server_context_takeover;
  }
  if (named("DisableClientContextTakeover")) {
    options.disable_client_context_takeover = configured.disable_client_context_takeover;
  }
  if (named("ServerMaxWindowBits"))
    options.server_max_window_bits = static_cast<int>(configured.server_max_window_bits);
  if (named("ClientMaxWindowBits"))
    options.client_max_window_bits = static_cast<int>(configured.client_max_window_bits);
  if (named("CompressionThreshold")) options.compression_threshold = configured.compression_threshold;
  if (named("MaxCompressionMemory")) options.max_compression_memory = configured.max_compression_memory;
}

}  // namespace

websocket_feature websocket_feature::make(websocket_options from_code, const configuration& whole,
                                          const hosting::websocket_settings& configured) {
  check_origins(whole);
  const configuration keys = whole.section("Windhover:WebSockets");
  const auto named = [&keys](std::string_view key) { return keys.find(key).has_value(); };
  if (named("Enabled")) from_code.enabled = configured.enabled;
  if (named("KeepAliveInterval")) from_code.keep_alive_interval = configured.keep_alive_interval;
  if (named("KeepAliveTimeout")) from_code.keep_alive_timeout = configured.keep_alive_timeout;
  if (named("ReceiveBufferSize")) from_code.receive_buffer_size = configured.receive_buffer_size;
  if (!keys.section("AllowedOrigins").children().empty()) from_code.allowed_origins = configured.allowed_origins;
  if (named("SameOrigin")) from_code.same_origin = configured.same_origin;
  if (named("RetainRequestHeaders")) from_code.retain_request_headers = configured.retain_request_headers;
  if (named("MaxMessageSize")) from_code.max_message_size = configured.max_message_size;
  if (named("MaxFragments")) from_code.max_fragments = configured.max_fragments;
  if (named("MaxControlFramesPerSecond"))
    from_code.max_control_frames_per_second = configured.max_control_frames_per_second;
  if (named("MaxQueuedMessages")) from_code.max_queued_messages = configured.max_queued_messages;
  if (named("MaxUnsentBytes")) from_code.max_unsent_bytes = configured.max_unsent_bytes;
  if (named("MaxFrameSize")) from_code.max_frame_size = configured.max_frame_size;
  if (named("CloseTimeout")) from_code.close_timeout = configured.close_timeout;
  if (named("StalledTimeout")) from_code.stalled_timeout = configured.stalled_timeout;
  if (named("MaxQueuedBytes")) from_code.max_queued_bytes = configured.max_queued_bytes;
  if (named("MaxInboundBytes")) from_code.max_inbound_bytes = configured.max_inbound_bytes;
  take_compression(from_code, keys, configured);

  websocket_feature made;
  made.settings = std::make_shared<const windhover::websocket_settings>(checked_settings(from_code));
  made.compression = checked_compression(from_code);
  made.options = std::move(from_code);
  made.paths = configured.paths;
  std::stable_sort(made.paths.begin(), made.paths.end(),
                   [](const auto& left, const auto& right) { return left.path.size() > right.path.size(); });
  return made;
}

bool websocket_feature::enabled_for(std::string_view path) const noexcept {
  for (const websocket_path_switch& each : paths) {
    std::string_view prefix = each.path;
    if (prefix.ends_with('/')) prefix.remove_suffix(1);
    const bool below = path.size() >= prefix.size() &&
                       base::equals_ignoring_case(path.substr(0, prefix.size()), prefix) &&
                       (path.size() == prefix.size() || path[prefix.size()] == '/');
    if (below) return each.enabled;
  }
  return options.enabled;
}

}  // namespace windhover::hosting
