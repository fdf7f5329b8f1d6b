#include "serve.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "echo_page.hpp"
#include "hosting/configuration_values.hpp"
#include "protocols_option.hpp"
#include <windhover/windhover.hpp>

namespace windhover::tool {
namespace {

struct serve_options {
  std::string root;
  std::string urls = "http://localhost:5000";
  certificate_files certificate;
  std::string engine;
  http_protocols protocols = http_protocols::http1_and_http2;
  bool verbose = false;
  unsigned threads = 0;
  unsigned busy_poll = 0;  // microseconds
  std::size_t max_message_size = std::size_t{64} << 20;
  bool compress = false;
  std::vector<std::string> allowed_origins;
  bool same_origin = false;
  std::vector<std::string> allowed_hosts;
};

task<> echo(websocket& socket) {
  while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

// What anybody on the path says, all on it hear.
task<> broadcast(topics& everybody, websocket& socket) {
  everybody.subscribe(socket, "everybody");
  while (auto message = co_await socket.receive()) everybody.publish("everybody", *message);
}

int serve(const serve_options& options) {
  // The tool does what its command line says: no appsettings.json of the folder that it happens to run in, no
  // environment.
  configuration_sources sources;
  sources.arguments = {"--urls", options.urls, "--threads", std::to_string(options.threads)};
  if (!options.engine.empty()) {
    sources.arguments.push_back("--engine");
    sources.arguments.push_back(options.engine);
  }
  if (options.busy_poll > 0) {
    sources.arguments.push_back("--Windhover:BusyPoll");
    sources.arguments.push_back(hosting::format_duration(std::chrono::microseconds(options.busy_poll)));
  }
  if (options.verbose) {
    sources.arguments.push_back("--log-level");
    sources.arguments.push_back("debug");
  }
  sources.read_files = false;
  web_application app(sources);
  https_options https;
  https.protocols = options.protocols;
  https.certificate = options.certificate;
  for (std::string* const path : {&https.certificate.certificate, &https.certificate.key})
    if (!path->empty()) *path = std::filesystem::absolute(*path).string();
  app.use_https(https);
  websocket_options websockets;
  websockets.max_message_size = options.max_message_size;
  // An echo holds nothing that its client does not know. Every message is compressed, so that clients can be tried.
  websockets.dangerous_enable_compression = options.compress;
  websockets.compression_threshold = 0;
  websockets.allowed_origins = options.allowed_origins;
  websockets.same_origin = options.same_origin;
  if (!options.allowed_hosts.empty()) app.use_host_filtering(options.allowed_hosts);
  app.use_websockets(websockets);
  if (options.root.empty()) {
    app.use_embedded_files({{.path = "/index.html", .content_type = "text/html; charset=utf-8", .content = echo_page}});
  } else {
    app.use_static_files(std::filesystem::absolute(options.root));
  }
  app.map_websocket("/ws", echo);
  topics everybody;
  app.map_websocket("/broadcast", [&everybody](websocket& socket) { return broadcast(everybody, socket); });
  return app.run();
}

}  // namespace

std::function<int()> add_serve(CLI::App& app) {
  const auto options = std::make_shared<serve_options>();
  CLI::App* const command =
      app.add_subcommand("serve", "Serve a WebSocket echo on /ws, what is said to everybody on /broadcast, and files");
  command->add_option("--root", options->root, "Folder with the files to serve; the echo page when left out");
  command->add_option("--urls", options->urls, "Where to listen, separated by ';'")->capture_default_str();
  CLI::Option* const certificate =
      command
          ->add_option("--certificate", options->certificate.certificate,
                       "File with the certificate for https URLs, PEM or PKCS#12; that of dev-certs when left out")
          ->check(CLI::ExistingFile);
  command->add_option("--key", options->certificate.key, "PEM file with its private key, when it is not in the same")
      ->check(CLI::ExistingFile)
      ->needs(certificate);
  command
      ->add_option("--certificate-password", options->certificate.password, "Password of the key or the PKCS#12 file")
      ->needs(certificate);
  add_protocols_option(*command, options->protocols, "the client chooses");
  command->add_flag("--verbose", options->verbose, "Log every WebSocket that is opened, and more");
  command->add_option("--engine", options->engine, "The I/O engine; the best one when left out")
      ->check(CLI::IsMember({"io_uring", "epoll"}));
  command->add_option("--threads", options->threads, "Event loops; 0 for one a core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command
      ->add_option("--busy-poll", options->busy_poll,
                   "Microseconds to look for the next event before sleeping; costs a core for each event loop")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  command->add_option("--max-message-size", options->max_message_size, "Bytes; 0 for no limit")->capture_default_str();
  command->add_flag("--compress", options->compress, "Compress messages for clients that offer permessage-deflate");
  command->add_option("--allowed-origin", options->allowed_origins,
                      "Origin whose pages may open WebSockets, such as https://example.com; all when left out");
  command->add_flag("--same-origin", options->same_origin, "Let only pages of this server open WebSockets");
  command->add_option("--allowed-host", options->allowed_hosts,
                      "Host that requests may be for, such as example.com or *.example.com; all when left out");
  return [options] { return serve(*options); };
}

}  // namespace windhover::tool
