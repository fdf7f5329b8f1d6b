#include <algorithm>
#include <cstdio>
#include <exception>
#include <optional>
#include <stdexcept>

#include "hosting/allowed_hosts.hpp"
#include "hosting/application_access.hpp"
#include "hosting/certificate_watch.hpp"
#include "hosting/console_logger.hpp"
#include "hosting/counter_board.hpp"
#include "hosting/https_middleware.hpp"
#include "hosting/open_file_limit.hpp"
#include "hosting/pipeline.hpp"
#include "hosting/served_endpoints.hpp"
#include "hosting/server.hpp"
#include "hosting/settings.hpp"
#include "hosting/stop_signal.hpp"
#include "hosting/websocket_endpoint.hpp"
#include "hosting/websocket_feature.hpp"
#include "http/static_files.hpp"
#include "websocket/accept.hpp"
#include "wire/websocket/handshake.hpp"
#include <windhover/web_application.hpp>

namespace windhover {

struct web_application::state {
  void end_watch() noexcept {
    reload_signal.reset();
    certificates.reset();
  }

  windhover::configuration configuration;
  hosting::settings settings;
  std::exception_ptr failure;  // of the configuration, reported when the application starts
  std::optional<hosting::console_logger> console;
  logger* log = nullptr;
  hosting::counter_board counters;
  hosting::pipeline pipeline;
  std::vector<std::unique_ptr<const hosting::websocket_feature>> features;
  std::vector<std::function<void()>> at_start;  // what can only be checked then
  std::vector<std::unique_ptr<http::static_files>> files;
  https_options https;
  std::unique_ptr<hosting::served_endpoints> endpoints;
  std::unique_ptr<hosting::server> server;
  std::unique_ptr<hosting::certificate_watch> certificates;  // of an application with https
  std::optional<hosting::certificate_watch::from_signal> reload_signal;
  bool takes_signals = false;    // those of the process are for this application: run() was called
  bool runs_elsewhere = false;   // on a loop of somebody else's
  std::optional<int> exit_code;  // once it has been stopped
  std::vector<std::string> urls;
  std::optional<std::uint16_t> https_port;  // of the URLs
  hosting::stop_signal stop_requested;
  std::stop_source stopping;
};

namespace {

configuration_sources sources_of(int argc, const char* const* argv) {
  configuration_sources sources;
  for (int i = 1; i < argc; ++i) sources.arguments.emplace_back(argv[i]);
  sources.environment = process_environment();
  return sources;
}

middleware host_filter(hosting::allowed_hosts hosts) {
  return [hosts = std::move(hosts)](http_context& context, next_middleware next) {
    if (hosts.allows(context.request().header("Host").value_or(""))) return next();
    ++hosting::counters_of(context).hosts_refused;
    http_response& response = context.response();
    response.status(400);
    response.content_type("text/plain; charset=utf-8");
    static_cast<void>(response.write("this host is not served here"));
    return hosting::done();
  };
}

std::uint64_t open_files_of(const hosting::settings& settings) noexcept {
  return settings.raise_open_file_limit ? hosting::raise_open_file_limit() : hosting::open_file_limit();
}

// Descriptors are what connections run out of first. Closing those that would take the last ones leaves some for what
// the handlers do.
void limit_connections(hosting::settings& settings, logger& log) {
  const std::uint64_t files = open_files_of(settings);
  std::optional<std::uint64_t>& most = settings.limits.max_connections;
  if (!most) most = hosting::connections_within(files);
  log.write(log_level::debug, "hosting",
            "The process may open " + std::to_string(files) + " files; connections: " +
                (*most == 0 ? std::string("any number") : "at most " + std::to_string(*most)));
}

task<> serve_file(const http::static_files& files, http::exchange& exchange, next_middleware next) {
  const bool served = co_await files.serve(exchange);
  if (!served) co_await next();
}

// A request that may leave HTTP passes by without a frame, which would last as long as its WebSocket. Only where no
// endpoint waits for it, it is served as the GET that it is as well.
bool may_be_for_file(const http::static_files& files, const http::exchange& exchange, const hosting::pipeline& before) {
  if (files.may_serve(exchange)) return true;
  const http_request& request = exchange.request();
  return exchange.upgradable() && request.method() == "GET" && !before.has_endpoint(request);
}

}  // namespace

web_application::web_application(int argc, const char* const* argv) : web_application(sources_of(argc, argv)) {}

web_application::web_application(const configuration_sources& sources) : state_(std::make_unique<state>()) {
  log_level minimum = log_level::information;
  try {
    state_->configuration = configuration::load(sources);
    state_->settings = hosting::read_settings(state_->configuration);
    minimum = state_->settings.minimum_log_level;
  } catch (...) {
    state_->failure = std::current_exception();
  }
  state_->console.emplace(minimum);
  state_->log = &*state_->console;
}

web_application::~web_application() {
  if (state_->server) {
    stop();
    wait();
  }
  // Handlers that were left behind refer to it.
  if (state_->exit_code.value_or(0) != 0) static_cast<void>(state_.release());
}

const configuration& web_application::configuration() const noexcept { return state_->configuration; }
logger& web_application::log() const noexcept { return *state_->log; }
void web_application::use_logger(logger& own) noexcept { state_->log = &own; }

void web_application::use_https(https_options options) {
  if (options.least_version > options.most_version)
    throw std::invalid_argument("https_options: least_version is newer than most_version");
  state_->https = std::move(options);
}

void web_application::use(middleware added) { state_->pipeline.add(std::move(added)); }

void web_application::use_host_filtering(std::vector<std::string> hosts) {
  if (state_->configuration.find("Windhover:AllowedHosts")) return;
  use(host_filter(hosting::allowed_hosts(std::move(hosts))));
}

void web_application::use_https_redirection(https_redirection_options options) {
  use(hosting::https_redirection(
      options, [&all = *state_] { return all.https_port; }, [&all = *state_]() -> logger& { return *all.log; }));
}

void web_application::use_hsts(hsts_options options) { use(hosting::hsts(std::move(options))); }

void web_application::use_websockets(websocket_options options) {
  if (state_->failure) return;
  try {
    state_->features.push_back(std::make_unique<const hosting::websocket_feature>(
        hosting::websocket_feature::make(std::move(options), state_->configuration, state_->settings.websockets)));
  } catch (const configuration_error&) {
    state_->failure = std::current_exception();
    return;
  }
  const hosting::websocket_feature& feature = *state_->features.back();
  const bool checks_origins = feature.options.same_origin || !feature.options.allowed_origins.empty();
  use([&feature, checks_origins](http_context& context, next_middleware next) {
    if (context.websockets_.feature_ == nullptr) {
      context.websockets_.feature_ = &feature;
      if (checks_origins && context.websockets_.is_websocket_request() &&
          !is_origin_allowed(context.exchange_, feature.options)) {
        ++hosting::counters_of(context).origins_refused;
        context.response().status(403);
        return hosting::done();
      }
    }
    return next();
  });
}

void web_application::use_static_files() { use_static_files(std::filesystem::absolute(state_->settings.web_root)); }

void web_application::use_static_files(std::filesystem::path root) {
  static_file_options options;
  options.root = root.string();
  use_static_files(std::move(options));
}

void web_application::use_static_files(static_file_options options) {
  if (state_->failure) return;
  const std::filesystem::path root = state_->settings.content_root / options.root;
  options.root = root.string();
  // The folder is looked for when the application starts, so that its absence is one clear line.
  const std::size_t index = state_->files.size();
  state_->files.emplace_back();
  state_->at_start.push_back([&all = *state_, index, options = std::move(options)]() mutable {
    if (options.max_open_files == 0) options.max_open_files = hosting::static_files_within(open_files_of(all.settings));
    try {
      all.files[index] = std::make_unique<http::static_files>(options);
    } catch (const std::system_error& error) {
      throw std::runtime_error("the web root '" + options.root + "' cannot be served: " + error.code().message());
    }
  });
  use([&all = *state_, index](http_context& context, next_middleware next) {
    const http::static_files& served = *all.files[index];
    if (!may_be_for_file(served, context.exchange_, all.pipeline)) return next();
    return serve_file(served, context.exchange_, next);
  });
}

void web_application::use_embedded_files(std::vector<embedded_file> files) {
  state_->files.push_back(std::make_unique<http::static_files>(files));
  const http::static_files& served = *state_->files.back();
  use([&served, &all = *state_](http_context& context, next_middleware next) {
    if (!may_be_for_file(served, context.exchange_, all.pipeline)) return next();
    return serve_file(served, context.exchange_, next);
  });
}

void web_application::map_methods(std::vector<std::string> methods, std::string_view pattern, request_handler handler) {
  state_->pipeline.routes().add(std::move(methods), pattern, std::move(handler));
}

void web_application::add_websocket(std::string_view pattern, websocket_endpoint_options options,
                                    websocket_handler with_context, std::function<task<>(websocket&)> without_context) {
  auto endpoint = std::make_shared<const hosting::websocket_endpoint>(
      std::string(pattern), std::move(options), std::move(with_context), std::move(without_context), state_->log);
  map(pattern, [endpoint = std::move(endpoint)](http_context& context) { return endpoint->serve(context); });
}

// What is checked before anybody listens.
http::request_handler web_application::make_ready() {
  if (state_->server || state_->runs_elsewhere || state_->exit_code)
    throw std::logic_error("the application was started already, which can be done once");
  if (state_->failure) std::rethrow_exception(state_->failure);
  for (const auto& each : state_->at_start) each();
  // Before everything else, as ASP.NET Core has it.
  hosting::allowed_hosts hosts(state_->settings.allowed_hosts);
  if (!hosts.any()) state_->pipeline.add_first(host_filter(std::move(hosts)));
  return [&all = *state_](http::exchange& exchange) { return all.pipeline.serve(exchange, *all.log); };
}

void web_application::start() {
  http::request_handler handler = make_ready();
  limit_connections(state_->settings, *state_->log);
  state_->endpoints = std::make_unique<hosting::served_endpoints>(state_->settings, state_->https, *state_->log);
  state_->server = std::make_unique<hosting::server>(state_->settings, state_->endpoints->all(), *state_->log,
                                                     state_->counters, std::move(handler));
  std::vector<std::string> lines;
  try {
    state_->server->listen();
    state_->urls = state_->server->urls();
    state_->https_port = hosting::https_port_of(state_->urls);
    if (state_->endpoints->has_tls()) watch_certificates();
    for (const std::string& each : state_->urls) lines.push_back("Now listening on: " + each);
    lines.emplace_back("Application started. Press Ctrl+C to shut down.");
    lines.push_back("Hosting environment: " + state_->settings.environment);
    // Behind it there is nothing that may fail: nobody would stop what runs.
    state_->server->start();
  } catch (...) {
    state_->end_watch();
    state_->server.reset();
    throw;
  }
  for (const std::string& each : lines) state_->log->write(log_level::information, "hosting", each);
}

void web_application::watch_certificates() {
  using hosting::served_endpoints;
  served_endpoints& endpoints = *state_->endpoints;
  hosting::certificate_watch::callbacks tell;
  tell.files_may_have_changed = [&endpoints] {
    static_cast<void>(endpoints.reload_certificates(served_endpoints::reload::changed));
  };
  tell.told_by_signal = [&endpoints] {
    static_cast<void>(endpoints.reload_certificates(served_endpoints::reload::all));
  };
  tell.terminal_has_gone = [this] { stop(); };
  state_->certificates = std::make_unique<hosting::certificate_watch>(endpoints.files(), std::move(tell));
  if (state_->takes_signals) state_->reload_signal.emplace(*state_->certificates);
}

bool web_application::reload_certificates() {
  return !state_->endpoints || state_->endpoints->reload_certificates(hosting::served_endpoints::reload::all);
}

void web_application::stop() noexcept { state_->stop_requested.request(); }

int web_application::wait() {
  if (state_->exit_code) return *state_->exit_code;
  if (!state_->server) throw std::logic_error("the application was not started: call start() before wait()");
  state_->stop_requested.wait();
  state_->log->write(log_level::information, "hosting", "Application is shutting down...");
  state_->server->stop_listening();
  state_->stopping.request_stop();
  const bool clean = state_->server->stop();
  // Behind the server, which must not wait for files that are slow to read.
  state_->end_watch();
  // Handlers that stay refer to what they were started with.
  if (!clean) static_cast<void>(state_->server.release());
  state_->server.reset();
  state_->exit_code = clean ? 0 : 1;
  return *state_->exit_code;
}

int web_application::run() {
  try {
    const hosting::stop_signal::from_signals signals(state_->stop_requested);
    state_->takes_signals = true;
    start();
    return wait();
  } catch (const std::exception& error) {
    if (state_->log == &*state_->console) {
      std::fprintf(stderr, "%s\n", error.what());
    } else {
      state_->log->write(log_level::critical, "hosting", error.what());
    }
    return 1;
  }
}

hosting::application_parts hosting::application_access::open(web_application& application) {
  http::request_handler handler = application.make_ready();
  web_application::state& all = *application.state_;
  all.runs_elsewhere = true;
  return {all.settings, *all.log, all.counters, std::move(handler), all.stop_requested, all.stopping};
}

void hosting::application_access::close(web_application& application, bool clean) noexcept {
  application.state_->exit_code = clean ? 0 : 1;
}

std::vector<std::string> web_application::urls() const { return state_->urls; }
server_counters web_application::counters() const { return state_->counters.read(); }
std::stop_token web_application::stopping() const noexcept { return state_->stopping.get_token(); }

}  // namespace windhover
