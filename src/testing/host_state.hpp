// The running application behind a testing::host, which the clients refer to as well.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/seeded_random.hpp"
#include "testing/application_run.hpp"
#include <windhover/testing.hpp>

namespace windhover::testing {

struct client_websocket_state;

struct host_state {
  host_state(web_application& application, host_options with);

  // Runs until `done()`, at most until that time of the application's clock. False: it has not come.
  template <class Done>
  bool run_until(net::time_point latest, Done&& done) {
    require_running();
    const in_use guard(*this);
    run->network().set_horizon(latest);
    while (!done()) {
      run->turn(true);
      if (run->network().stalled()) return done();
    }
    return true;
  }
  template <class Done>
  bool wait_until(Done&& done) {
    require_running();
    return run_until(run->network().now() + patience, std::forward<Done>(done));
  }
  void settle() {
    require_running();
    run_until(run->network().now(), [] { return false; });
  }
  void require_running() const;
  std::string after_patience() const;

  // A handler that calls its own host would turn the loop within a turn.
  class in_use {
   public:
    explicit in_use(host_state& of) noexcept : of_(of) { of_.turning = true; }
    in_use(const in_use&) = delete;
    in_use& operator=(const in_use&) = delete;
    ~in_use() { of_.turning = false; }

   private:
    host_state& of_;
  };

  net::duration patience;
  net::seeded_random random;  // the clients'
  std::optional<application_run> run;
  std::vector<std::weak_ptr<client_websocket_state>> clients;
  std::optional<int> exit_code;
  bool turning = false;
};

}  // namespace windhover::testing
