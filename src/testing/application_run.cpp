#include "testing/application_run.hpp"

#include <string>
#include <utility>

#include "net/engine_simulation.hpp"
#include "net/remaining_connections.hpp"

namespace windhover::testing {
namespace {

net::event_loop_options options_of(const hosting::application_parts& parts, base::random_source& random) {
  net::event_loop_options options;
  options.inbound_budget = parts.configured.limits.inbound_budget;
  options.log = &parts.log;
  options.random = &random;
  return options;
}

}  // namespace

struct application_run::state {
  state(web_application& runs, std::uint64_t seed, net::network_conduct conduct)
      : application(runs),
        parts(hosting::application_access::open(runs)),
        network(seed, conduct),
        random(~seed),
        deadline(this, [](void* self) noexcept { static_cast<state*>(self)->deadline_has_come(); }) {
    const hosting::server_limits limits(parts.configured.limits);
    site = std::make_unique<hosting::loop_server>(loop_, parts.configured, limits, parts.log, parts.counters,
                                                  parts.handler);
  }

  // The steps after the drain.
  void deadline_has_come() noexcept {
    if (!std::exchange(aborted, true)) {
      parts.log.write(log_level::warning, "hosting",
                      "the shutdown timeout has passed; aborting the connections that are left");
      loop_.abort_all();
      return loop_.arm(deadline, hosting::time_for_handlers_to_notice);
    }
    given_up = true;
    net::log_remaining_connections(loop_, "hosting", "still running after the shutdown: ");
  }

  web_application& application;
  hosting::application_parts parts;
  net::simulated_network network;
  net::seeded_random random;  // what the application's code asks for, apart from what the network decides
  std::unique_ptr<hosting::loop_server> site;  // outlives the loop's connections
  net::event_loop loop_{net::make_simulation_engine(network), options_of(parts, random)};
  net::timer deadline;
  bool stopping = false;
  bool aborted = false;
  bool given_up = false;
};

application_run::application_run(web_application& application, std::uint64_t seed, net::network_conduct conduct,
                                 std::shared_ptr<const net::server_tls> tls)
    : state_(std::make_unique<state>(application, seed, conduct)) {
  state_->site->listen(state_->network.listen(address()), {});
  if (tls) state_->site->listen(state_->network.listen(secure_address()), {.tls = std::move(tls)});
}

application_run::~application_run() {
  if (!state_->stopping) stop();
  state_->network.set_horizon(net::time_point::max());
  while (!ended()) turn(true);
  hosting::application_access::close(state_->application, clean());
  if (!clean()) static_cast<void>(state_.release());
}

endpoint application_run::address() { return {endpoint::kind::ipv4, "192.0.2.1", 80}; }
endpoint application_run::secure_address() { return {endpoint::kind::ipv4, "192.0.2.1", 443}; }

net::simulated_network& application_run::network() const noexcept { return state_->network; }
net::event_loop& application_run::loop() const noexcept { return state_->loop_; }

void application_run::turn(bool may_wait) {
  state_->loop_.run_once(may_wait);
  state_->site->after_iteration();
  if (state_->site->ended()) state_->deadline.cancel();
  if (!state_->stopping && state_->parts.stop_requested.requested()) stop();
}

void application_run::stop() {
  if (std::exchange(state_->stopping, true)) return;
  const net::event_loop::scope here(state_->loop_);
  state_->parts.log.write(log_level::information, "hosting", "Application is shutting down...");
  state_->site->stop_listening();
  state_->parts.stopping.request_stop();
  state_->site->drain();
  state_->loop_.arm(state_->deadline, state_->parts.configured.shutdown_timeout);
}

bool application_run::stopping() const noexcept { return state_->stopping; }
bool application_run::ended() const { return state_->given_up || state_->site->ended(); }
bool application_run::clean() const noexcept { return !state_->given_up; }

}  // namespace windhover::testing
