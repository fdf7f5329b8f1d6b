// Two transports joined in memory: what one queues, the other one's sink gets. With the same rules as a socket: output
// leaves at the end of the iteration, nothing is called back from below, a paused sink makes the writer's queue grow.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "net/layered_transport.hpp"

namespace windhover::net {

class pipe_end final : public layered_transport {
 public:
  pipe_end(event_loop& loop, std::size_t cut) noexcept;
  ~pipe_end() override { release_drivers(); }

  endpoint local_endpoint() const override { return {endpoint::kind::memory, {}, 0}; }
  endpoint remote_endpoint() const override { return {endpoint::kind::memory, {}, 0}; }
  // Each is a slice of its own, so that the peer takes one after the other.
  std::byte* queue_room(std::size_t size) noexcept override;
  void flush() noexcept override;

 private:
  friend class memory_pipe;
  // layered_transport
  void fetch() noexcept override;
  void died(const failure* why) noexcept override;
  std::string kind() const override { return "memory pipe"; }

  void take(base::slice bytes) noexcept;
  void peer_gone(bool reset) noexcept;

  std::size_t cut_;
  pipe_end* peer_ = nullptr;
  std::vector<base::slice> arrived_;
  bool arrived_end_ = false;
};

class memory_pipe {
 public:
  // Two joined ends, owned by the loop. Each is destroyed when it is dead and its driver, if it has one, has finished.
  // An end hands its sink at most `cut` bytes at a time.
  static std::pair<pipe_end*, pipe_end*> make(event_loop& loop,
                                              std::size_t cut = std::numeric_limits<std::size_t>::max());
  // Puts a driver on an end, which owns it from now on.
  static void set_driver(pipe_end& end, std::unique_ptr<driver> owned) { end.set_driver(std::move(owned)); }
};

}  // namespace windhover::net
