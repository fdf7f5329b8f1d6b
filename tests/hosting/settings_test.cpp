#include "hosting/settings.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hosting/configuration_json.hpp"
#include "hosting/configuration_values.hpp"
#include "hosting/error_text.hpp"
#include "hosting/settings_table.hpp"
#include "hosting/temporary_folder.hpp"

namespace windhover::hosting {
namespace {

using namespace std::chrono_literals;

configuration with(std::string_view name, std::string_view value) {
  configuration configuration;
  configuration.set("Windhover:" + std::string(name), value);
  return configuration;
}

std::string error_of(std::string_view name, std::string_view value) {
  return error_text([&] { read_settings(with(name, value)); });
}

std::string error_of_variable(const std::string& variable) {
  configuration_sources sources;
  sources.environment = {variable};
  return error_text([&] { read_settings(configuration::load(sources)); });
}

TEST(settings, an_empty_configuration_gives_the_defaults) {
  const settings settings = read_settings(configuration());
  EXPECT_EQ(settings.environment, "Production");
  EXPECT_EQ(settings.content_root, "");
  EXPECT_EQ(settings.web_root, "wwwroot");
  ASSERT_EQ(settings.urls.size(), 1U);
  EXPECT_EQ(to_string(settings.urls[0]), "http://localhost:5000");
  EXPECT_EQ(settings.engine, engine_choice::automatic);
  EXPECT_EQ(settings.busy_poll, 0us);
  EXPECT_EQ(settings.threads, 0U);
  EXPECT_EQ(settings.minimum_log_level, log_level::information);
  EXPECT_EQ(settings.shutdown_timeout, 30s);
  EXPECT_EQ(settings.limits.max_connections, std::nullopt);
  EXPECT_EQ(settings.limits.max_request_line_size, 8192U);
  EXPECT_EQ(settings.limits.max_request_headers_total_size, 32768U);
  EXPECT_EQ(settings.limits.max_request_header_count, 100U);
  EXPECT_EQ(settings.limits.max_request_body_size, 30'000'000U);
  EXPECT_EQ(settings.limits.request_headers_timeout, 30s);
  EXPECT_EQ(settings.limits.keep_alive_timeout, 130s);
  EXPECT_EQ(settings.limits.max_response_buffer_size, 65536U);
  EXPECT_EQ(settings.limits.inbound_budget, 16'777'216U);
  EXPECT_TRUE(settings.websockets.enabled);
  EXPECT_EQ(settings.websockets.keep_alive_interval, 2min);
  EXPECT_EQ(settings.websockets.keep_alive_timeout, 20s);
  EXPECT_EQ(settings.websockets.receive_buffer_size, 4096U);
  EXPECT_TRUE(settings.websockets.allowed_origins.empty());
  EXPECT_EQ(settings.websockets.max_message_size, 1'048'576U);
  EXPECT_EQ(settings.websockets.close_timeout, 5s);
  EXPECT_EQ(settings.websockets.stalled_timeout, 5min);
  EXPECT_EQ(settings.websockets.max_queued_bytes, 65536U);
  EXPECT_EQ(settings.websockets.max_inbound_bytes, 65536U);
  EXPECT_EQ(settings.websockets.max_fragments, 131'072U);
  EXPECT_EQ(settings.websockets.max_control_frames_per_second, 1000U);
  EXPECT_EQ(settings.websockets.max_queued_messages, 16'384U);
  EXPECT_EQ(settings.websockets.max_unsent_bytes, 16'777'216U);
  EXPECT_EQ(settings.websockets.max_frame_size, 0U);
  EXPECT_FALSE(settings.websockets.dangerous_enable_compression);
  EXPECT_FALSE(settings.websockets.disable_server_context_takeover);
  EXPECT_FALSE(settings.websockets.disable_client_context_takeover);
  EXPECT_EQ(settings.websockets.server_max_window_bits, 15U);
  EXPECT_EQ(settings.websockets.client_max_window_bits, 15U);
  EXPECT_EQ(settings.websockets.compression_threshold, 256U);
  EXPECT_EQ(settings.websockets.max_compression_memory, 67'108'864U);
  EXPECT_TRUE(settings.websockets.paths.empty());
}

// Every member gets a value of its own, so that no two keys can be mixed up.
TEST(settings, a_file_sets_every_key) {
  const temporary_folder folder;
  folder.write("appsettings.json", R"({
    "Other": {"Threads": "not ours"},
    "windhover": {
      "Urls": "http://*:80;unix:/run/app.sock", "AllowedHosts": "a.example;*.b.example", "Engine": "IO_URING", "Threads": 3, "LogLevel": "Warning",
      "ShutdownTimeout": "00:00:11", "WebRoot": "public", "BusyPoll": "00:00:00.00005",
      "Limits": {
        "MaxConnections": 12, "MaxConnectionsPerAddress": 121, "MaxUpgradedConnections": 122, "MaxRequestLineSize": 13, "MaxRequestHeadersTotalSize": 14, "MaxRequestHeaderCount": 15,
        "MaxRequestBodySize": 16, "RequestHeadersTimeout": "00:00:17", "KeepAliveTimeout": "00:00:18",
        "MaxResponseBufferSize": 19, "InboundBudget": 200000
      },
      "WebSockets": {
        "Enabled": false, "KeepAliveInterval": "00:00:21", "KeepAliveTimeout": "00:00:22", "ReceiveBufferSize": 2300,
        "AllowedOrigins": ["https://a.example", "https://b.example"], "MaxMessageSize": 24, "CloseTimeout": "00:00:25",
        "SameOrigin": true, "RetainRequestHeaders": false,
        "StalledTimeout": "00:00:26", "MaxQueuedBytes": 2700, "MaxInboundBytes": 2800,
        "MaxFragments": 281, "MaxControlFramesPerSecond": 282, "MaxQueuedMessages": 283, "MaxUnsentBytes": 2840,
        "MaxFrameSize": 285,
        "DangerousEnableCompression": true, "DisableServerContextTakeover": true, "ServerMaxWindowBits": 9,
        "ClientMaxWindowBits": 8, "CompressionThreshold": 29, "MaxCompressionMemory": 3000,
        "Paths": {"/chat": {"Enabled": false}, "/a:b": {"enabled": true}}
      }
    }
  })");
  configuration_sources sources;
  sources.content_root = folder.path();
  sources.arguments = {"--environment", "Staging"};
  const settings settings = read_settings(configuration::load(sources));
  EXPECT_EQ(settings.environment, "Staging");
  EXPECT_EQ(settings.content_root, folder.path());
  EXPECT_EQ(settings.web_root, folder.path() / "public");
  ASSERT_EQ(settings.urls.size(), 2U);
  EXPECT_EQ(settings.urls[0].kind, listening_kind::any);
  EXPECT_EQ(settings.urls[1].path, "/run/app.sock");
  EXPECT_EQ(settings.engine, engine_choice::io_uring);
  EXPECT_EQ(settings.busy_poll, 50us);
  EXPECT_EQ(settings.threads, 3U);
  EXPECT_EQ(settings.minimum_log_level, log_level::warning);
  EXPECT_EQ(settings.shutdown_timeout, 11s);
  EXPECT_EQ(settings.limits.max_connections, 12U);
  EXPECT_EQ(settings.limits.max_connections_per_address, 121U);
  EXPECT_EQ(settings.limits.max_upgraded_connections, 122U);
  EXPECT_EQ(settings.allowed_hosts, std::vector<std::string>({"a.example", "*.b.example"}));
  EXPECT_EQ(settings.limits.max_request_line_size, 13U);
  EXPECT_EQ(settings.limits.max_request_headers_total_size, 14U);
  EXPECT_EQ(settings.limits.max_request_header_count, 15U);
  EXPECT_EQ(settings.limits.max_request_body_size, 16U);
  EXPECT_EQ(settings.limits.request_headers_timeout, 17s);
  EXPECT_EQ(settings.limits.keep_alive_timeout, 18s);
  EXPECT_EQ(settings.limits.max_response_buffer_size, 19U);
  EXPECT_EQ(settings.limits.inbound_budget, 200'000U);
  EXPECT_FALSE(settings.websockets.enabled);
  EXPECT_EQ(settings.websockets.keep_alive_interval, 21s);
  EXPECT_EQ(settings.websockets.keep_alive_timeout, 22s);
  EXPECT_EQ(settings.websockets.receive_buffer_size, 2300U);
  EXPECT_EQ(settings.websockets.allowed_origins, std::vector<std::string>({"https://a.example", "https://b.example"}));
  EXPECT_TRUE(settings.websockets.same_origin);
  EXPECT_FALSE(settings.websockets.retain_request_headers);
  EXPECT_EQ(settings.websockets.max_message_size, 24U);
  EXPECT_EQ(settings.websockets.close_timeout, 25s);
  EXPECT_EQ(settings.websockets.stalled_timeout, 26s);
  EXPECT_EQ(settings.websockets.max_queued_bytes, 2700U);
  EXPECT_EQ(settings.websockets.max_inbound_bytes, 2800U);
  EXPECT_EQ(settings.websockets.max_fragments, 281U);
  EXPECT_EQ(settings.websockets.max_control_frames_per_second, 282U);
  EXPECT_EQ(settings.websockets.max_queued_messages, 283U);
  EXPECT_EQ(settings.websockets.max_unsent_bytes, 2840U);
  EXPECT_EQ(settings.websockets.max_frame_size, 285U);
  EXPECT_TRUE(settings.websockets.dangerous_enable_compression);
  EXPECT_TRUE(settings.websockets.disable_server_context_takeover);
  EXPECT_FALSE(settings.websockets.disable_client_context_takeover);
  EXPECT_EQ(settings.websockets.server_max_window_bits, 9U);
  EXPECT_EQ(settings.websockets.client_max_window_bits, 8U);
  EXPECT_EQ(settings.websockets.compression_threshold, 29U);
  EXPECT_EQ(settings.websockets.max_compression_memory, 3000U);
  ASSERT_EQ(settings.websockets.paths.size(), 2U);
  EXPECT_EQ(settings.websockets.paths[0].path, "/a:b");
  EXPECT_TRUE(settings.websockets.paths[0].enabled);
  EXPECT_EQ(settings.websockets.paths[1].path, "/chat");
  EXPECT_FALSE(settings.websockets.paths[1].enabled);
}

TEST(settings, the_switches_of_either_ends_context_are_not_mixed_up) {
  const settings settings = read_settings(with("WebSockets:DisableClientContextTakeover", "true"));
  EXPECT_TRUE(settings.websockets.disable_client_context_takeover);
  EXPECT_FALSE(settings.websockets.disable_server_context_takeover);
}

TEST(settings, an_absolute_web_root_stays_where_it_is) {
  configuration configuration = with("WebRoot", "/srv/www");
  configuration.set("Windhover:ContentRoot", "/srv/app");
  EXPECT_EQ(read_settings(configuration).web_root, "/srv/www");
}

TEST(settings, every_name_of_engine_and_log_level_is_read) {
  EXPECT_EQ(read_settings(with("Engine", "auto")).engine, engine_choice::automatic);
  EXPECT_EQ(read_settings(with("Engine", "io_uring")).engine, engine_choice::io_uring);
  EXPECT_EQ(read_settings(with("Engine", " Epoll ")).engine, engine_choice::epoll);
  EXPECT_EQ(read_settings(with("LogLevel", "trace")).minimum_log_level, log_level::trace);
  EXPECT_EQ(read_settings(with("LogLevel", "Debug")).minimum_log_level, log_level::debug);
  EXPECT_EQ(read_settings(with("LogLevel", "Information")).minimum_log_level, log_level::information);
  EXPECT_EQ(read_settings(with("LogLevel", "WARNING")).minimum_log_level, log_level::warning);
  EXPECT_EQ(read_settings(with("LogLevel", "Error")).minimum_log_level, log_level::error);
  EXPECT_EQ(read_settings(with("LogLevel", "Critical")).minimum_log_level, log_level::critical);
  EXPECT_EQ(read_settings(with("LogLevel", "None")).minimum_log_level, log_level::none);
}

TEST(settings, an_ill_typed_value_names_place_key_and_expectation) {
  EXPECT_EQ(error_of("Threads", "four"), "code: Windhover:Threads is \"four\"; expected a whole number from 0 to 1024");
  EXPECT_EQ(error_of("Threads", ""), "code: Windhover:Threads is empty; expected a whole number from 0 to 1024");
  EXPECT_EQ(error_of("Engine", "kqueue"),
            "code: Windhover:Engine is \"kqueue\"; expected one of auto, io_uring, epoll");
  EXPECT_EQ(error_of("WebSockets:Enabled", "on"),
            "code: Windhover:WebSockets:Enabled is \"on\"; expected true or false");
  EXPECT_EQ(error_of("WebSockets:KeepAliveInterval", "20"),
            "code: Windhover:WebSockets:KeepAliveInterval is \"20\"; "
            "expected a duration (hours:minutes:seconds) from 00:00:00 to 20.00:00:00");
  EXPECT_EQ(error_of("WebSockets:AllowedOrigins", "https://a.example"),
            "code: Windhover:WebSockets:AllowedOrigins is \"https://a.example\"; "
            "expected a list of texts (in a file [...], elsewhere the keys 0, 1, 2 ...)");
  EXPECT_EQ(error_of("WebSockets:Paths:/chat:Enabled", "no"),
            "code: Windhover:WebSockets:Paths:/chat:Enabled is \"no\"; expected true or false");
  EXPECT_EQ(error_of_variable("WINDHOVER_THREADS=-1"),
            "environment variable WINDHOVER_THREADS: Windhover:Threads is \"-1\"; "
            "expected a whole number from 0 to 1024");
}

TEST(settings, an_error_in_a_file_names_file_and_line) {
  const temporary_folder folder;
  const std::filesystem::path file =
      folder.write("appsettings.json", "{\n\"Windhover\": {\n\"Threads\": \"4 \\t x\"\n}}");
  configuration_sources sources;
  sources.content_root = folder.path();
  EXPECT_EQ(error_text([&] { read_settings(configuration::load(sources)); }),
            file.string() + ", line 3: Windhover:Threads is \"4 \\t x\"; expected a whole number from 0 to 1024");
}

TEST(settings, a_bad_url_names_where_it_stood) {
  configuration_sources sources;
  sources.arguments = {"--urls", "http://localhost:5000;ws://localhost:5001"};
  EXPECT_EQ(
      error_text([&] { read_settings(configuration::load(sources)); }),
      "command line --urls: Windhover:Urls: cannot listen on 'ws://localhost:5001': the scheme must be http, https "
      "or unix, as in http://localhost:5000");
}

TEST(settings, values_at_the_ends_of_their_range_are_taken_and_beyond_them_refused) {
  const auto is_duration = [](const setting_row& row) {
    return row.kind == setting_kind::duration || row.kind == setting_kind::fine_duration;
  };
  int checked = 0;
  for (const setting_row& row : setting_table()) {
    const auto as_text = [&](std::uint64_t value) {
      return is_duration(row) ? format_duration(unit_of(row) * static_cast<std::int64_t>(value))
                              : std::to_string(value);
    };
    if (row.kind != setting_kind::whole_number && row.kind != setting_kind::number_or_auto && !is_duration(row))
      continue;
    EXPECT_NO_THROW(read_settings(with(row.name, as_text(row.minimum)))) << row.name;
    EXPECT_NO_THROW(read_settings(with(row.name, as_text(row.maximum)))) << row.name;
    EXPECT_THROW(read_settings(with(row.name, as_text(row.maximum + 1))), configuration_error) << row.name;
    if (row.minimum > 0) {
      EXPECT_THROW(read_settings(with(row.name, as_text(row.minimum - 1))), configuration_error) << row.name;
    }
    ++checked;
  }
  EXPECT_GT(checked, 15);
}

TEST(settings, the_number_of_connections_is_a_number_or_auto) {
  const auto most = [](std::string_view text) {
    return read_settings(with("Limits:MaxConnections", text)).limits.max_connections;
  };
  EXPECT_EQ(most(" Auto "), std::nullopt);
  EXPECT_EQ(most("0"), 0U) << "any number";
  EXPECT_EQ(most("20000"), 20'000U);
  EXPECT_EQ(error_of("Limits:MaxConnections", "automatic"),
            "code: Windhover:Limits:MaxConnections is \"automatic\"; expected auto or a whole number from 0 to "
            "4294967295");
}

TEST(settings, a_duration_finer_than_a_millisecond_is_refused) {
  EXPECT_NO_THROW(read_settings(with("ShutdownTimeout", "00:00:00.001")));
  EXPECT_THROW(read_settings(with("ShutdownTimeout", "00:00:00.0015")), configuration_error);
}

TEST(settings, the_time_to_look_for_events_is_told_in_microseconds) {
  EXPECT_EQ(read_settings(with("BusyPoll", "00:00:00.000001")).busy_poll, 1us);
  EXPECT_EQ(read_settings(with("BusyPoll", "00:00:01")).busy_poll, 1s);
  EXPECT_EQ(error_of("BusyPoll", "50"),
            "code: Windhover:BusyPoll is \"50\"; expected a duration (hours:minutes:seconds) from 00:00:00 to 00:00:01 "
            "in whole microseconds, such as 00:00:00.00005 for 50 of them");
  EXPECT_THROW(read_settings(with("BusyPoll", "00:00:00.0000005")), configuration_error);
  EXPECT_THROW(read_settings(with("BusyPoll", "-00:00:00.000001")), configuration_error);
}

TEST(settings, an_unknown_key_is_refused_with_the_nearest_known_one) {
  EXPECT_EQ(error_of("Thread", "4"), "code: Windhover:Thread is no key of Windhover; did you mean Windhover:Threads?");
  EXPECT_EQ(error_of("WebSockets:KeepAliveIntervall", "x"),
            "code: Windhover:WebSockets:KeepAliveIntervall is no key of Windhover; "
            "did you mean Windhover:WebSockets:KeepAliveInterval?");
  EXPECT_EQ(error_of("MaxConnections", "x"),
            "code: Windhover:MaxConnections is no key of Windhover; did you mean Windhover:Limits:MaxConnections?");
  EXPECT_EQ(error_of("Colour", "x"), "code: Windhover:Colour is no key of Windhover");
  EXPECT_EQ(error_of(std::string(5000, 'x'), "x"),
            "code: Windhover:" + std::string(5000, 'x') + " is no key of Windhover");
}

TEST(settings, an_unknown_variable_is_refused_with_the_name_of_a_variable) {
  EXPECT_EQ(error_of_variable("WINDHOVER_WebSockets_KeepAliveInterval=00:00:20"),
            "environment variable WINDHOVER_WebSockets_KeepAliveInterval: Windhover:WebSockets_KeepAliveInterval is no "
            "key of Windhover; did you mean Windhover:WebSockets:KeepAliveInterval (as a variable "
            "WINDHOVER_WebSockets__KeepAliveInterval)?");
}

TEST(settings, a_section_in_the_place_of_a_value_and_the_reverse_are_refused) {
  EXPECT_EQ(error_of("Urls:0", "http://localhost"), "code: Windhover:Urls has a key 0; expected text");
  EXPECT_EQ(error_of("Limits", "5"),
            "code: Windhover:Limits is \"5\"; expected an object with keys such as Windhover:Limits:MaxConnections");
  EXPECT_EQ(error_of("WebSockets:AllowedOrigins:first", "x"),
            "code: Windhover:WebSockets:AllowedOrigins has a key first; "
            "expected a list of texts (in a file [...], elsewhere the keys 0, 1, 2 ...)");
  configuration configuration;
  configuration.set("Windhover", "5");
  EXPECT_EQ(error_text([&] { read_settings(configuration); }), "code: Windhover is \"5\"; expected an object");
}

TEST(settings, the_switch_of_a_path_has_one_shape) {
  for (const char* name : {"WebSockets:Paths", "WebSockets:Paths:/chat", "WebSockets:Paths:/chat:Enable",
                           "WebSockets:Paths:chat:Enabled", "WebSockets:Paths:Enabled"})
    EXPECT_EQ(error_of(name, "true"), "code: Windhover:" + std::string(name) +
                                          " is no key of Windhover; expected Windhover:WebSockets:Paths:{path}:Enabled "
                                          "with a path that starts with '/'");
}

TEST(settings, keys_of_the_application_are_none_of_our_business) {
  configuration configuration;
  configuration.set("Threads", "four");
  configuration.set("WindhoverLike:Threads", "four");
  EXPECT_NO_THROW(read_settings(configuration));
}

TEST(settings, names_in_the_table_are_unique_and_below_sections_only) {
  std::set<std::string_view> names;
  for (const setting_row& row : setting_table()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(row.name.find('_'), std::string_view::npos) << row.name << " could not be told from a Kubernetes service";
    EXPECT_TRUE(row.meaning.ends_with('.')) << row.name;
    for (const setting_row& other : setting_table())
      EXPECT_FALSE(other.name.starts_with(std::string(row.name) + ":")) << other.name;
  }
}

TEST(settings, the_markdown_table_has_a_line_for_every_key) {
  const std::string table = markdown_table_of_keys();
  EXPECT_TRUE(table.starts_with("| Key | Value | Default | Meaning |\n|---|---|---|---|\n"));
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(table, '\n')), setting_table().size() + 2);
  for (const char* line :
       {"| `Windhover:Threads` | number, 0 to 1024 | `0` | The number of event loops, each with a thread of its own; 0 "
        "means one per core. |\n",
        "| `Windhover:Engine` | `auto`, `io_uring`, `epoll` | `auto` | ",
        "| `Windhover:WebSockets:KeepAliveInterval` | duration, `00:00:00` to `20.00:00:00` | `00:02:00` | ",
        "| `Windhover:WebSockets:AllowedOrigins` | list of texts | `[]` | ",
        "| `Windhover:WebSockets:Paths:{path}:Enabled` | `true`, `false` |  | "})
    EXPECT_NE(table.find(line), std::string::npos) << line;
}

}  // namespace
}  // namespace windhover::hosting
