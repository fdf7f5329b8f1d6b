// Windhover's own keys, read from the configuration's section `Windhover` into one typed structure. One table says what
// each key is called, what it may hold, its default and its meaning; reading, checking and the guide's table follow it.
//
// A key of the section that the table does not have, or a value that is not what the table asks for, ends the start
// with one line that names the place, the key and what was expected: a misspelt limit must not be a limit that is not
// there.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hosting/endpoint_settings.hpp"
#include "hosting/urls.hpp"
#include <windhover/configuration.hpp>
#include <windhover/logger.hpp>

namespace windhover::hosting {

enum class engine_choice { automatic, io_uring, epoll };

struct http2_settings {
  std::uint64_t max_streams_per_connection{};
  std::uint64_t initial_stream_window_size{};
  std::uint64_t initial_connection_window_size{};
  std::uint64_t header_table_size{};
  std::uint64_t max_frame_size{};
  std::uint64_t max_resets_per_second{};
  std::uint64_t max_control_frames_per_second{};
  std::chrono::milliseconds keep_alive_ping_delay{};
  std::chrono::milliseconds keep_alive_ping_timeout{};
};

// What the table says about each of them is not repeated here. Sizes are bytes.
struct limit_settings {
  std::optional<std::uint64_t> max_connections;  // none: as many as the limit of open files allows
  std::uint64_t max_connections_per_address{};
  std::uint64_t max_upgraded_connections{};
  std::uint64_t max_request_line_size{};
  std::uint64_t max_request_headers_total_size{};
  std::uint64_t max_request_header_count{};
  std::uint64_t max_request_body_size{};
  std::chrono::milliseconds request_headers_timeout{};
  std::chrono::milliseconds keep_alive_timeout{};
  std::uint64_t max_response_buffer_size{};
  std::uint64_t inbound_budget{};
  http2_settings http2;
};

// The on/off switch of one path.
struct websocket_path_switch {
  std::string path;
  bool enabled = true;
};

struct websocket_settings {
  bool enabled{};
  std::chrono::milliseconds keep_alive_interval{};
  std::chrono::milliseconds keep_alive_timeout{};
  std::uint64_t receive_buffer_size{};
  std::vector<std::string> allowed_origins;
  bool same_origin{};
  bool retain_request_headers{};
  std::uint64_t max_message_size{};
  std::uint64_t max_fragments{};
  std::uint64_t max_control_frames_per_second{};
  std::chrono::milliseconds close_timeout{};
  std::chrono::milliseconds stalled_timeout{};
  std::uint64_t max_queued_bytes{};
  std::uint64_t max_queued_messages{};
  std::uint64_t max_unsent_bytes{};
  std::uint64_t max_frame_size{};
  std::uint64_t max_inbound_bytes{};
  bool dangerous_enable_compression{};
  bool disable_server_context_takeover{};
  bool disable_client_context_takeover{};
  std::uint64_t server_max_window_bits{};
  std::uint64_t client_max_window_bits{};
  std::uint64_t compression_threshold{};
  std::uint64_t max_compression_memory{};
  std::vector<websocket_path_switch> paths;  // in the order of the keys, each once
};

// Only read_settings makes a meaningful one; the defaults are in the table.
struct settings {
  std::string environment;
  std::filesystem::path content_root;  // empty: the current folder
  std::filesystem::path web_root;      // below the content root unless absolute
  std::vector<listening_url> urls;
  bool has_own_urls{};                       // not the default
  std::vector<endpoint_settings> endpoints;  // take the place of the URLs; in the order of the keys
  endpoint_settings endpoint_defaults;       // without name, URL and certificates; for the URLs as well
  certificate_files default_certificate;
  std::vector<std::string> allowed_hosts;
  engine_choice engine{};
  std::chrono::microseconds busy_poll{};
  std::uint64_t threads{};
  bool raise_open_file_limit{};
  log_level minimum_log_level{};
  std::chrono::milliseconds shutdown_timeout{};
  limit_settings limits;
  websocket_settings websockets;
};

// Reads the section `Windhover` of the whole configuration. Throws configuration_error.
settings read_settings(const configuration& whole);

// The table as the guide shows it: a Markdown table of keys, values, defaults and meanings.
std::string markdown_table_of_keys();

}  // namespace windhover::hosting
