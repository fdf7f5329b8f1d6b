// The io_uring engine: multishot accept and receive, receive buffers in a ring shared by the whole loop, and sends that
// leave with the same system call that waits.
//
// Four facts carry it.
//
// 1. A send is issued with MSG_DONTWAIT and posts no completion when it succeeds. It runs while io_uring_enter submits
// it, so once the kernel has taken every submission, a send without a completion has been sent. Failed sends are
// therefore looked at before everything else.
//
// 2. A send that found the socket full is issued again without MSG_DONTWAIT; that one always posts a completion. There
// is never more than one send of a connection on its way, or a short one would let the next one overtake its rest.
//
// 3. The receive ring is incremental: the kernel fills a large buffer piece by piece, and hands it back when it is
// full. Without that (before Linux 6.12) buffers are smaller and handed back whole.
//
// 4. The kernel fills the ring for many connections before the first of them is looked at, so that much of it has left
// the processor's cache by then. A connection that brings much at a time is therefore polled instead, and received from
// directly, into one buffer that stays in the cache.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include <liburing.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/system_error.hpp"
#include "net/busy_polling.hpp"
#include "net/engine.hpp"
#include "net/io_uring_queues.hpp"
#include "net/pending_events.hpp"
#include "net/receive_ring.hpp"

namespace windhover::net {
namespace {

constexpr receive_ring::geometry incremental_geometry{.count = 8, .size = std::size_t{512} << 10};
constexpr receive_ring::geometry plain_geometry{.count = 64, .size = std::size_t{64} << 10};

// After so many large receives in a row a connection is received from directly, after so many small ones through the
// ring.
constexpr std::size_t direct_buffer_size = std::size_t{512} << 10;
constexpr std::size_t large_receive = std::size_t{8} << 10;
constexpr std::size_t small_receive = std::size_t{2} << 10;
constexpr std::uint8_t direct_after = 4;
constexpr std::uint8_t ring_after = 16;

enum class operation : std::uint8_t {
  ignored,
  wake,
  alarm,
  accept,
  receive,
  send,
  resend,
  hang_up,
  connect,
  readiness,
  readable
};

// 4 bits of operation, 28 bits of slot, 32 bits of generation.
constexpr std::uint64_t data_of(operation what, token which) noexcept {
  return std::uint64_t{which.generation} << 32 | std::uint64_t{which.slot} << 4 | static_cast<std::uint64_t>(what);
}
constexpr operation operation_of(std::uint64_t data) noexcept { return static_cast<operation>(data & 15); }
constexpr token token_of(std::uint64_t data) noexcept {
  return {static_cast<std::uint32_t>(data) >> 4, static_cast<std::uint32_t>(data >> 32)};
}

class io_uring_engine final : public engine {
 public:
  io_uring_engine(bool incremental, duration busy_poll)
      : polling_(busy_poll),
        queues_(polling_.wanted()),
        received_(queues_.ring(), incremental ? incremental_geometry : plain_geometry, incremental),
        direct_buffer_(std::make_unique_for_overwrite<std::byte[]>(direct_buffer_size)) {
    batch_.reserve(queues_.completions().capacity());
    wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_ < 0) base::throw_system_error(errno, "eventfd");
  }
  ~io_uring_engine() override {
    for (const slot& each : slots_) {
      if (each.owns_descriptor && each.descriptor >= 0) ::close(each.descriptor);
    }
    ::close(wake_);
  }

  std::string_view name() const noexcept override { return "io_uring"; }
  time_point now() const noexcept override { return std::chrono::steady_clock::now(); }
  wall_time wall_now() const noexcept override { return std::chrono::system_clock::now(); }
  std::size_t fair_share() const noexcept override { return received_.size() / 4; }

  void open(token which, int descriptor) override { make(which, descriptor, true); }

  void set_receiving(token which, bool wanted) noexcept override {
    slot& here = at(which);
    if (here.closing || here.ended) return;
    here.wanted = wanted;
    if (wanted && !here.armed) {
      if (here.watching_hang_up) cancel(data_of(operation::hang_up, which));
      arm_receiving(which, here);
    } else if (here.armed == operation::readable && (wanted || !here.ending)) {
      // The poll goes on: it looks for hang-ups as well, of which it tells once.
      if (wanted && here.readable) receive_later(which, here);
    } else if (!wanted) {
      disarm(which, here);
    }
  }

  bool send(token which, send_operation& what) noexcept override {
    slot& here = at(which);
    here.sending = &what;
    issue_send(which, here, operation::send, MSG_DONTWAIT, IOSQE_CQE_SKIP_SUCCESS);
    sent_.add(which);
    return false;
  }

  void shut_down(token which) noexcept override { ::shutdown(at(which).descriptor, SHUT_WR); }

  void close(token which, bool reset) noexcept override {
    slot& here = at(which);
    here.closing = true;
    here.wanted = false;
    if (reset && here.owns_descriptor) {
      const linger at_once{1, 0};
      ::setsockopt(here.descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    if (here.armed) cancel(data_of(*here.armed, which));
    if (here.watching_hang_up) cancel(data_of(operation::hang_up, which));
    if (here.resending) cancel(data_of(operation::resend, which));
    // A send that succeeds posts no completion to wait for.
    if (here.sending != nullptr && !here.resending) hurry_ = true;
    if (here.connecting) cancel(data_of(operation::connect, which));
    if (here.polling) cancel(data_of(operation::readiness, which));
    finish_close(which, here);
  }

  void listen(token which, int descriptor) override {
    slot& here = make(which, descriptor, true);
    here.listening = true;
    set_accepting(which, true);
  }
  void set_accepting(token which, bool wanted) noexcept override {
    slot& here = at(which);
    if (here.closing) return;
    here.wanted = wanted;
    if (wanted && !here.armed) {
      arm_accept(which, here);
    } else if (!wanted) {
      disarm(which, here);
    }
  }

  void connect(token which, int descriptor, const address& to) override {
    slot& here = make(which, descriptor, false);
    io_uring_sqe* entry = queues_.operation();
    io_uring_prep_connect(entry, descriptor, &to.value.any, to.size);
    entry->user_data = data_of(operation::connect, which);
    here.connecting = true;
    ++here.pending;
  }

  void poll(token which, int descriptor, short events) override {
    slot& here = make(which, descriptor, false);
    io_uring_sqe* entry = queues_.operation();
    io_uring_prep_poll_add(entry, descriptor, static_cast<unsigned>(events));
    entry->user_data = data_of(operation::readiness, which);
    here.polling = true;
    ++here.pending;
  }

  void turn(engine_events& events, std::optional<time_point> deadline) override {
    if (!enabled_) enable();
    submit_and_wait(deadline);
    events.woke();
    batch_.swap(queues_.completions());
    if (polling_.wanted() && std::ranges::any_of(batch_, came_from_outside)) polling_.event_came();
    reap_sends(events, batch_);
    deliver_closed(events);
    receive_rest(events);
    for (const completion& each : batch_) {
      deliver(events, each);
      send_early(events);
    }
    batch_.clear();
    received_.publish();
    rearm();
  }

  void wake() noexcept override {
    const std::uint64_t one = 1;
    // A full counter means that the loop is about to wake anyway.
    [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
  }

 private:
  struct slot {
    int descriptor = -1;
    std::uint32_t generation = 0;
    std::uint32_t pending = 0;        // operations whose last completion has not come
    std::optional<operation> armed;   // what goes on until it is cancelled: accept, receive or readable
    std::uint8_t other_size_run = 0;  // receives in a row that are of a size for the other way to receive
    bool owns_descriptor : 1 = true;
    bool listening : 1 = false;
    bool wanted : 1 = false;
    bool ended : 1 = false;     // nothing more is received
    bool direct : 1 = false;    // the way to receive: directly, or through the ring
    bool readable : 1 = false;  // something may be there to be received directly
    bool ending : 1 = false;    // the end is among it, of which nothing more will be said
    bool queued : 1 = false;    // in to_receive_
    bool rearming : 1 = false;  // in to_rearm_
    bool cancelling : 1 = false;
    bool watching_hang_up : 1 = false;
    bool connecting : 1 = false;
    bool polling : 1 = false;
    bool resending : 1 = false;
    bool closing : 1 = false;
    bool send_failed : 1 = false;
    send_operation* sending = nullptr;
  };
  struct failed_send {
    token which;
    int error;
  };

  static bool came_from_outside(const completion& each) noexcept {
    const operation what = operation_of(each.data);
    return what != operation::alarm && what != operation::send && what != operation::ignored;
  }

  slot& at(token which) noexcept { return slots_[which.slot]; }
  slot& make(token which, int descriptor, bool owns) {
    room_.make(std::size_t{which.slot} + 1, slots_, sent_, failed_sends_, to_receive_, closed_, to_rearm_);
    slot& here = slots_[which.slot];
    here = slot{};
    here.generation = which.generation;
    here.descriptor = descriptor;
    here.owns_descriptor = owns;
    return here;
  }

  void enable() {
    queues_.enable();
    enabled_ = true;
    arm_wake();
  }

  // Lets output leave before the rest of a long batch is delivered.
  void send_early(engine_events& events) {
    if (!events.between_completions()) return;
    received_.publish();
    queues_.submit();
    // What has been sent need not be kept: the next messages find its memory in the processor's cache.
    reap_sends(events, queues_.completions());
  }

  void cancel(std::uint64_t data) noexcept {
    io_uring_sqe* entry = queues_.operation();
    io_uring_prep_cancel64(entry, data, 0);
    entry->user_data = data_of(operation::ignored, {});
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
  }

  void arm_wake() noexcept {
    io_uring_sqe* entry = queues_.operation();
    io_uring_prep_poll_multishot(entry, wake_, POLLIN);
    entry->user_data = data_of(operation::wake, {});
  }
  void arm_receiving(token which, slot& here) noexcept {
    io_uring_sqe* entry = queues_.operation();
    if (here.direct) {
      io_uring_prep_poll_multishot(entry, here.descriptor, POLLIN | POLLRDHUP);
    } else {
      io_uring_prep_recv_multishot(entry, here.descriptor, nullptr, 0, 0);
      entry->flags |= IOSQE_BUFFER_SELECT;
      entry->buf_group = receive_ring::group;
      here.readable = false;  // or what is there would be received twice at once, in any order
    }
    arm(which, here, entry, here.direct ? operation::readable : operation::receive);
  }
  void arm_accept(token which, slot& here) noexcept {
    io_uring_sqe* entry = queues_.operation();
    io_uring_prep_multishot_accept(entry, here.descriptor, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    arm(which, here, entry, operation::accept);
  }
  static void arm(token which, slot& here, io_uring_sqe* entry, operation as) noexcept {
    entry->user_data = data_of(as, which);
    here.armed = as;
    ++here.pending;
  }
  void disarm(token which, slot& here) noexcept {
    if (!here.armed || here.cancelling) return;
    here.cancelling = true;
    cancel(data_of(*here.armed, which));
  }
  static void note_disarmed(slot& here) noexcept {
    here.armed.reset();
    here.cancelling = false;
    --here.pending;
  }
  // While reading is paused only errors and hang-ups are looked for; poll always reports them. It reports the peer's
  // FIN (POLLRDHUP) as well, once, which is no hang-up: the bytes before it have not been received yet.
  void watch_hang_up(token which, slot& here) noexcept {
    io_uring_sqe* entry = queues_.operation();
    io_uring_prep_poll_multishot(entry, here.descriptor, 0);
    entry->user_data = data_of(operation::hang_up, which);
    here.watching_hang_up = true;
    ++here.pending;
  }

  void issue_send(token which, slot& here, operation as, int flags, unsigned entry_flags) noexcept {
    send_operation& what = *here.sending;
    flags |= what.flags() | MSG_WAITALL;
    io_uring_sqe* entry = queues_.operation();
    const std::size_t count = what.pieces.size() - what.first;
    const iovec& piece = what.pieces[what.first];
    if (count == 1) {
      io_uring_prep_send(entry, here.descriptor, piece.iov_base, piece.iov_len, flags);
    } else {
      what.message = {};
      what.message.msg_iov = what.pieces.data() + what.first;
      what.message.msg_iovlen = count;
      io_uring_prep_sendmsg(entry, here.descriptor, &what.message, static_cast<unsigned>(flags));
    }
    entry->flags |= static_cast<std::uint8_t>(entry_flags);
    entry->user_data = data_of(as, which);
    ++here.pending;
  }

  void submit_and_wait(std::optional<time_point> deadline) noexcept {
    const bool must_not_wait = std::exchange(hurry_, false) || !closed_.empty() || !to_receive_.empty() ||
                               (deadline && !rings_before(*deadline));
    // Looked at last: setting the alarm may have made room by a submission.
    if (must_not_wait || !queues_.completions().empty()) return queues_.submit();
    const auto finds = [this] { return queues_.look(); };
    if (polling_.wanted() && polling_.find(
                                 deadline, [this] { return now(); }, finds))
      return;
    queues_.submit_and_wait();
  }

  // Sees to it that a wait ends at the deadline; false when it has passed. One alarm stands for many waits: deadlines
  // mostly move further away, and an alarm that comes too early costs one turn, while a time-out for every wait would
  // cost the kernel a timer each time.
  bool rings_before(time_point deadline) noexcept {
    if (alarm_ && *alarm_ <= deadline) return true;
    if (deadline <= now()) return false;
    const auto since = std::chrono::nanoseconds(deadline.time_since_epoch()).count();
    alarm_time_ = {since / 1'000'000'000, since % 1'000'000'000};
    io_uring_sqe* entry = queues_.operation();
    if (alarm_) {
      io_uring_prep_timeout_update(entry, &alarm_time_, data_of(operation::alarm, {}), IORING_TIMEOUT_ABS);
      entry->user_data = data_of(operation::ignored, {});
      entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
    } else {
      io_uring_prep_timeout(entry, &alarm_time_, 0, IORING_TIMEOUT_ABS);
      entry->user_data = data_of(operation::alarm, {});
    }
    alarm_ = deadline;
    return true;
  }

  // See fact 1 at the head of the file. Failed sends are marked first, then every other send that was submitted has
  // succeeded. Their completions count once.
  void reap_sends(engine_events& events, std::vector<completion>& completions) {
    if (sent_.empty()) return;
    // Sending again may submit what is prepared, and add completions.
    for (std::size_t i = 0, count = completions.size(); i < count; ++i) {
      if (operation_of(completions[i].data) != operation::send) continue;
      const token which = token_of(completions[i].data);
      completions[i].data = data_of(operation::ignored, {});
      slot& here = at(which);
      here.send_failed = true;
      after_failed_send(which, here, completions[i].result);
    }
    sent_.take_all([&](token which) {
      slot& here = at(which);
      --here.pending;
      const bool failed = here.send_failed;
      here.send_failed = false;
      if (failed) return;
      here.sending = nullptr;
      complete_send(events, which, 0);
    });
    failed_sends_.take_all([&](const failed_send& each) { complete_send(events, each.which, each.error); });
  }

  void after_failed_send(token which, slot& here, int result) {
    const bool full = result >= 0 || result == -EAGAIN;
    if (full && !here.closing) {
      if (result > 0) here.sending->advance(static_cast<std::size_t>(result));
      resend(which, here);
      return;
    }
    here.sending = nullptr;
    failed_sends_.add({which, full ? ECANCELED : -result});
  }
  void resend(token which, slot& here) noexcept {
    here.resending = true;
    issue_send(which, here, operation::resend, 0, 0);
  }
  void complete_send(engine_events& events, token which, int error) {
    if (engine_client* client = events.client_of(which)) client->on_sent(error);
    finish_close(which, at(which));
  }

  void finish_close(token which, slot& here) noexcept {
    if (!here.closing || here.pending > 0 || here.generation != which.generation) return;
    if (here.owns_descriptor && here.descriptor >= 0) ::close(here.descriptor);
    here = slot{};
    closed_.add(which);
  }
  void deliver_closed(engine_events& events) {
    closed_.take_all([&](token which) {
      if (engine_client* client = events.client_of(which)) client->on_closed();
    });
  }

  void deliver(engine_events& events, const completion& each) {
    const token which = token_of(each.data);
    switch (operation_of(each.data)) {
      case operation::receive:
        return received(events, which, each.result, each.flags);
      case operation::resend:
        return resent(events, which, each.result);
      case operation::accept:
        return accepted(events, which, each.result, each.flags);
      case operation::hang_up:
        return hung_up(events, which, each.result, each.flags);
      case operation::connect:
        return connected(events, which, each.result);
      case operation::readiness:
        return ready(events, which, each.result);
      case operation::wake:
        return woken(each.flags);
      case operation::readable:
        return readable(events, which, each.result, each.flags);
      case operation::alarm:
        alarm_.reset();
        return;
      case operation::send:     // reaped already
      case operation::ignored:  // the same, or a cancellation that came too late
        return;
    }
  }

  void received(engine_events& events, token which, int result, std::uint32_t flags) {
    engine_client* client = events.client_of(which);
    if (result > 0) {
      const auto count = static_cast<std::size_t>(result);
      const auto bytes = received_.bytes(flags, count);
      if (client != nullptr) client->on_received(bytes);
      received_.finish(flags, count);
      choose_way(which, at(which), false, count);
    }
    if ((flags & IORING_CQE_F_MORE) != 0) return;
    slot& here = at(which);
    note_disarmed(here);
    const bool goes_on = result > 0 || result == -ENOBUFS || result == -ECANCELED || result == -EINTR;
    if (here.closing) return finish_close(which, here);
    if (goes_on) return rearm_later(which, here);
    end_receiving(which, here, client, -result);
  }

  void readable(engine_events& events, token which, int result, std::uint32_t flags) {
    if (result > 0) {
      slot& here = at(which);
      here.readable = true;
      // For good: the kernel may say so in one of several completions for the same end.
      if ((result & (POLLRDHUP | POLLHUP | POLLERR)) != 0) here.ending = true;
      if (here.wanted) {
        if (!here.queued) receive_directly(events, which);
      } else if (is_hang_up(result) && !here.closing && !here.ended) {
        end_receiving(which, here, events.client_of(which), ECONNRESET);
      }
    }
    if ((flags & IORING_CQE_F_MORE) != 0) return;
    slot& here = at(which);
    note_disarmed(here);
    if (here.closing) return finish_close(which, here);
    if (result < 0 && result != -ECANCELED && !here.ended) {
      return end_receiving(which, here, events.client_of(which), -result);
    }
    rearm_later(which, here);
  }

  // What is left of the last turn: the poll tells of what arrives, not of what is there. Each connection receives once
  // in a turn, so that others get theirs.
  void receive_rest(engine_events& events) {
    to_receive_.take_all([&](token which) {
      if (at(which).generation != which.generation) return;
      at(which).queued = false;
      receive_directly(events, which);
      send_early(events);
    });
  }
  void receive_later(token which, slot& here) {
    if (here.queued) return;
    here.queued = true;
    to_receive_.add(which);
  }

  void receive_directly(engine_events& events, token which) {
    if (!at(which).wanted || !at(which).readable) return;
    engine_client* client = events.client_of(which);
    const ssize_t result = ::recv(at(which).descriptor, direct_buffer_.get(), direct_buffer_size, MSG_DONTWAIT);
    const int error = errno;
    if (result <= 0 && !(result < 0 && (error == EAGAIN || error == EINTR))) {
      return end_receiving(which, at(which), client, result == 0 ? 0 : error);
    }
    const auto count = static_cast<std::size_t>(std::max<ssize_t>(result, 0));
    if (count > 0 && client != nullptr) client->on_received({direct_buffer_.get(), count});
    slot& here = at(which);
    const bool interrupted = result < 0 && error == EINTR;
    here.readable = interrupted || count == direct_buffer_size || (count > 0 && here.ending);
    if (here.wanted && here.readable) receive_later(which, here);
    if (count > 0) choose_way(which, here, true, count);
  }

  // Looks at what was received, and changes the way to receive when receives have become large or small.
  void choose_way(token which, slot& here, bool directly, std::size_t count) noexcept {
    if (here.direct != directly) return;  // the change is on its way
    const bool is_for_other_way = directly ? count < small_receive : count >= large_receive;
    here.other_size_run = is_for_other_way ? here.other_size_run + 1 : 0;
    if (here.other_size_run < (directly ? ring_after : direct_after)) return;
    here.other_size_run = 0;
    here.direct = !directly;
    disarm(which, here);
  }

  void end_receiving(token which, slot& here, engine_client* client, int error) noexcept {
    here.wanted = false;
    here.ended = true;
    disarm(which, here);
    if (client != nullptr) client->on_receive_ended(error);
  }

  // After the batch, when its buffers are back in the ring.
  void rearm() {
    to_rearm_.take_all([this](token which) {
      slot& here = at(which);
      if (here.generation != which.generation) return;
      here.rearming = false;
      if (here.closing || here.armed) return;
      if (here.wanted) {
        here.listening ? arm_accept(which, here) : arm_receiving(which, here);
      } else if (!here.listening && !here.ended && !here.watching_hang_up) {
        watch_hang_up(which, here);
      }
    });
  }
  void rearm_later(token which, slot& here) {
    if (here.rearming) return;
    here.rearming = true;
    to_rearm_.add(which);
  }

  void resent(engine_events& events, token which, int result) {
    slot& here = at(which);
    --here.pending;
    here.resending = false;
    if (result >= 0 && !here.sending->advance(static_cast<std::size_t>(result)) && !here.closing) {
      return resend(which, here);
    }
    here.sending = nullptr;
    complete_send(events, which, result >= 0 ? 0 : -result);
  }

  void accepted(engine_events& events, token which, int result, std::uint32_t flags) {
    engine_client* client = events.client_of(which);
    slot& here = at(which);
    if ((flags & IORING_CQE_F_MORE) == 0) {
      note_disarmed(here);
      rearm_later(which, here);
    }
    if (client != nullptr && result != -ECANCELED && result != -ECONNABORTED && result != -EAGAIN) {
      client->on_accepted(result);
    } else if (result >= 0) {
      ::close(result);
    }
    finish_close(which, at(which));
  }

  static bool is_hang_up(int result) noexcept { return result > 0 && (result & (POLLERR | POLLHUP)) != 0; }
  void hung_up(engine_events& events, token which, int result, std::uint32_t flags) {
    slot& here = at(which);
    const bool is_last = (flags & IORING_CQE_F_MORE) == 0;
    if (is_last) {
      here.watching_hang_up = false;
      --here.pending;
    }
    if (here.closing) return finish_close(which, here);
    engine_client* client = events.client_of(which);
    if (is_hang_up(result) && !here.armed && !here.ended) return end_receiving(which, here, client, ECONNRESET);
    if (is_last && result >= 0 && !here.armed) rearm_later(which, here);
  }

  void connected(engine_events& events, token which, int result) {
    slot& here = at(which);
    here.connecting = false;
    --here.pending;
    if (!here.closing) {
      if (engine_client* client = events.client_of(which)) client->on_connected(-result);
    }
    finish_close(which, at(which));
  }

  void ready(engine_events& events, token which, int result) {
    slot& here = at(which);
    here.polling = false;
    --here.pending;
    if (!here.closing) {
      if (engine_client* client = events.client_of(which)) client->on_ready(result);
    }
    finish_close(which, at(which));
  }

  void woken(std::uint32_t flags) noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = ::read(wake_, &count, sizeof count);
    if ((flags & IORING_CQE_F_MORE) == 0) arm_wake();
  }

  busy_polling polling_;
  io_uring_queues queues_;
  receive_ring received_;
  std::unique_ptr<std::byte[]> direct_buffer_;
  int wake_ = -1;
  bool enabled_ = false;
  std::vector<slot> slots_;
  bool hurry_ = false;
  std::optional<time_point> alarm_;  // when the kernel ends a wait
  __kernel_timespec alarm_time_{};   // the same, for the kernel to read
  std::vector<completion> batch_;    // being delivered
  pending_room room_;
  pending_events<token> sent_;  // issued since the last reaping
  pending_events<failed_send> failed_sends_;
  pending_events<token> to_receive_;  // directly, in the next turn
  pending_events<token> closed_;
  pending_events<token> to_rearm_;
};

}  // namespace

std::unique_ptr<engine> make_io_uring_engine(const io_uring_features& features, duration busy_poll) {
  return std::make_unique<io_uring_engine>(features.incremental_buffers, busy_poll);
}

io_uring_features probe_io_uring() {
  io_uring_features features;
  try {
    io_uring_queues queues;
    features.available = true;
    const receive_ring incremental(queues.ring(), {.count = 2, .size = 4096}, true);
    features.incremental_buffers = true;
  } catch (const std::system_error& error) {
    features.reason = features.available ? "the kernel has no incremental provided-buffer rings (Linux 6.12 has them)"
                                         : std::string("io_uring is not available here (") + error.what() + ")";
  }
  return features;
}

}  // namespace windhover::net
