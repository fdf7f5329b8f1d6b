// The scenario echo: every connection keeps some messages under way, or all of them together a rate.
#pragma once

#include <cstddef>
#include <stop_token>

#include "load/worker.hpp"

namespace windhover::load {

class echo_worker final : public worker {
 public:
  using worker::worker;
  task<> run(std::stop_token stop) override;

 private:
  void on_message(load_connection& to, const load_connection::arrival& message) noexcept override;
  void on_pause(load_connection& of) noexcept override;
  void send_one(net::time_point due);

  bool goes_on_ = false;
  std::size_t answered_ = 0;  // of the connection whose messages are just coming
  std::size_t turn_ = 0;      // whose message is next, with a rate
  std::size_t backlog_ = 0;   // messages that are not answered, with a rate
};

}  // namespace windhover::load
