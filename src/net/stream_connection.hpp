// The transport over a connected stream socket: TCP or a Unix socket.
#pragma once

#include <memory>

#include "net/event_loop.hpp"
#include "net/feed.hpp"
#include "net/transport.hpp"

namespace windhover::net {

class stream_connection final : public loop_object, public transport {
 public:
  // Takes the descriptor, whatever happens.
  static transport& add_to(event_loop& loop, int descriptor, const event_loop::driver_factory& make_driver);

  stream_connection(event_loop& loop, int descriptor) noexcept;
  ~stream_connection() override;

  // transport
  event_loop& loop() const noexcept override { return loop_; }
  endpoint local_endpoint() const override;
  endpoint remote_endpoint() const override;
  void set_sink(sink& next) noexcept override { feed_.set_sink(next); }
  void queue(base::slice bytes) noexcept override;
  std::byte* queue_room(std::size_t size) noexcept override;
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

  // loop_object
  void serve() noexcept override;
  void flush() noexcept override;
  bool may_be_destroyed() const noexcept override {
    return never_opened_ || (released_ && !next_driver_ && driver_->finished());
  }
  void drain() noexcept override { (next_driver_ ? next_driver_ : driver_)->drain(); }
  void abort_now() noexcept override { abort(); }
  std::size_t carried() const noexcept override { return feed_.carried(); }
  void abort_holder() noexcept override;
  std::string describe() const override;

  // engine_client
  void on_received(std::span<const std::byte> bytes) noexcept override;
  void on_receive_ended(int error) noexcept override;
  void on_sent(int error) noexcept override;
  void on_closed() noexcept override;

 private:
  outgoing& output();
  void queued(std::size_t bytes) noexcept;
  void out_of_memory() noexcept;
  void start_send() noexcept;
  void gather_send();
  void follow_pause() noexcept;
  void die(const failure* why, bool reset) noexcept;
  void end_when_both_sides_have() noexcept;
  void has_not_opened() noexcept;

  event_loop& loop_;
  token token_{};
  std::unique_ptr<driver> driver_;
  std::unique_ptr<driver> next_driver_;  // takes over when the loop serves this object
  std::unique_ptr<kept> kept_;
  feed feed_;
  std::unique_ptr<outgoing> output_;
  std::size_t queued_bytes_ = 0;
  std::size_t taken_this_turn_ = 0;
  std::uint64_t turn_ = 0;
  std::uint32_t high_water_ = 64U << 10;
  std::uint32_t low_water_ = 32U << 10;
  failure failure_{};
  int descriptor_;
  bool receiving_ = false;
  bool in_flight_ = false;
  bool was_above_ = false;
  bool closing_ = false;
  bool shut_down_ = false;
  bool received_end_ = false;
  bool dead_ = false;
  bool released_ = false;
  bool never_opened_ = false;
  bool resume_wanted_ = false;
  bool writable_due_ = false;
  bool failure_due_ = false;
};

}  // namespace windhover::net
