#include "hosting/settings_table.hpp"

#include <array>
#include <limits>
#include <optional>
#include <stdexcept>
#include <utility>

#include "base/text.hpp"
#include "hosting/allowed_hosts.hpp"
#include "hosting/configuration_values.hpp"
#include "net/busy_polling.hpp"

namespace windhover::hosting {
namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;
constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30;
constexpr std::uint64_t tebibyte = std::uint64_t{1} << 40;
constexpr std::uint64_t most_of_32_bits = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t most_of_31_bits = std::numeric_limits<std::int32_t>::max();
constexpr std::uint64_t day = std::uint64_t{24} * 60 * 60 * 1000;
constexpr std::uint64_t longest_busy_poll =
    std::chrono::duration_cast<std::chrono::microseconds>(net::longest_busy_poll).count();

using assignment = void (*)(settings&, setting_value&&);

constexpr setting_row text(std::string_view name, std::string_view otherwise, std::string_view meaning,
                           assignment assign) {
  return {name, setting_kind::text, otherwise, 0, 0, {}, meaning, assign};
}

constexpr setting_row choice(std::string_view name, std::string_view otherwise, std::string_view choices,
                             std::string_view meaning, assignment assign) {
  return {name, setting_kind::choice, otherwise, 0, 0, choices, meaning, assign};
}

constexpr setting_row number(std::string_view name, std::string_view otherwise, std::uint64_t minimum,
                             std::uint64_t maximum, std::string_view meaning, assignment assign) {
  return {name, setting_kind::whole_number, otherwise, minimum, maximum, {}, meaning, assign};
}

constexpr setting_row number_or_auto(std::string_view name, std::string_view otherwise, std::uint64_t minimum,
                                     std::uint64_t maximum, std::string_view meaning, assignment assign) {
  return {name, setting_kind::number_or_auto, otherwise, minimum, maximum, {}, meaning, assign};
}

constexpr setting_row boolean(std::string_view name, std::string_view otherwise, std::string_view meaning,
                              assignment assign) {
  return {name, setting_kind::boolean, otherwise, 0, 0, {}, meaning, assign};
}

constexpr setting_row duration(std::string_view name, std::string_view otherwise, std::uint64_t minimum,
                               std::uint64_t maximum, std::string_view meaning, assignment assign) {
  return {name, setting_kind::duration, otherwise, minimum, maximum, {}, meaning, assign};
}

constexpr setting_row fine_duration(std::string_view name, std::string_view otherwise, std::uint64_t minimum,
                                    std::uint64_t maximum, std::string_view meaning, assignment assign) {
  return {name, setting_kind::fine_duration, otherwise, minimum, maximum, {}, meaning, assign};
}

constexpr setting_row list(std::string_view name, std::string_view meaning, assignment assign) {
  return {name, setting_kind::list, "", 0, 0, {}, meaning, assign};
}

// Whose key it is: of the endpoint that is named, or of the defaults when none is, and of one of its hosts.
endpoint_settings& endpoint_of(settings& s, const setting_value& v) {
  return v.names.empty() ? s.endpoint_defaults : endpoint_named(s.endpoints, v.names.front());
}
certificate_files& certificate_of_host(settings& s, const setting_value& v) {
  return host_named(endpoint_of(s, v), v.names.at(1)).certificate;
}

// What both an endpoint and the defaults say.
void set_protocols(settings& s, setting_value&& v) {
  endpoint_of(s, v).protocols = static_cast<http_protocols>(v.choice);
}
void set_client_certificates(settings& s, setting_value&& v) {
  endpoint_of(s, v).client_certificates = static_cast<client_certificate_mode>(v.choice);
}
void set_client_certificate_authority(settings& s, setting_value&& v) {
  endpoint_of(s, v).client_certificate_authority = std::move(v.text);
}
void set_versions(settings& s, setting_value&& v) { endpoint_of(s, v).versions = versions_of(v.list); }

constexpr std::string_view http_versions = "Http1|Http2|Http1AndHttp2";
constexpr std::string_view client_certificate_modes = "NoCertificate|AllowCertificate|RequireCertificate";

constexpr setting_row only_when_said(setting_row row) {
  row.only_when_said = true;
  return row;
}

std::vector<std::string> parse_allowed_hosts(std::string_view text) {
  std::vector<std::string> hosts;
  base::for_each_part(text, ';', [&](std::string_view host) { hosts.emplace_back(host); });
  try {
    static_cast<void>(allowed_hosts(hosts));
  } catch (const std::invalid_argument& error) {
    throw configuration_error(error.what());
  }
  return hosts;
}

// Sorted as a reader meets them: the server, its addresses, its limits, its WebSockets.
constexpr std::array<setting_row, 74> rows = {{
    text("Urls", "http://localhost:5000", "The addresses to listen on, separated by `;`.",
         [](settings& s, setting_value&& v) { s.urls = parse_listening_urls(v.text); }),
    text("AllowedHosts", "*",
         "The hosts that are served, separated by `;`, such as `example.com` and `*.example.com`; requests for others "
         "get "
         "400; `*` serves any.",
         [](settings& s, setting_value&& v) { s.allowed_hosts = parse_allowed_hosts(v.text); }),
    choice("Engine", "auto", "auto|io_uring|epoll",
           "The way to talk to the kernel; `auto` takes io_uring where the kernel is good at it.",
           [](settings& s, setting_value&& v) { s.engine = static_cast<engine_choice>(v.choice); }),
    number("Threads", "0", 0, 1024, "The number of event loops, each with a thread of its own; 0 means one per core.",
           [](settings& s, setting_value&& v) { s.threads = v.number; }),
    fine_duration("BusyPoll", "00:00:00", 0, longest_busy_poll,
                  "How long an event loop looks for the next event before it sleeps, such as `00:00:00.00005`: answers "
                  "leave sooner, for nearly all of a core's time; 0 sleeps at once.",
                  [](settings& s, setting_value&& v) { s.busy_poll = v.fine_duration; }),
    boolean("RaiseOpenFileLimit", "true",
            "Raises the process's limit of open files (`ulimit -n`) as far as it may, since each connection is one.",
            [](settings& s, setting_value&& v) { s.raise_open_file_limit = v.flag; }),
    choice("LogLevel", "information", "trace|debug|information|warning|error|critical|none",
           "The least important messages that are still written.",
           [](settings& s, setting_value&& v) { s.minimum_log_level = static_cast<log_level>(v.choice); }),
    duration("ShutdownTimeout", "00:00:30", 0, day,
             "How long a stopping server waits for requests and WebSockets to end before it cuts their connections.",
             [](settings& s, setting_value&& v) { s.shutdown_timeout = v.duration; }),
    text("Environment", "Production", "Chooses `appsettings.{Environment}.json`; not possible in a file.",
         [](settings& s, setting_value&& v) { s.environment = std::move(v.text); }),
    text("ContentRoot", "",
         "The folder with the appsettings files; empty means the current folder; not possible in a file.",
         [](settings& s, setting_value&& v) { s.content_root = std::move(v.text); }),
    text("WebRoot", "wwwroot",
         "The folder that `use_static_files()` serves, below the content root unless it is absolute.",
         [](settings& s, setting_value&& v) { s.web_root = std::move(v.text); }),

    text("Endpoints:{name}:Url", "",
         "An address to listen on, under a name of your choice; endpoints take the place of `Windhover:Urls`.",
         [](settings& s, setting_value&& v) { endpoint_of(s, v).url = parse_listening_url(v.text); }),
    choice("Endpoints:{name}:Protocols", "Http1AndHttp2", http_versions,
           "The versions of HTTP; with both the client chooses.", set_protocols),
    text("Endpoints:{name}:Certificate:Path", "",
         "The file with the certificate, PEM or PKCS#12; below the content root unless it is absolute.",
         [](settings& s, setting_value&& v) { endpoint_of(s, v).certificate.certificate = std::move(v.text); }),
    text("Endpoints:{name}:Certificate:KeyPath", "",
         "The PEM file with the private key, when it is not in the certificate's.",
         [](settings& s, setting_value&& v) { endpoint_of(s, v).certificate.key = std::move(v.text); }),
    text("Endpoints:{name}:Certificate:Password", "", "The password of the key, or of the PKCS#12 file.",
         [](settings& s, setting_value&& v) { endpoint_of(s, v).certificate.password = std::move(v.text); }),
    text("Endpoints:{name}:Sni:{host}:Certificate:Path", "",
         "Another certificate, for clients that ask for this host: `example.com`, `*.example.com`, or `*` for any.",
         [](settings& s, setting_value&& v) { certificate_of_host(s, v).certificate = std::move(v.text); }),
    text("Endpoints:{name}:Sni:{host}:Certificate:KeyPath", "", "Its key.",
         [](settings& s, setting_value&& v) { certificate_of_host(s, v).key = std::move(v.text); }),
    text("Endpoints:{name}:Sni:{host}:Certificate:Password", "", "Its password.",
         [](settings& s, setting_value&& v) { certificate_of_host(s, v).password = std::move(v.text); }),
    choice("Endpoints:{name}:ClientCertificateMode", "NoCertificate", client_certificate_modes,
           "Whether clients are asked for a certificate.", set_client_certificates),
    text("Endpoints:{name}:ClientCertificateAuthority", "",
         "The PEM file with the authorities that clients' certificates must come from; empty means the system's.",
         set_client_certificate_authority),
    list("Endpoints:{name}:SslProtocols", "The versions of TLS: `Tls12`, `Tls13` or both.", set_versions),
    only_when_said(choice("EndpointDefaults:Protocols", "Http1AndHttp2", http_versions,
                          "`Protocols` for endpoints that do not say it, and for `Windhover:Urls`.", set_protocols)),
    only_when_said(choice("EndpointDefaults:ClientCertificateMode", "NoCertificate", client_certificate_modes,
                          "`ClientCertificateMode` for the same.", set_client_certificates)),
    only_when_said(text("EndpointDefaults:ClientCertificateAuthority", "", "`ClientCertificateAuthority` for the same.",
                        set_client_certificate_authority)),
    only_when_said(list("EndpointDefaults:SslProtocols", "`SslProtocols` for the same.", set_versions)),
    text("Certificates:Default:Path", "", "The certificate of https endpoints and URLs that have none of their own.",
         [](settings& s, setting_value&& v) { s.default_certificate.certificate = std::move(v.text); }),
    text("Certificates:Default:KeyPath", "", "Its key.",
         [](settings& s, setting_value&& v) { s.default_certificate.key = std::move(v.text); }),
    text("Certificates:Default:Password", "", "Its password.",
         [](settings& s, setting_value&& v) { s.default_certificate.password = std::move(v.text); }),

    number_or_auto(
        "Limits:MaxConnections", "auto", 0, most_of_32_bits,
        "How many connections may be open at the same time; `auto` follows the limit of open files and leaves "
        "a quarter of it, at most 1024 or a sixteenth, for everything else; 0 means any number.",
        [](settings& s, setting_value&& v) {
          s.limits.max_connections = v.flag ? std::nullopt : std::optional(v.number);
        }),
    number(
        "Limits:MaxConnectionsPerAddress", "0", 0, most_of_32_bits,
        "The same for each address of clients, an IPv6 network of 64 bits counting as one; 0 means any number: behind "
        "a proxy all clients have its address.",
        [](settings& s, setting_value&& v) { s.limits.max_connections_per_address = v.number; }),
    number("Limits:MaxUpgradedConnections", "0", 0, most_of_32_bits,
           "How many connections may be WebSockets at the same time; further ones get 503; 0 means any number.",
           [](settings& s, setting_value&& v) { s.limits.max_upgraded_connections = v.number; }),
    number("Limits:MaxRequestLineSize", "8192", 1, gibibyte, "The bytes of a request line; a longer one gets 414.",
           [](settings& s, setting_value&& v) { s.limits.max_request_line_size = v.number; }),
    number("Limits:MaxRequestHeadersTotalSize", "32768", 1, gibibyte,
           "The bytes of all header lines of a request; more get 431.",
           [](settings& s, setting_value&& v) { s.limits.max_request_headers_total_size = v.number; }),
    number("Limits:MaxRequestHeaderCount", "100", 1, 1'000'000, "The header lines of a request; more get 431.",
           [](settings& s, setting_value&& v) { s.limits.max_request_header_count = v.number; }),
    number("Limits:MaxRequestBodySize", "30000000", 0, std::numeric_limits<std::int64_t>::max(),
           "The bytes of a request's body; more get 413; 0 refuses every body.",
           [](settings& s, setting_value&& v) { s.limits.max_request_body_size = v.number; }),
    duration("Limits:RequestHeadersTimeout", "00:00:30", 1, 30 * day,
             "How long a request's line and headers may take to arrive; then 408.",
             [](settings& s, setting_value&& v) { s.limits.request_headers_timeout = v.duration; }),
    duration("Limits:KeepAliveTimeout", "00:02:10", 1, 30 * day,
             "How long a connection may stay idle between two requests.",
             [](settings& s, setting_value&& v) { s.limits.keep_alive_timeout = v.duration; }),
    number("Limits:MaxResponseBufferSize", "65536", 1, gibibyte,
           "The bytes that may wait for a connection to send them before its response has to wait.",
           [](settings& s, setting_value&& v) { s.limits.max_response_buffer_size = v.number; }),
    number(
        "Limits:InboundBudget", "16777216", 65536, tebibyte,
        "The bytes that all paused connections of one event loop may hold; beyond them those that hold most are cut.",
        [](settings& s, setting_value&& v) { s.limits.inbound_budget = v.number; }),
    number("Limits:Http2:MaxStreamsPerConnection", "100", 1, most_of_31_bits,
           "How many requests and WebSockets an HTTP/2 connection may carry at the same time.",
           [](settings& s, setting_value&& v) { s.limits.http2.max_streams_per_connection = v.number; }),
    number("Limits:Http2:InitialStreamWindowSize", "65536", 1024, most_of_31_bits,
           "The bytes that may arrive on an HTTP/2 stream before its handler has read them.",
           [](settings& s, setting_value&& v) { s.limits.http2.initial_stream_window_size = v.number; }),
    number("Limits:Http2:InitialConnectionWindowSize", "1048576", 65535, most_of_31_bits,
           "The bytes that may be on their way on an HTTP/2 connection, for all its streams together.",
           [](settings& s, setting_value&& v) { s.limits.http2.initial_connection_window_size = v.number; }),
    number("Limits:Http2:HeaderTableSize", "4096", 0, most_of_31_bits,
           "The bytes of the table with which an HTTP/2 client compresses its headers.",
           [](settings& s, setting_value&& v) { s.limits.http2.header_table_size = v.number; }),
    number("Limits:Http2:MaxFrameSize", "16384", 16384, 16'777'215, "The bytes of an HTTP/2 frame that is received.",
           [](settings& s, setting_value&& v) { s.limits.http2.max_frame_size = v.number; }),
    number("Limits:Http2:MaxResetsPerSecond", "200", 1, most_of_31_bits,
           "The HTTP/2 streams that a client may give up, or lose by its own fault, within a second; more end the "
           "connection.",
           [](settings& s, setting_value&& v) { s.limits.http2.max_resets_per_second = v.number; }),
    number("Limits:Http2:MaxControlFramesPerSecond", "1000", 1, most_of_31_bits,
           "The HTTP/2 frames that carry nothing, such as pings, within a second; more end the connection.",
           [](settings& s, setting_value&& v) { s.limits.http2.max_control_frames_per_second = v.number; }),
    duration("Limits:Http2:KeepAlivePingDelay", "00:00:00", 0, 20 * day,
             "How long nothing may arrive on an HTTP/2 connection before it is asked for a sign of life; 0 means for "
             "ever.",
             [](settings& s, setting_value&& v) { s.limits.http2.keep_alive_ping_delay = v.duration; }),
    duration("Limits:Http2:KeepAlivePingTimeout", "00:00:20", 1, 20 * day,
             "How long that sign of life may take before the connection is cut.",
             [](settings& s, setting_value&& v) { s.limits.http2.keep_alive_ping_timeout = v.duration; }),

    boolean("WebSockets:Enabled", "true",
            "The switch: when false, no request is a WebSocket request and upgrades pass on untouched.",
            [](settings& s, setting_value&& v) { s.websockets.enabled = v.flag; }),
    setting_row{"WebSockets:Paths:{path}:Enabled",
                setting_kind::path_switches,
                "",
                0,
                0,
                {},
                "The switch for one path.",
                [](settings& s, setting_value&& v) { s.websockets.paths = std::move(v.path_switches); }},
    duration("WebSockets:KeepAliveInterval", "00:02:00", 0, 20 * day,
             "A ping goes out when nothing was received for so long; 0 sends none.",
             [](settings& s, setting_value&& v) { s.websockets.keep_alive_interval = v.duration; }),
    duration(
        "WebSockets:KeepAliveTimeout", "00:00:20", 0, 20 * day,
        "How long a pong may take before the connection is cut; 0 sends pongs that nobody answers instead of pings.",
        [](settings& s, setting_value&& v) { s.websockets.keep_alive_timeout = v.duration; }),
    number("WebSockets:ReceiveBufferSize", "4096", 64, 16 * mebibyte, "The bytes of a chunk of a buffered receive.",
           [](settings& s, setting_value&& v) { s.websockets.receive_buffer_size = v.number; }),
    setting_row{"WebSockets:AllowedOrigins",
                setting_kind::list,
                "",
                0,
                0,
                {},
                "The origins that may connect, such as `https://example.com`; an empty list or `*` allows all.",
                [](settings& s, setting_value&& v) { s.websockets.allowed_origins = std::move(v.list); }},
    boolean("WebSockets:SameOrigin", "false", "Allows only pages that came from this server, beside `AllowedOrigins`.",
            [](settings& s, setting_value&& v) { s.websockets.same_origin = v.flag; }),
    boolean(
        "WebSockets:RetainRequestHeaders", "true",
        "Whether the headers of a request stay readable once it was accepted; they cost memory for every WebSocket.",
        [](settings& s, setting_value&& v) { s.websockets.retain_request_headers = v.flag; }),
    number("WebSockets:MaxMessageSize", "1048576", 0, tebibyte,
           "The bytes of a received message; a longer one closes the WebSocket with 1009; 0 means no limit.",
           [](settings& s, setting_value&& v) { s.websockets.max_message_size = v.number; }),
    number("WebSockets:MaxFragments", "131072", 1, most_of_32_bits,
           "The fragments of a received message; more close the WebSocket with 1008.",
           [](settings& s, setting_value&& v) { s.websockets.max_fragments = v.number; }),
    number("WebSockets:MaxControlFramesPerSecond", "1000", 0, most_of_32_bits,
           "The pings and pongs that may come within a second; more close the WebSocket with 1008; 0 means any number.",
           [](settings& s, setting_value&& v) { s.websockets.max_control_frames_per_second = v.number; }),
    // RFC 6455 names no time for the closing handshake; section 7.1.1 leaves it at a reasonable one. Not 0: without any
    // wait no close could be clean (7.1.4).
    duration("WebSockets:CloseTimeout", "00:00:05", 1, day,
             "How long the peer's half of the closing handshake may take before the connection is cut.",
             [](settings& s, setting_value&& v) { s.websockets.close_timeout = v.duration; }),
    duration("WebSockets:StalledTimeout", "00:05:00", 0, 20 * day,
             "How long a handler may leave received data unread before its connection is cut; 0 means for ever.",
             [](settings& s, setting_value&& v) { s.websockets.stalled_timeout = v.duration; }),
    number("WebSockets:MaxQueuedBytes", "65536", 1024, gibibyte,
           "The bytes that may wait for a WebSocket to send them before its sender has to wait.",
           [](settings& s, setting_value&& v) { s.websockets.max_queued_bytes = v.number; }),
    number("WebSockets:MaxQueuedMessages", "16384", 1, most_of_32_bits,
           "The messages of other threads that may wait for a WebSocket's event loop; further ones are dropped.",
           [](settings& s, setting_value&& v) { s.websockets.max_queued_messages = v.number; }),
    number("WebSockets:MaxUnsentBytes", "16777216", 1024, tebibyte,
           "The bytes that may wait although nobody waits for their sending; a send beyond them ends the connection.",
           [](settings& s, setting_value&& v) { s.websockets.max_unsent_bytes = v.number; }),
    number("WebSockets:MaxFrameSize", "0", 0, gibibyte,
           "The bytes of a frame that is sent; a longer message leaves in several; 0 means no limit.",
           [](settings& s, setting_value&& v) { s.websockets.max_frame_size = v.number; }),
    number("WebSockets:MaxInboundBytes", "65536", 1024, gibibyte,
           "The received bytes that may wait for a handler; reading pauses at half of them.",
           [](settings& s, setting_value&& v) { s.websockets.max_inbound_bytes = v.number; }),
    boolean("WebSockets:DangerousEnableCompression", "false",
            "Accepts offers of `permessage-deflate`; dangerous where secrets and what an attacker can choose are "
            "compressed together (CRIME, BREACH).",
            [](settings& s, setting_value&& v) { s.websockets.dangerous_enable_compression = v.flag; }),
    boolean("WebSockets:DisableServerContextTakeover", "false",
            "When true, each message of the server is compressed without reference to earlier ones.",
            [](settings& s, setting_value&& v) { s.websockets.disable_server_context_takeover = v.flag; }),
    boolean("WebSockets:DisableClientContextTakeover", "false",
            "When true, clients are told to compress each message without reference to earlier ones.",
            [](settings& s, setting_value&& v) { s.websockets.disable_client_context_takeover = v.flag; }),
    number("WebSockets:ServerMaxWindowBits", "15", 9, 15,
           "The window that the server compresses with is at most 2 to the power of this, in bytes.",
           [](settings& s, setting_value&& v) { s.websockets.server_max_window_bits = v.number; }),
    number("WebSockets:ClientMaxWindowBits", "15", 8, 15,
           "The same for clients; below 15, clients that cannot be told are served without compression.",
           [](settings& s, setting_value&& v) { s.websockets.client_max_window_bits = v.number; }),
    number("WebSockets:CompressionThreshold", "256", 0, gibibyte, "The bytes below which a message is sent as it is.",
           [](settings& s, setting_value&& v) { s.websockets.compression_threshold = v.number; }),
    number("WebSockets:MaxCompressionMemory", "67108864", 0, tebibyte,
           "The bytes that the contexts of all WebSockets of one event loop may hold; beyond them they do without.",
           [](settings& s, setting_value&& v) { s.websockets.max_compression_memory = v.number; }),
}};

std::string duration_as_text(const setting_row& row, std::uint64_t count) {
  return format_duration(unit_of(row) * static_cast<std::int64_t>(count));
}

// The cells "type" and "default" of a row.
std::string value_cell(const setting_row& row) {
  switch (row.kind) {
    case setting_kind::text:
      return "text";
    case setting_kind::choice: {
      std::string cell;
      for (const std::string_view word : choices_of(row))
        cell += (cell.empty() ? "`" : ", `") + std::string(word) + "`";
      return cell;
    }
    case setting_kind::whole_number:
      return "number, " + std::to_string(row.minimum) + " to " + std::to_string(row.maximum);
    case setting_kind::number_or_auto:
      return "`auto`, or a number, " + std::to_string(row.minimum) + " to " + std::to_string(row.maximum);
    case setting_kind::boolean:
    case setting_kind::path_switches:
      return "`true`, `false`";
    case setting_kind::duration:
    case setting_kind::fine_duration:
      return "duration, `" + duration_as_text(row, row.minimum) + "` to `" + duration_as_text(row, row.maximum) + "`";
    case setting_kind::list:
      return "list of texts";
  }
  return {};
}

std::string default_cell(const setting_row& row) {
  if (row.name.ends_with(":SslProtocols")) return "both";
  if (row.kind == setting_kind::list) return "`[]`";
  return row.default_text.empty() ? std::string() : "`" + std::string(row.default_text) + "`";
}

}  // namespace

std::span<const setting_row> setting_table() { return rows; }

std::chrono::nanoseconds unit_of(const setting_row& row) noexcept {
  if (row.kind == setting_kind::fine_duration) return std::chrono::microseconds(1);
  return std::chrono::milliseconds(1);
}

std::vector<std::string_view> choices_of(const setting_row& row) {
  std::vector<std::string_view> words;
  for (std::string_view rest = row.choices; !rest.empty();) {
    const std::size_t bar = rest.find('|');
    words.push_back(rest.substr(0, bar));
    rest = bar == std::string_view::npos ? std::string_view() : rest.substr(bar + 1);
  }
  return words;
}

std::string expected_value(const setting_row& row) {
  switch (row.kind) {
    case setting_kind::text:
      return "text";
    case setting_kind::choice: {
      std::string words;
      for (const std::string_view word : choices_of(row)) words += (words.empty() ? "" : ", ") + std::string(word);
      return "one of " + words;
    }
    case setting_kind::whole_number:
      return "a whole number from " + std::to_string(row.minimum) + " to " + std::to_string(row.maximum);
    case setting_kind::number_or_auto:
      return "auto or a whole number from " + std::to_string(row.minimum) + " to " + std::to_string(row.maximum);
    case setting_kind::boolean:
    case setting_kind::path_switches:
      return "true or false";
    case setting_kind::duration:
    case setting_kind::fine_duration:
      return "a duration (hours:minutes:seconds) from " + duration_as_text(row, row.minimum) + " to " +
             duration_as_text(row, row.maximum) +
             (row.kind == setting_kind::duration ? ""
                                                 : " in whole microseconds, such as 00:00:00.00005 for 50 of them");
    case setting_kind::list:
      return "a list of texts (in a file [...], elsewhere the keys 0, 1, 2 ...)";
  }
  return {};
}

std::string markdown_table_of_keys() {
  std::string table = "| Key | Value | Default | Meaning |\n|---|---|---|---|\n";
  for (const setting_row& row : rows)
    table += "| `Windhover:" + std::string(row.name) + "` | " + value_cell(row) + " | " + default_cell(row) + " | " +
             std::string(row.meaning) + " |\n";
  return table;
}

}  // namespace windhover::hosting
