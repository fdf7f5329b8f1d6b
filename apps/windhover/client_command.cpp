#include "client_command.hpp"

#include <chrono>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

#include "printable.hpp"
#include "protocols_option.hpp"

namespace windhover::tool {
namespace {

// "Name: value", as curl has it.
headers headers_of(const std::vector<std::string>& lines) {
  headers made;
  for (const std::string& line : lines) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos)
      throw std::invalid_argument("'" + line + "' is no header; write it as 'Name: value'");
    const std::size_t value = line.find_first_not_of(" \t", colon + 1);
    made.add(std::string_view(line).substr(0, colon),
             value == std::string::npos ? std::string_view() : std::string_view(line).substr(value));
  }
  return made;
}

websocket_client_options options_of(const client_command_options& from) {
  websocket_client_options made;
  made.sub_protocols = from.sub_protocols;
  made.request_headers = headers_of(from.headers);
  made.origin = from.origin;
  made.proxy = from.proxy;
  made.tls = from.tls;
  made.protocols = from.protocols;
  made.connect_timeout = std::chrono::seconds(from.connect_timeout);
  made.max_message_size = from.max_message_size;
  // Every message is compressed, so that servers can be tried.
  made.dangerous_enable_compression = from.compress;
  made.compression_threshold = 0;
  if (!from.keep_alive) made.keep_alive_interval = std::chrono::milliseconds(0);
  return made;
}

io_engine engine_of(const std::string& name) {
  if (name == "io_uring") return io_engine::io_uring;
  return name == "epoll" ? io_engine::epoll : io_engine::automatic;
}

// What the server said, for people: the body only when it is short and text.
void report(const websocket_connect_error& error) {
  say("windhover: " + printable(error.what()));
  const std::string& body = error.response().body;
  if (!body.empty() && body.size() <= 1000) say(printable(body));
}

}  // namespace

void say(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

std::string close_text(const websocket& socket) {
  const auto status = socket.close_status();
  if (!status) return "still open";
  std::string text = std::to_string(static_cast<int>(*status));
  if (*status == close_code::no_status_received) text += " (without a code)";
  if (*status == close_code::abnormal_closure) text += " (the connection was lost)";
  if (!socket.close_reason().empty()) text += " '" + printable(socket.close_reason()) + "'";
  return text;
}

void add_client_options(CLI::App& command, client_command_options& options) {
  command.add_option("url", options.url, "ws://host:port/path, wss://host:port/path, or ws://unix:/run/app.sock:/path")
      ->required();
  command.add_option("--subprotocol", options.sub_protocols, "A sub-protocol to offer; may be given several times")
      ->allow_extra_args(false);
  command.add_option("--header", options.headers, "A header to send, as 'Name: value'; may be given several times")
      ->allow_extra_args(false);
  command.add_option("--origin", options.origin, "The Origin to name, as https://example.com");
  command.add_option("--proxy", options.proxy, "An HTTP proxy to go through, as http://user:password@host:port");
  command.add_option("--authorities", options.tls.authorities,
                     "For wss: a PEM file with the authorities to trust instead of the system's");
  command.add_option("--server-name", options.tls.server_name,
                     "For wss: the name that the server's certificate must be for; the URL's host when left out");
  command.add_option("--certificate", options.tls.certificate.certificate,
                     "For wss: the client's own certificate, a PEM or PKCS#12 file");
  command.add_option("--key", options.tls.certificate.key, "Its private key, a PEM file, where it is in none of them");
  command.add_option("--certificate-password", options.tls.certificate.password, "Of the key or the PKCS#12 file");
  command.add_flag("--insecure", options.tls.dangerous_accept_any_certificate,
                   "For wss: do not look at the server's certificate");
  add_protocols_option(command, options.protocols, "the server chooses over TLS; http1 when left out");
  command.add_option("--connect-timeout", options.connect_timeout, "Seconds; 0 for no limit")
      ->check(CLI::Range(0, 86400))
      ->capture_default_str();
  command.add_option("--max-message-size", options.max_message_size, "Bytes; 0 for no limit")->capture_default_str();
  command.add_flag("--compress", options.compress,
                   "Offer permessage-deflate, and compress messages where it is agreed");
  command.add_option("--engine", options.engine, "The I/O engine; the best one when left out")
      ->check(CLI::IsMember({"io_uring", "epoll"}));
}

int run_client(const client_command_options& options, const std::function<task<int>(websocket&)>& handler) {
  try {
    event_loop_thread loop({.engine = engine_of(options.engine)});
    const websocket_client client(options_of(options));
    return loop.run([&]() -> task<int> {
      websocket socket = co_await client.connect(options.url);
      co_return co_await handler(socket);
    });
  } catch (const websocket_connect_error& error) {
    report(error);
  } catch (const std::exception& error) {
    say("windhover: " + printable(error.what()));
  }
  return 1;
}

}  // namespace windhover::tool
