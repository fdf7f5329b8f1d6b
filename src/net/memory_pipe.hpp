// Two transports joined in memory: what one queues, the other one's sink gets. With the same rules as a socket: output
// leaves at the end of the iteration, nothing is called back from below, a paused sink makes the writer's queue grow.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "net/event_loop.hpp"
#include "net/transport.hpp"

namespace windhover::net {

class pipe_end final : public loop_object, public transport {
 public:
  pipe_end(event_loop& loop, std::size_t cut) noexcept;

  event_loop& loop() const noexcept override { return loop_; }
  endpoint local_endpoint() const override { return {endpoint::kind::memory, {}, 0}; }
  endpoint remote_endpoint() const override { return {endpoint::kind::memory, {}, 0}; }
  void set_sink(sink& next) noexcept override;
  void queue(base::slice bytes) noexcept override;
  void queue_copy(std::span<const std::byte> bytes) noexcept override;
  std::size_t queued_bytes() const noexcept override { return queued_bytes_; }
  void set_water_marks(std::size_t high, std::size_t low) noexcept override;
  bool above_high_water() const noexcept override { return queued_bytes_ > high_water_; }
  void resume_reading() noexcept override;
  bool reading_paused() const noexcept override { return feed_.paused(); }
  void close() noexcept override;
  void abort() noexcept override;
  bool closing() const noexcept override { return closing_ || dead_; }
  void keep(std::unique_ptr<kept> thing) noexcept override { chain(kept_, std::move(thing)); }
  void driver_finished() noexcept override { loop_.consider_destroying(token_); }
  void hand_over(std::unique_ptr<driver> next) noexcept override;

  void serve() noexcept override;
  void flush() noexcept override;
  bool may_be_destroyed() const noexcept override;
  void drain() noexcept override;
  void abort_now() noexcept override { abort(); }
  std::size_t carried() const noexcept override { return feed_.carried(); }
  std::string describe() const override { return driver_ ? driver_->describe() : "memory pipe"; }

 private:
  friend class memory_pipe;
  void die(const failure* why) noexcept;
  void take(base::slice bytes) noexcept;
  void deliver_arrived() noexcept;
  void taken_by_peer(std::size_t bytes) noexcept;
  void peer_gone(bool reset) noexcept;
  void end_when_both_sides_have() noexcept;

  event_loop& loop_;
  token token_{};
  std::size_t cut_;
  pipe_end* peer_ = nullptr;
  std::unique_ptr<driver> driver_;
  std::unique_ptr<driver> next_driver_;
  std::unique_ptr<kept> kept_;
  feed feed_;
  std::vector<base::slice> queued_;
  std::vector<base::slice> arrived_;
  std::size_t queued_bytes_ = 0;
  std::size_t high_water_ = std::size_t{64} << 10;
  std::size_t low_water_ = std::size_t{32} << 10;
  failure failure_{};
  bool was_above_ = false;
  bool closing_ = false;
  bool shut_down_ = false;
  bool arrived_end_ = false;
  bool dead_ = false;
  bool resume_wanted_ = false;
  bool writable_due_ = false;
  bool failure_due_ = false;
};

class memory_pipe {
 public:
  // Two joined ends, owned by the loop. Each is destroyed when it is dead and its driver, if it has one, has finished.
  // An end hands its sink at most `cut` bytes at a time.
  static std::pair<pipe_end*, pipe_end*> make(event_loop& loop,
                                              std::size_t cut = std::numeric_limits<std::size_t>::max());
  // Puts a driver on an end, which owns it from now on.
  static void set_driver(pipe_end& end, std::unique_ptr<driver> owned);
};

}  // namespace windhover::net
