#include "hosting/server.hpp"

#include <algorithm>
#include <future>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "net/remaining_connections.hpp"

namespace windhover::hosting {
namespace {

using std::chrono::milliseconds;

// For a loop that is free to do what it is told at once.
constexpr milliseconds soon = std::chrono::seconds(1);

net::engine_kind kind_of(engine_choice choice) noexcept {
  switch (choice) {
    case engine_choice::io_uring:
      return net::engine_kind::io_uring;
    case engine_choice::epoll:
      return net::engine_kind::epoll;
    case engine_choice::automatic:
      return net::engine_kind::automatic;
  }
  return net::engine_kind::automatic;
}

// Whoever sees a busy processor finds the reason in the log.
std::string told(std::chrono::microseconds busy_poll) {
  if (busy_poll == std::chrono::microseconds::zero()) return {};
  return ", looking for events for " + std::to_string(busy_poll.count()) + " us before sleeping";
}

}  // namespace

struct server::loop_thread {
  using order = net::mailbox::prepared;

  loop_thread(server& of, net::chosen_engine engine, net::event_loop_options options)
      : owner(of), loop(std::move(engine.engine), options) {
    site.emplace(loop, of.settings_, of.limits_, of.log_, of.counters_, of.handler_);
  }

  server& owner;
  std::optional<loop_server> site;  // outlives the loop's connections
  net::event_loop loop;
  bool given_up = false;
  std::thread thread;

  // What it is told at its end, each once. Prepared, so that a server without memory can be stopped.
  order stop_listening = net::mailbox::prepare([this] {
    site->stop_listening();
    owner.count(owner.deaf_);
  });
  order drain = net::mailbox::prepare([this] {
    site->stop_listening();
    site->drain();
  });
  order abort = net::mailbox::prepare([this] { loop.abort_all(); });
  order give_up = net::mailbox::prepare([this] {
    net::log_remaining_connections(loop, "hosting", "still running after the shutdown: ");
    given_up = true;
  });
};

server::server(const settings& from, const std::vector<served_endpoint>& endpoints, logger& log,
               counter_board& counters, http::request_handler handler)
    : settings_(from),
      endpoints_(endpoints),
      log_(log),
      counters_(counters),
      limits_(from.limits),
      handler_(std::move(handler)) {}

server::~server() { stop(); }

void server::listen() {
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t count = settings_.threads == 0 ? cores : settings_.threads;
  workers_ = std::make_unique<net::worker_pool>(net::worker_pool::options{.threads = std::max<std::size_t>(4, cores)});
  net::event_loop_options options;
  options.inbound_budget = settings_.limits.inbound_budget;
  options.log = &log_;
  options.workers = workers_.get();
  for (std::size_t i = 0; i < count; ++i) {
    net::chosen_engine engine = net::make_engine(kind_of(settings_.engine), settings_.busy_poll);
    if (i == 0) {
      log_.write(log_level::information, "net",
                 "Using the " + std::string(engine.engine->name()) + " engine (" + engine.reason + ") on " +
                     std::to_string(count) + (count == 1 ? " thread" : " threads") + told(settings_.busy_poll));
    }
    threads_.push_back(std::make_unique<loop_thread>(*this, std::move(engine), options));
  }
  for (const served_endpoint& each : endpoints_) listen_on(each);
}

void server::start() {
  if (threads_.empty()) listen();
  start_threads();
  started_ = true;
}

// No loop turns before there is a thread for each: a handler that runs could not be given up any more.
void server::start_threads() {
  std::promise<bool> all_started;
  const std::shared_future<bool> go = all_started.get_future().share();
  const auto give_up = [&] {
    all_started.set_value(false);
    for (const auto& each : threads_) {
      if (each->thread.joinable()) each->thread.join();
    }
  };
  try {
    for (const auto& each : threads_) {
      each->thread = std::thread([&self = *each, go] {
        if (go.get()) run(self);
      });
    }
    all_started.set_value(true);
  } catch (const std::system_error& error) {
    give_up();
    throw std::runtime_error("failed to start a thread for each of " + std::to_string(threads_.size()) +
                             " event loops: " + error.code().message());
  } catch (...) {
    give_up();
    throw;
  }
}

void server::listen_on(const served_endpoint& endpoint) {
  const listening_url& url = endpoint.url;
  const std::string shown = to_string(url);
  try {
    switch (url.kind) {
      case listening_kind::unix_path:
        listen_on(net::make_unix_address(url.path), endpoint);
        urls_.push_back(shown);
        return;
      case listening_kind::any:
        urls_.push_back(url.scheme + "://[::]:" + std::to_string(listen_on(net::make_any_address(url.port), endpoint)));
        return;
      case listening_kind::ip_address: {
        const std::string host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
        const std::uint16_t port = listen_on(net::make_ip_address(url.host, url.port), endpoint);
        urls_.push_back(url.scheme + "://" + host + ":" + std::to_string(port));
        return;
      }
      case listening_kind::localhost:
        listen_on(net::make_ip_address("127.0.0.1", url.port), endpoint);
        listen_on_ipv6_loopback(endpoint, shown);
        urls_.push_back(shown);
        return;
    }
  } catch (const std::system_error& error) {
    const std::string why =
        error.code() == std::errc::address_in_use ? "address already in use" : error.code().message();
    throw std::runtime_error("failed to bind to address " + shown + ": " + why);
  }
}

// A machine without IPv6 has no second loopback address. One where it is taken is an error.
void server::listen_on_ipv6_loopback(const served_endpoint& endpoint, const std::string& shown) {
  try {
    listen_on(net::make_ip_address("::1", endpoint.url.port), endpoint);
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::address_in_use) throw;
    log_.write(log_level::warning, "hosting",
               shown + " is listened on at 127.0.0.1 and not at [::1]: " + error.code().message());
  }
}

// Returns the port, which the kernel may have chosen.
std::uint16_t server::listen_on(const net::address& at, const served_endpoint& endpoint) {
  auto first = net::listening_socket::bind(at, threads_.size() > 1);
  const std::uint16_t port = first.local_endpoint().port;
  std::vector<net::listening_socket> sockets;
  for (std::size_t i = 1; i < threads_.size(); ++i) sockets.push_back(first.sibling());
  sockets.push_back(std::move(first));
  for (std::size_t i = 0; i < threads_.size(); ++i) threads_[i]->site->listen(std::move(sockets[i]), endpoint);
  return port;
}

void server::run(loop_thread& self) noexcept {
  do {
    self.loop.run_once(true);
    self.site->after_iteration();
  } while (!self.given_up && !self.site->ended());
  // Nobody waits for what is posted from now on.
  const net::event_loop::scope here(self.loop);
  self.loop.mailbox()->close();
  self.owner.count(self.owner.ended_);
}

void server::count(std::size_t& counted) {
  const std::lock_guard lock(mutex_);
  ++counted;
  changed_.notify_all();
}

void server::post_to_all(net::mailbox::prepared loop_thread::*order) noexcept {
  for (const auto& each : threads_) {
    if (net::mailbox::prepared letter = std::move((*each).*order))
      each->loop.mailbox()->post_prepared(std::move(letter));
  }
}

bool server::wait_until_all_are(std::size_t& counted, milliseconds time) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, time, [&] { return counted == threads_.size(); });
}

void server::name_those_that_stay() {
  post_to_all(&loop_thread::give_up);
  if (wait_until_all_are(ended_, soon)) return;
  log_.write(
      log_level::error, "hosting",
      "still running after the shutdown: a handler that holds its event loop's thread; use run_blocking for work that "
      "takes long");
}

// A suspended handler must not be destroyed from outside, and one that computes cannot be stopped: its loop stays, and
// so does the pool, whose threads may be busy for it.
void server::leave_behind() {
  for (auto& each : threads_) {
    each->thread.detach();
    static_cast<void>(each.release());
  }
  static_cast<void>(workers_.release());
}

void server::stop_listening() {
  if (!started_ || stopped_) return;
  post_to_all(&loop_thread::stop_listening);
  wait_until_all_are(deaf_, soon);
}

bool server::stop() {
  if (!started_ || std::exchange(stopped_, true)) {
    threads_.clear();
    return true;
  }
  post_to_all(&loop_thread::drain);
  bool clean = wait_until_all_are(ended_, settings_.shutdown_timeout);
  if (!clean) {
    log_.write(log_level::warning, "hosting",
               "the shutdown timeout has passed; aborting the connections that are left");
    post_to_all(&loop_thread::abort);
    clean = wait_until_all_are(ended_, time_for_handlers_to_notice);
  }
  if (clean) {
    for (const auto& each : threads_) each->thread.join();
    // A name that nobody waits for any more may still be looked up.
    workers_->let_go();
    workers_.reset();
  } else {
    name_those_that_stay();
    leave_behind();
  }
  threads_.clear();
  return clean;
}

}  // namespace windhover::hosting
