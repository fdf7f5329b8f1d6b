// The upper half of every transport: hands arriving bytes to the current sink, and keeps what it did not take.
//
// The sink may change inside its own callback (an upgrade): the rest of the bytes then goes to the new one. What a
// paused sink leaves is kept in one buffer, the carry, which is allocated on demand and comes first when reading
// resumes.
#pragma once

#include <cstddef>
#include <span>

#include "base/buffer.hpp"
#include "net/transport.hpp"

namespace windhover::net {

class feed {
 public:
  // What all carries of a loop hold together.
  struct budget {
    std::size_t limit;
    std::size_t used = 0;
    bool exceeded() const noexcept { return used > limit; }
  };

  explicit feed(budget& shared) noexcept : budget_(&shared) {}
  feed(const feed&) = delete;
  feed& operator=(const feed&) = delete;
  ~feed() { drop(); }

  void set_sink(sink& next) noexcept { sink_ = &next; }
  // Null before the first set_sink.
  sink* current() const noexcept { return sink_; }

  // Bytes from below. Throws nothing: without memory for the carry the result is false and the stream is broken.
  [[nodiscard]] bool deliver(std::span<const std::byte> bytes) noexcept;
  // The end from below; told to the sink once the carry is empty.
  void deliver_end() noexcept;
  // Ends a pause: gives the carry, then a waiting end.
  void resume() noexcept;
  // Nothing more is delivered, and the carry is dropped.
  void stop() noexcept;

  bool paused() const noexcept { return paused_; }
  bool end_delivered() const noexcept { return end_delivered_; }
  std::size_t carried() const noexcept { return carry_size_; }

 private:
  std::size_t give(std::span<const std::byte> bytes) noexcept;
  bool keep(std::span<const std::byte> bytes) noexcept;
  void drop() noexcept;
  void tell_end_when_due() noexcept;

  sink* sink_ = nullptr;
  budget* budget_;
  base::buffer_ref carry_;
  std::size_t carry_start_ = 0;
  std::size_t carry_size_ = 0;
  bool paused_ = false;
  bool stopped_ = false;
  bool ended_ = false;
  bool end_delivered_ = false;
};

}  // namespace windhover::net
