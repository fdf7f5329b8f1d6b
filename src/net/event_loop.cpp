#include "net/event_loop.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <new>
#include <stdexcept>
#include <utility>

#include "net/stream_connection.hpp"

namespace windhover::net {
namespace {

// Output leaves early when a batch of completions takes long or produces much.
constexpr duration submit_after = std::chrono::microseconds(500);
constexpr std::size_t submit_bytes = std::size_t{256} << 10;

constexpr std::size_t arena_size = (std::size_t{128} << 10) - sizeof(base::buffer);
// As a fan-out to so many connections needs at a time; about 300 bytes each.
constexpr std::size_t spare_outgoing_kept = 4096;

}  // namespace

constinit thread_local event_loop* event_loop::running_ = nullptr;

event_loop& event_loop::required(const char* what_for) {
  if (running_ == nullptr) {
    throw std::logic_error(
        std::string(what_for) +
        " works only on the thread of an event loop: call it from a handler, not from a thread of your own");
  }
  return *running_;
}

event_loop::scope::scope(event_loop& entered) noexcept : previous_(std::exchange(running_, &entered)) {}
event_loop::scope::~scope() { running_ = previous_; }

event_loop::event_loop(std::unique_ptr<engine> with, event_loop_options options)
    : engine_(std::move(with)),
      options_(options),
      random_(options.random != nullptr ? options.random : &system_random_),
      now_(engine_->now()),
      submitted_at_(now_),
      timers_(now_),
      inbound_{options.inbound_budget},
      mailbox_(std::make_shared<net::mailbox>(this, &event_loop::wake)),
      counters_(std::make_shared<loop_counters>()),
      last_look_(now_) {}

event_loop::~event_loop() {
  const scope here(*this);
  mailbox_->close();
  ending_ = true;
  slots_.clear();
}

void event_loop::wake(void* self) noexcept { static_cast<event_loop*>(self)->engine_->wake(); }

void event_loop::stop() noexcept {
  stopping_.store(true, std::memory_order_release);
  engine_->wake();
}

void event_loop::run() {
  while (!stopping_.load(std::memory_order_acquire)) run_once(true);
}

std::optional<time_point> event_loop::next_wake(bool may_wait) noexcept {
  const bool work_is_left = std::exchange(hurry_, false) || !to_serve_.empty() || !to_destroy_.empty() ||
                            !to_flush_.empty() || !mailbox_->empty() || stopping_.load(std::memory_order_acquire);
  if (!may_wait || work_is_left) return now_;
  return timers_.next_deadline();
}

void event_loop::run_once(bool may_wait) {
  const scope here(*this);
  flush_all();
  engine_->turn(*this, next_wake(may_wait));
  timers_.advance(now_);
  mailbox_->run_all();
  serve_all();
  flush_all();
  destroy_ended();
  note_hold({});
  report_hold();
}

void event_loop::woke() noexcept {
  ++turn_;
  now_ = engine_->now();
  last_look_ = now_;
  submitted_at_ = now_;
  unsubmitted_ = 0;
}

loop_object* event_loop::find(token which) noexcept {
  if (which.slot >= slots_.size() || slots_[which.slot].generation != which.generation) return nullptr;
  return slots_[which.slot].object.get();
}

engine_client* event_loop::client_of(token which) noexcept {
  last_client_ = which;
  return find(which);
}

// The clock is read once per completion, which may carry many messages: it dates what arrived and finds the handler
// that holds the loop.
bool event_loop::between_completions() noexcept {
  note_hold(last_client_);
  if (unsubmitted_ == 0 || (now_ - submitted_at_ < submit_after && unsubmitted_ < submit_bytes)) return false;
  submitted_at_ = now_;
  flush_all();
  unsubmitted_ = 0;
  return true;
}

void event_loop::note_hold(token holder) noexcept {
  now_ = engine_->now();
  const duration held = now_ - std::exchange(last_look_, now_);
  if (held <= longest_hold_) return;
  longest_hold_ = held;
  holder_ = holder;
}

void event_loop::report_hold() noexcept {
  const duration held = std::exchange(longest_hold_, duration{});
  if (held < options_.lag_warning) return;
  log_line(log_level::warning, "net", [&] {
    std::string who = "a timer or a resumed coroutine";
    if (holder_.slot < slots_.size() && slots_[holder_.slot].generation == holder_.generation &&
        slots_[holder_.slot].object) {
      who = slots_[holder_.slot].object->describe();
    }
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(held).count();
    return "the event loop was held for " + std::to_string(milliseconds) + " ms by " + who +
           "; use run_blocking for work that takes long";
  });
}

void event_loop::serve_later(loop_object& object) noexcept {
  if (!ending_) to_serve_.push(object);
}

void event_loop::flush_later(loop_object& object) noexcept {
  if (!ending_) to_flush_.push(object);
}

// Only what is there now: two ends of a pipe could serve each other for ever.
void event_loop::serve_all() noexcept {
  const loop_object* const last = to_serve_.last();
  for (bool more = last != nullptr; more;) {
    loop_object& each = *to_serve_.pop();
    more = &each != last;
    each.serve();
  }
}

void event_loop::flush_all() noexcept {
  // A layer that flushes may make the one below it dirty, which is reached by the same walk.
  while (loop_object* const each = to_flush_.pop()) each->flush();
  if (arena_ && arena_->unique()) arena_used_ = 0;
}

token event_loop::add(std::unique_ptr<loop_object> object) {
  std::uint32_t index = 0;
  if (free_slots_.empty()) {
    // Giving a slot back takes no memory.
    if (slots_.size() == slots_.capacity()) slots_.reserve(std::max<std::size_t>(16, 2 * slots_.size()));
    free_slots_.reserve(slots_.capacity());
    index = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_slots_.back();
    free_slots_.pop_back();
  }
  slots_[index].object = std::move(object);
  slots_[index].object->self_ = {index, slots_[index].generation};
  return slots_[index].object->self_;
}

void event_loop::consider_destroying(token which) noexcept {
  loop_object* const object = find(which);
  if (object != nullptr && !ending_) to_destroy_.push(*object);
}

void event_loop::destroy_ended() noexcept {
  const loop_object* const last = to_destroy_.last();
  for (bool more = last != nullptr; more;) {
    loop_object& each = *to_destroy_.pop();
    more = &each != last;
    if (!each.may_be_destroyed()) continue;
    if (to_serve_.holds(each) || to_flush_.holds(each)) {
      to_destroy_.push(each);
      continue;
    }
    slot& here = slots_[each.self_.slot];
    std::unique_ptr<loop_object> ended = std::move(here.object);
    if (++here.generation == 0) here.generation = 1;
    free_slots_.push_back(ended->self_.slot);
    ended.reset();
  }
}

transport& event_loop::add_connection(int descriptor, const driver_factory& make_driver) {
  return stream_connection::add_to(*this, descriptor, make_driver);
}

void event_loop::drain_all() noexcept {
  draining_ = true;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].object) slots_[i].object->drain();
  }
}

void event_loop::abort_all() noexcept {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].object) slots_[i].object->abort_now();
  }
}

std::vector<std::string> event_loop::describe_connections(std::size_t most) const {
  std::vector<std::string> found;
  for (const slot& each : slots_) {
    if (found.size() == most) break;
    if (each.object) found.push_back(each.object->describe());
  }
  return found;
}

// Those that hold at least half as much as the largest, one after the other, until an eighth of the budget is free: so
// many of them cost a look at all connections together and not each.
void event_loop::relieve_inbound() noexcept {
  const std::size_t enough = inbound_.limit - inbound_.limit / 8;
  while (inbound_.used > enough) {
    std::size_t largest = 0;
    for (const slot& each : slots_) {
      if (each.object) largest = std::max(largest, each.object->carried());
    }
    if (largest == 0) return;
    for (std::size_t i = 0; i < slots_.size() && inbound_.used > enough; ++i) {
      if (!slots_[i].object || slots_[i].object->carried() < (largest + 1) / 2) continue;
      note_overflow(*slots_[i].object);
      slots_[i].object->abort_holder();
    }
  }
}

// Said once in a second at most: they come in crowds.
void event_loop::note_overflow(const loop_object& holder) noexcept {
  ++counters_->inbound_overflows;
  ++overflows_unsaid_;
  if (now_ < overflow_said_ + std::chrono::seconds(1) && overflow_said_ != time_point()) return;
  overflow_said_ = now_;
  const std::uint64_t count = std::exchange(overflows_unsaid_, 0);
  log_line(log_level::warning, "net", [&] {
    return "the budget for unread input is exceeded; aborting those that hold most, " + std::to_string(count) +
           " since this was said last, now " + holder.describe();
  });
}

std::byte* event_loop::gather(std::vector<base::slice>& to, std::size_t size) {
  static_assert(transport::most_room <= arena_size);
  assert(size > 0 && size <= transport::most_room);
  if (!arena_ || arena_->capacity() - arena_used_ < size) {
    if (!arena_ || !arena_->unique()) arena_ = base::buffer_ref::allocate(arena_size);
    arena_used_ = 0;
  }
  std::byte* const room = arena_->data() + arena_used_;
  if (!to.empty() && to.back().owner.get() == arena_.get() && to.back().data + to.back().size == room) {
    to.back().size += size;
  } else {
    to.push_back({arena_, room, size});
  }
  arena_used_ += size;
  return room;
}

std::unique_ptr<outgoing> event_loop::lend_outgoing() {
  if (spare_outgoing_.empty()) return std::make_unique<outgoing>();
  std::unique_ptr<outgoing> lent = std::move(spare_outgoing_.back());
  spare_outgoing_.pop_back();
  return lent;
}

void event_loop::take_back(std::unique_ptr<outgoing> used) noexcept {
  if (spare_outgoing_.size() >= spare_outgoing_kept) return;
  used->queued.clear();
  used->sending.clear();
  try {
    if (spare_outgoing_.capacity() == 0) spare_outgoing_.reserve(spare_outgoing_kept);
    spare_outgoing_.push_back(std::move(used));
  } catch (const std::bad_alloc&) {
    // Then it is not kept.
  }
}

}  // namespace windhover::net
