// web_application: configuration, a pipeline, and the server that runs it.
//
//   int main(int argc, char* argv[]) {
//     wh::web_application app(argc, argv);
//     app.use_websockets();
//     app.map_websocket("/ws", echo);
//     return app.run();
//   }
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <windhover/configuration.hpp>
#include <windhover/embedded_file.hpp>
#include <windhover/http_context.hpp>
#include <windhover/https_options.hpp>
#include <windhover/https_policy_options.hpp>
#include <windhover/logger.hpp>
#include <windhover/server_counters.hpp>
#include <windhover/static_file_options.hpp>
#include <windhover/task.hpp>
#include <windhover/websocket.hpp>
#include <windhover/websocket_options.hpp>

namespace windhover {

namespace http {
class exchange;
}
namespace hosting {
class pipeline;
struct application_access;
}  // namespace hosting

// The rest of the pipeline, as a middleware sees it.
class next_middleware {
 public:
  // Runs what comes behind; once.
  task<> operator()() const;

 private:
  friend class hosting::pipeline;
  next_middleware(const hosting::pipeline& in, http_context& context, std::size_t index) noexcept
      : pipeline_(in), context_(context), index_(index) {}
  const hosting::pipeline& pipeline_;
  http_context& context_;
  std::size_t index_;
};

using middleware = std::function<task<>(http_context&, next_middleware)>;
using request_handler = std::function<task<>(http_context&)>;
using websocket_handler = std::function<task<>(websocket&, const http_context&)>;

// Options of map_websocket.
struct websocket_endpoint_options {
  // What the endpoint speaks, best first. The first one that the client offers is chosen; a client that offers none of
  // them is served without. Empty: no sub-protocol.
  std::vector<std::string> sub_protocols = {};
  // Refuses a client that offers none of sub_protocols, with 400.
  bool requires_sub_protocol = false;
  // A look at the request before accepting. It lets the request pass, or sets a response (a status of at least 300) and
  // so refuses it. Throwing refuses it with 500.
  std::function<task<>(http_context&)> before_accept = {};
  // Instead of those of use_websockets.
  std::optional<std::chrono::milliseconds> keep_alive_interval = {};
  std::optional<std::chrono::milliseconds> keep_alive_timeout = {};
  std::optional<std::size_t> max_message_size = {};
  std::optional<bool> dangerous_enable_compression = {};  // see the warning there
  std::optional<bool> disable_server_context_takeover = {};
  std::optional<bool> disable_client_context_takeover = {};
  std::optional<int> server_max_window_bits = {};
  std::optional<int> client_max_window_bits = {};
};

// A server and its application. Set up on one thread, then run; every function but stop() is for that thread. Handlers
// run on the event loops' threads, each connection's always on the same one.
class web_application {
 public:
  // Reads the configuration: appsettings.json and appsettings.{Environment}.json of the current folder, environment
  // variables, and the command line. An error in it is not thrown but kept: run() reports it and returns 1.
  web_application(int argc, const char* const* argv);
  // The same from sources of the caller's.
  explicit web_application(const configuration_sources& sources);
  web_application() : web_application(0, nullptr) {}
  web_application(const web_application&) = delete;
  web_application& operator=(const web_application&) = delete;
  // Stops, when it is running.
  ~web_application();

  const windhover::configuration& configuration() const noexcept;
  // Never null. The console's, unless use_logger has set another; that one must outlive the application.
  logger& log() const noexcept;
  void use_logger(logger& own) noexcept;

  // How https:// URLs are served, where the configuration (Windhover:Endpoints, Windhover:Certificates) says nothing
  // else; without certificates in either, with the development certificate. Throws std::invalid_argument when the
  // options leave no version of TLS.
  //
  //   app.use_https({.certificate = {.certificate = "example.pem", .key = "example.key"}});
  void use_https(https_options options);

  // ----- The pipeline: what is added first sees a request first and its response last.

  void use(middleware added);
  // Answers requests whose Host field names none of these with 400: "example.com", "*.example.com" for its subdomains,
  // an address (IPv6 in brackets), "*" for any; without ports. It keeps pages away that reach this server by a name of
  // their own (DNS rebinding). Requests without a host pass. The key Windhover:AllowedHosts takes its place, and is
  // looked at before everything else. Throws std::invalid_argument that names the entry.
  void use_host_filtering(std::vector<std::string> hosts);
  // Sends every request that came without TLS to the https address, WebSocket requests like others, which most clients
  // of WebSockets do not follow. Without a port in the options it is that of the application's https addresses; when
  // there is none, or they have several, the first request is warned of in the log and none is redirected. Throws
  // std::invalid_argument for a status that redirects nobody.
  void use_https_redirection(https_redirection_options options = {});
  // Tells browsers that came over TLS to come so from now on (HTTP Strict Transport Security, RFC 6797). Throws
  // std::invalid_argument for a negative age.
  void use_hsts(hsts_options options = {});
  // Makes WebSocket requests recognisable for everything behind it. The first one wins. Keys of the configuration
  // (Windhover:WebSockets) go before these options.
  void use_websockets(websocket_options options = {});
  // Serves files of a folder, below the content root unless it is absolute, with "/" as index.html. Without a folder it
  // is the configuration's web root (Windhover:WebRoot, or else "wwwroot"). A folder that is not there is an error at
  // the start.
  void use_static_files();
  void use_static_files(std::filesystem::path root);
  void use_static_files(static_file_options options);
  // Serves files that are compiled into the program.
  void use_embedded_files(std::vector<embedded_file> files);

  // ----- Endpoints, tried when the pipeline has come to its end. Patterns have literal segments, "{name}" for one
  // segment and
  // "{*name}" for the rest. Letters compare without regard to case; the most literal pattern wins.

  // Every method.
  void map(std::string_view pattern, request_handler handler) { map_methods({}, pattern, std::move(handler)); }
  // GET and HEAD.
  void map_get(std::string_view pattern, request_handler handler) {
    map_methods({"GET", "HEAD"}, pattern, std::move(handler));
  }
  void map_post(std::string_view pattern, request_handler handler) {
    map_methods({"POST"}, pattern, std::move(handler));
  }
  void map_methods(std::vector<std::string> methods, std::string_view pattern, request_handler handler);
  // A WebSocket endpoint. The handler takes (websocket&) or (websocket&, const http_context&). The socket is closed
  // with 1000 when it returns (1001 when the application is stopping), with 1011 and a line in the log when it throws.
  // A request that is no WebSocket request is answered with 426 when it names versions without 13, with 400 otherwise.
  template <class Handler>
  void map_websocket(std::string_view pattern, Handler handler) {
    map_websocket(pattern, websocket_endpoint_options{}, std::move(handler));
  }
  template <class Handler>
  void map_websocket(std::string_view pattern, websocket_endpoint_options options, Handler handler) {
    if constexpr (std::is_invocable_r_v<task<>, Handler&, websocket&, const http_context&>) {
      add_websocket(pattern, std::move(options), websocket_handler(std::move(handler)), nullptr);
    } else {
      static_assert(std::is_invocable_r_v<task<>, Handler&, websocket&>,
                    "a WebSocket handler takes (websocket&) or (websocket&, const http_context&) and returns task<>");
      add_websocket(pattern, std::move(options), nullptr, std::move(handler));
    }
  }

  // ----- Running

  // Starts, serves until SIGINT or SIGTERM (or stop()), and stops gracefully. The exit code for main: 0, or 1 when it
  // could not start or handlers were still running at the end. Why it could not start is said in one line on the
  // standard error, or to the logger of use_logger; handlers that stay are named in the log. A second signal ends the
  // process.
  //
  // Stopping goes in this order: listeners are closed; stopping() is stopped; WebSockets are closed with 1001, idle
  // connections ended, requests finished; after the shutdown timeout (Windhover:ShutdownTimeout) what is left is
  // aborted, and a few seconds later what still runs is left behind.
  int run();
  // The same in steps, without signals. start() returns when every URL is listened on; it throws std::runtime_error or
  // configuration_error when that cannot be done, std::logic_error when it was started before.
  void start();
  // Any thread: begins to stop.
  void stop() noexcept;
  // Waits for stop(), stops, and returns run()'s exit code. Throws std::logic_error when it was not started.
  int wait();

  // Reads the files of certificates again, and serves new connections with what they hold; those that are open are not
  // touched. The same happens when a file changes, and run() does it on SIGHUP. False when a certificate could not be
  // used, which the log explains; the old one stays. Any thread, while the application runs.
  bool reload_certificates();
  // What the server has seen since it was started; zeros before. Any thread, also after it has stopped.
  server_counters counters() const;
  // What is listened on, with the ports that were chosen: "http://127.0.0.1:40123".
  std::vector<std::string> urls() const;
  // Stopped when the application begins to stop, once nobody listens any more.
  std::stop_token stopping() const noexcept;

 private:
  friend struct hosting::application_access;
  struct state;

  std::function<task<>(http::exchange&)> make_ready();
  void watch_certificates();
  // One of the two handlers is set.
  void add_websocket(std::string_view pattern, websocket_endpoint_options options, websocket_handler with_context,
                     std::function<task<>(websocket&)> without_context);

  std::unique_ptr<state> state_;
};

}  // namespace windhover
