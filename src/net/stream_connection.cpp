#include "net/stream_connection.hpp"

#include <algorithm>
#include <climits>
#include <limits>
#include <new>
#include <system_error>
#include <utility>

namespace windhover::net {
namespace {

constexpr std::size_t pieces_per_send = IOV_MAX;

}  // namespace

transport& stream_connection::add_to(event_loop& loop, int descriptor, const event_loop::driver_factory& make_driver) {
  stream_connection* added = nullptr;
  try {
    auto made = std::make_unique<stream_connection>(loop, descriptor);
    made->driver_ = make_driver(*made);
    made->feed_.set_sink(*made->driver_);
    stream_connection& connection = *made;
    connection.token_ = loop.add(std::move(made));
    added = &connection;
    loop.kernel().open(connection.token_, descriptor);
  } catch (...) {
    loop.kernel().discard(descriptor);
    if (added != nullptr) added->has_not_opened();
    throw;
  }
  loop.kernel().set_receiving(added->token_, true);
  added->receiving_ = true;
  return *added;
}

// The engine does not know it, and who asked for it does not either: nothing has to complete before it may go.
void stream_connection::has_not_opened() noexcept {
  dead_ = true;
  released_ = true;
  never_opened_ = true;
  loop_.consider_destroying(token_);
}

stream_connection::stream_connection(event_loop& loop, int descriptor) noexcept
    : loop_(loop), feed_(loop.inbound()), descriptor_(descriptor) {
  ++loop_.counters().connections;
}

stream_connection::~stream_connection() {
  --loop_.counters().connections;
  // What a loop that ends takes with it may be frames of handlers whose objects still want to say something: until they
  // have gone, this is a whole object.
  dead_ = true;
  kept_.reset();
  next_driver_.reset();
  driver_.reset();
}

endpoint stream_connection::local_endpoint() const {
  return released_ ? endpoint{} : loop_.kernel().local_endpoint(descriptor_);
}
endpoint stream_connection::remote_endpoint() const {
  return released_ ? endpoint{} : loop_.kernel().remote_endpoint(descriptor_);
}
std::string stream_connection::describe() const { return driver_->describe(); }

void stream_connection::set_water_marks(std::size_t high, std::size_t low) noexcept {
  constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
  high_water_ = static_cast<std::uint32_t>(std::min(high, most));
  low_water_ = static_cast<std::uint32_t>(std::min({low, high, most}));
}

outgoing& stream_connection::output() {
  if (!output_) output_ = loop_.lend_outgoing();
  return *output_;
}

// A stream that lacks some of its bytes must not go on.
void stream_connection::out_of_memory() noexcept {
  const failure no_memory{failure::cause::send_failed, ENOMEM};
  die(&no_memory, true);
}

void stream_connection::queued(std::size_t bytes) noexcept {
  queued_bytes_ += bytes;
  loop_.output_queued(bytes);
  if (above_high_water()) was_above_ = true;
  loop_.flush_later(*this);
}

void stream_connection::queue(base::slice bytes) noexcept {
  if (closing() || bytes.size == 0) return;
  const std::size_t size = bytes.size;
  try {
    output().queued.push_back(std::move(bytes));
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
  queued(size);
}

std::byte* stream_connection::queue_room(std::size_t size) noexcept {
  if (closing()) return nullptr;
  std::byte* room = nullptr;
  try {
    room = loop_.gather(output().queued, size);
  } catch (const std::bad_alloc&) {
    out_of_memory();
    return nullptr;
  }
  queued(size);
  return room;
}

void stream_connection::resume_reading() noexcept {
  if (dead_ || !feed_.paused()) return;
  resume_wanted_ = true;
  loop_.serve_later(*this);
}

void stream_connection::close() noexcept {
  if (closing()) return;
  closing_ = true;
  loop_.flush_later(*this);
}

// After our own end there is nothing to reset: that would cut off what the kernel still holds for a slow reader.
void stream_connection::abort() noexcept {
  const failure aborted{failure::cause::aborted};
  die(&aborted, !shut_down_);
}

void stream_connection::abort_holder() noexcept {
  const failure too_much{failure::cause::inbound_budget};
  die(&too_much, !shut_down_);
}

// With a failure the sink is told, later; without one it has seen both ends of the stream.
void stream_connection::die(const failure* why, bool reset) noexcept {
  if (dead_) return;
  dead_ = true;
  feed_.stop();
  if (why != nullptr) {
    failure_ = *why;
    failure_due_ = true;
    loop_.serve_later(*this);
  }
  loop_.kernel().close(token_, reset);
  loop_.hurry();
}

void stream_connection::hand_over(std::unique_ptr<driver> next) noexcept {
  next_driver_ = std::move(next);
  loop_.serve_later(*this);
}

void stream_connection::serve() noexcept {
  if (next_driver_) {
    driver_ = std::move(next_driver_);
    loop_.consider_destroying(token_);
  }
  if (failure_due_) {
    failure_due_ = false;
    resume_wanted_ = writable_due_ = false;
    feed_.current()->on_failure(failure_);
    return loop_.consider_destroying(token_);
  }
  if (dead_) return;
  if (std::exchange(writable_due_, false)) feed_.current()->on_writable();
  if (!dead_ && std::exchange(resume_wanted_, false)) {
    feed_.resume();
    follow_pause();
    end_when_both_sides_have();
  }
}

// The engine receives exactly while the sink takes what comes.
void stream_connection::follow_pause() noexcept {
  if (dead_ || received_end_) return;
  const bool wanted = !feed_.paused();
  if (wanted == receiving_) return;
  receiving_ = wanted;
  loop_.kernel().set_receiving(token_, wanted);
}

void stream_connection::on_received(std::span<const std::byte> bytes) noexcept {
  if (dead_) return;
  if (!feed_.deliver(bytes)) {
    const failure no_memory{failure::cause::receive_failed, ENOMEM};
    return die(&no_memory, true);
  }
  if (dead_) return;
  if (loop_.inbound().exceeded()) loop_.relieve_inbound();
  follow_pause();
  if (dead_ || !receiving_) return;
  if (turn_ != loop_.turn()) {
    turn_ = loop_.turn();
    taken_this_turn_ = 0;
  }
  taken_this_turn_ += bytes.size();
  if (taken_this_turn_ > loop_.kernel().fair_share()) {
    // It goes to the end of the queue: stopped, and started again when the stop has arrived.
    taken_this_turn_ = 0;
    loop_.kernel().set_receiving(token_, false);
    loop_.kernel().set_receiving(token_, true);
  }
}

void stream_connection::on_receive_ended(int error) noexcept {
  if (dead_) return;
  receiving_ = false;
  if (error != 0) {
    if (received_end_ && shut_down_) return;
    const failure why{error == ECONNRESET ? failure::cause::reset : failure::cause::receive_failed, error};
    return die(&why, true);
  }
  received_end_ = true;
  feed_.deliver_end();
  end_when_both_sides_have();
}

void stream_connection::flush() noexcept {
  if (dead_) return;
  if (in_flight_) {
    // A send that has succeeded already may say so only in the next turn, which must not wait for something else.
    if ((output_ && !output_->queued.empty()) || closing_) loop_.hurry();
    return;
  }
  if (output_ && !output_->queued.empty()) return start_send();
  if (output_) loop_.take_back(std::move(output_));
  if (closing_ && !shut_down_) {
    shut_down_ = true;
    loop_.kernel().shut_down(token_);
    end_when_both_sides_have();
  }
}

void stream_connection::start_send() noexcept {
  try {
    gather_send();
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
  in_flight_ = true;
  // Somebody waits for the outcome: a closing stream for its end, writers above the mark, output that found no room.
  if (closing_ || was_above_ || !output_->queued.empty()) loop_.hurry();
  if (loop_.kernel().send(token_, output_->operation)) on_sent(0);
}

// What goes in one send.
void stream_connection::gather_send() {
  outgoing& out = *output_;
  const std::size_t count = std::min(out.queued.size(), pieces_per_send);
  if (count == out.queued.size()) {
    out.sending.swap(out.queued);
  } else {
    const auto end = out.queued.begin() + static_cast<std::ptrdiff_t>(count);
    out.sending.assign(std::make_move_iterator(out.queued.begin()), std::make_move_iterator(end));
    out.queued.erase(out.queued.begin(), end);
  }
  out.operation.first = 0;
  out.operation.last = closing_ && out.queued.empty();
  out.operation.pieces.clear();
  for (const base::slice& each : out.sending) {
    // The kernel only reads; the interface of sendmsg has no const.
    out.operation.pieces.push_back({const_cast<std::byte*>(each.data), each.size});
  }
}

void stream_connection::on_sent(int error) noexcept {
  in_flight_ = false;
  if (output_) {
    for (const base::slice& each : output_->sending) queued_bytes_ -= each.size;
    output_->sending.clear();
  }
  if (dead_) return;
  if (error != 0) {
    const failure why{error == ECONNRESET || error == EPIPE ? failure::cause::reset : failure::cause::send_failed,
                      error};
    return die(&why, true);
  }
  if (was_above_ && queued_bytes_ <= low_water_) {
    was_above_ = false;
    writable_due_ = true;
    loop_.serve_later(*this);
  }
  if (output_ && output_->queued.empty()) loop_.take_back(std::move(output_));
  if (output_) return loop_.flush_later(*this);
  if (closing_) flush();  // at once: the last bytes wait for their end
}

void stream_connection::end_when_both_sides_have() noexcept {
  if (shut_down_ && feed_.end_delivered()) die(nullptr, false);
}

void stream_connection::on_closed() noexcept {
  released_ = true;
  output_.reset();
  loop_.consider_destroying(token_);
}

std::string describe(const failure& why) {
  const auto text = [&why](std::string_view what) {
    std::string all(what);
    if (why.error != 0) all += " (" + std::generic_category().message(why.error) + ")";
    return all;
  };
  switch (why.why) {
    case failure::cause::aborted:
      return "the connection was aborted";
    case failure::cause::reset:
      return text("the peer reset the connection");
    case failure::cause::send_failed:
      return text("sending failed");
    case failure::cause::receive_failed:
      return text("receiving failed");
    case failure::cause::inbound_budget:
      return "the connection held more unread input than the loop's budget allows";
    case failure::cause::tls:
      return "TLS failed: " + std::string(why.detail != nullptr ? why.detail : "unknown");
  }
  return "unknown";
}

}  // namespace windhover::net
