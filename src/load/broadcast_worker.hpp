// The scenario broadcast: one connection sends, and every message must come back to all connections of all workers. It
// begins with its number in sixteen hexadecimal digits.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "load/worker.hpp"

namespace windhover::load {

class broadcast_worker;

// What the workers of one broadcast share. Messages that are under way have a place each; a place is free again when
// its message has come to all. Any thread, but for what is said to be the sender's.
class broadcast_board {
 public:
  broadcast_board(std::size_t workers, std::size_t in_flight);

  struct place {
    std::atomic<net::duration::rep> sent_at{0};  // since the clock's beginning
    std::atomic<std::size_t> workers_left{0};    // those whose connections have not all got it
  };
  place& of(std::uint64_t number) noexcept { return places_[number & (places_.size() - 1)]; }
  std::size_t places() const noexcept { return places_.size(); }
  std::uint64_t sent() const noexcept { return sent_.load(); }
  std::uint64_t under_way() const noexcept { return sent_.load() - arrived_.load(); }

  // For the worker that sends: the number of the next message. None while its place is not free.
  std::optional<std::uint64_t> begin_message(net::time_point due) noexcept;
  // Likewise: there will be no further message.
  void end() noexcept { ended_.store(true); }
  bool all_came() const noexcept { return ended_.load() && under_way() == 0; }

  // One more message has come to all. The sender, where one is set, is told that it may send more.
  void came_to_all() noexcept;
  // Before anything is sent.
  void set_sender(broadcast_worker& sender, std::shared_ptr<net::mailbox> home);

 private:
  std::vector<place> places_;
  std::size_t workers_;
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> arrived_{0};
  std::atomic<bool> ended_{false};
  broadcast_worker* sender_ = nullptr;
  std::shared_ptr<net::mailbox> home_;
};

class broadcast_worker final : public worker {
 public:
  broadcast_worker(const load_plan& plan, std::size_t connections, double share, std::shared_ptr<broadcast_board> board,
                   bool sends);
  task<> prepare() override;
  task<> run(std::stop_token stop) override;
  // As many as may be under way.
  void send_more() noexcept;

 private:
  void on_message(load_connection& to, const load_connection::arrival& message) noexcept override;
  bool send_one(net::time_point due);

  std::shared_ptr<broadcast_board> board_;
  std::vector<std::size_t> got_;  // by place: how many of our connections have it
  std::vector<std::byte> frame_;
  bool sends_;
  bool goes_on_ = false;
};

}  // namespace windhover::load
