// What the transports have in common that are no sockets: those that stand on another transport, such as TLS, and the
// ends of a memory pipe. The loop owns each of them. What derives from this says where output goes (flush) and where
// input comes from (fetch, deliver).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "net/event_loop.hpp"
#include "net/feed.hpp"
#include "net/transport.hpp"

namespace windhover::net {

class layered_transport : public loop_object, public transport {
 public:
  layered_transport(event_loop& loop, flush_layer layer) noexcept;

  // transport
  event_loop& loop() const noexcept final { return loop_; }
  void set_sink(sink& next) noexcept override;
  void queue(base::slice bytes) noexcept override;
  std::byte* queue_room(std::size_t size) noexcept override;
  std::size_t queued_bytes() const noexcept override { return queued_bytes_; }
  void set_water_marks(std::size_t high, std::size_t low) noexcept override;
  bool above_high_water() const noexcept override { return queued_bytes_ > high_water_ || full_below(); }
  void resume_reading() noexcept override;
  bool reading_paused() const noexcept override { return feed_.paused(); }
  void close() noexcept override;
  void abort() noexcept override;
  bool closing() const noexcept override { return closing_ || dead_; }
  void keep(std::unique_ptr<kept> thing) noexcept override { chain(kept_, std::move(thing)); }
  void driver_finished() noexcept override { loop_.consider_destroying(token_); }
  void hand_over(std::unique_ptr<driver> next) noexcept override;

  // loop_object
  void serve() noexcept override;
  bool may_be_destroyed() const noexcept override;
  void drain() noexcept override;
  void abort_now() noexcept override { abort(); }
  std::size_t carried() const noexcept override { return feed_.carried(); }
  void abort_holder() noexcept override;
  std::string describe() const override;

  // Puts the first driver on it, which it owns from now on.
  void set_driver(std::unique_ptr<driver> owned) noexcept;
  // Told by whoever has put it into the loop's table.
  void set_token(token own) noexcept { token_ = own; }

 protected:
  // By the destructor of what derives from this, first of all: the drivers go, and the frames of handlers with them,
  // whose objects may still want to say something.
  void release_drivers() noexcept;
  // By serve(): what waits below is delivered, as far as the sink takes bytes.
  virtual void fetch() noexcept {}
  // The transport has died: what is below should know. Without a failure both ends of the stream have been seen.
  virtual void died(const failure* why) noexcept = 0;
  // The layer below has no room at present. When that ends, room_below() is to be called.
  virtual bool full_below() const noexcept { return false; }
  // For the log, while there is no driver.
  virtual std::string kind() const = 0;

  // Bytes for the sink. False when the transport is dead. What the sink leaves is charged to the loop's budget, which
  // the socket below enforces.
  bool deliver(std::span<const std::byte> bytes) noexcept;
  void deliver_end() noexcept;
  // So many of the queued bytes are no longer this layer's to count.
  void output_taken(std::size_t bytes) noexcept;
  // The layer below has room again: the sink is told when this one has, too.
  void room_below() noexcept;
  // Tells the sink, later, that it may write again.
  void tell_writable() noexcept;
  // Ends it; with a failure the sink is told, later.
  void die(const failure* why) noexcept;
  void serve_again() noexcept { loop_.serve_later(*this); }
  // What is queued in this layer, in order. Slices that the layer below has got are taken off with output_handed_down.
  std::span<base::slice> queued_output() noexcept { return queued_; }
  void output_handed_down(std::size_t slices) noexcept;
  // Our end of the stream has been said.
  void note_shut_down() noexcept;

  bool dead() const noexcept { return dead_; }
  bool shut_down() const noexcept { return shut_down_; }
  bool end_delivered() const noexcept { return feed_.end_delivered(); }
  bool has_driver() const noexcept { return driver_ != nullptr; }

 private:
  void queued(std::size_t bytes) noexcept;
  void end_when_both_sides_have() noexcept;

  event_loop& loop_;
  token token_{};
  std::unique_ptr<driver> driver_;
  std::unique_ptr<driver> next_driver_;  // takes over when the loop serves this object
  std::unique_ptr<kept> kept_;
  feed feed_;
  std::vector<base::slice> queued_;
  std::size_t queued_bytes_ = 0;
  std::size_t high_water_ = std::size_t{64} << 10;
  std::size_t low_water_ = std::size_t{32} << 10;
  failure failure_{};
  bool was_above_ = false;
  bool closing_ = false;
  bool shut_down_ = false;
  bool dead_ = false;
  bool resume_wanted_ = false;
  bool writable_due_ = false;
  bool failure_due_ = false;
};

}  // namespace windhover::net
