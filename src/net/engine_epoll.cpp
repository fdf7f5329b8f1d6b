// The epoll engine: level-triggered, one receive buffer for the whole loop, sends at once.
//
// Used where io_uring is missing, forbidden or too old. One receive per readiness and turn keeps connections fair: what
// is left makes the descriptor ready again.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/system_error.hpp"
#include "net/busy_polling.hpp"
#include "net/engine.hpp"
#include "net/pending_events.hpp"

namespace windhover::net {
namespace {

constexpr std::size_t receive_buffer_size = std::size_t{512} << 10;
constexpr int events_per_turn = 512;
constexpr std::uint64_t wake_data = ~std::uint64_t{0};
constexpr std::uint64_t alarm_data = wake_data - 1;

constexpr std::uint64_t data_of(token which) noexcept { return std::uint64_t{which.generation} << 32 | which.slot; }
constexpr token token_of(std::uint64_t data) noexcept {
  return {static_cast<std::uint32_t>(data), static_cast<std::uint32_t>(data >> 32)};
}

// As send() and recv(), which the C library makes points of cancellation: where there are several threads, each of its
// calls costs two atomic operations more.
ssize_t send_bytes(int descriptor, const void* bytes, std::size_t size, int flags) noexcept {
  return ::syscall(SYS_sendto, descriptor, bytes, size, flags, nullptr, 0);
}
ssize_t receive_bytes(int descriptor, void* into, std::size_t room) noexcept {
  return ::syscall(SYS_recvfrom, descriptor, into, room, 0, nullptr, nullptr);
}

class owned_descriptor {
 public:
  // Of a call that may have failed.
  owned_descriptor(int made, const char* by) : descriptor_(made) {
    if (made < 0) base::throw_system_error(errno, by);
  }
  owned_descriptor(const owned_descriptor&) = delete;
  owned_descriptor& operator=(const owned_descriptor&) = delete;
  ~owned_descriptor() { ::close(descriptor_); }
  int get() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

class epoll_engine final : public engine {
 public:
  explicit epoll_engine(duration busy_poll)
      : polling_(busy_poll), buffer_(std::make_unique_for_overwrite<std::byte[]>(receive_buffer_size)) {
    watch(wake_, wake_data);
    watch(alarm_, alarm_data);
  }
  ~epoll_engine() override {
    for (const slot& each : slots_) {
      if (each.owns_descriptor && each.descriptor >= 0) ::close(each.descriptor);
    }
  }

  std::string_view name() const noexcept override { return "epoll"; }
  time_point now() const noexcept override { return std::chrono::steady_clock::now(); }
  wall_time wall_now() const noexcept override { return std::chrono::system_clock::now(); }
  std::size_t fair_share() const noexcept override { return ~std::size_t{0}; }

  void open(token which, int descriptor) override { add(which, kind::connection, descriptor, 0); }

  void set_receiving(token which, bool wanted) noexcept override { change(at(which), which, EPOLLIN, wanted); }

  bool send(token which, send_operation& operation) noexcept override {
    slot& here = at(which);
    const int error = send_now(here.descriptor, operation);
    if (error == 0) return true;
    if (error == EAGAIN) {
      here.sending = &operation;
      change(here, which, EPOLLOUT, true);
    } else {
      failed_sends_.add({which, error});
    }
    return false;
  }

  void shut_down(token which) noexcept override { ::shutdown(at(which).descriptor, SHUT_WR); }

  void close(token which, bool reset) noexcept override {
    slot& here = at(which);
    if (here.registered) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, here.descriptor, nullptr);
    here.registered = false;
    if (here.owns_descriptor) {
      if (reset) {
        const linger at_once{1, 0};
        ::setsockopt(here.descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      }
      ::close(here.descriptor);
    }
    here = slot{};
    closed_.add(which);
  }

  void listen(token which, int descriptor) override { add(which, kind::listener, descriptor, EPOLLIN); }
  void set_accepting(token which, bool wanted) noexcept override { change(at(which), which, EPOLLIN, wanted); }

  void connect(token which, int descriptor, const address& to) override {
    int error = ::connect(descriptor, &to.value.any, to.size) == 0 ? 0 : errno;
    // An interrupted connect goes on by itself, like one that takes time.
    if (error == EINPROGRESS || error == EINTR) {
      if (try_add(which, kind::connecting, descriptor, EPOLLOUT | EPOLLONESHOT)) {
        at(which).owns_descriptor = false;
        return;
      }
      error = errno;
    }
    slot& here = make(which);
    here.what = kind::connecting;
    here.owns_descriptor = false;
    connected_now_.add({which, error});
  }

  void poll(token which, int descriptor, short events) override {
    // Waiting for several things on one descriptor at once needs a descriptor for each.
    const std::uint32_t mask = static_cast<std::uint32_t>(events) | EPOLLONESHOT;
    if (try_add(which, kind::readiness, descriptor, mask)) {
      at(which).owns_descriptor = false;
      return;
    }
    const int own = ::dup(descriptor);
    if (own < 0 || !try_add(which, kind::readiness, own, mask)) {
      const int error = errno;
      if (own >= 0) ::close(own);
      // Regular files are always ready.
      slot& here = make(which);
      here.what = kind::readiness;
      ready_now_.add({which, error == EPERM ? events : -error});
    }
  }

  void turn(engine_events& events, std::optional<time_point> deadline) override {
    epoll_event ready[events_per_turn];
    const int count = wait(ready, deadline);
    events.woke();
    if (polling_.wanted() && std::any_of(ready, ready + std::max(count, 0), came_from_outside)) polling_.event_came();
    deliver_own(events);
    for (int i = 0; i < count; ++i) {
      deliver(events, ready[i]);
      events.between_completions();
    }
  }

  void wake() noexcept override {
    const std::uint64_t one = 1;
    // A full counter means that the loop is about to wake anyway.
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
  }

 private:
  enum class kind : std::uint8_t { none, connection, listener, connecting, readiness };
  struct slot {
    int descriptor = -1;
    std::uint32_t generation = 0;
    std::uint32_t interest = 0;
    kind what = kind::none;
    bool owns_descriptor = true;
    bool registered = false;
    send_operation* sending = nullptr;
  };
  struct result {
    token which;
    int value;
  };

  slot& at(token which) noexcept { return slots_[which.slot]; }
  slot& make(token which) {
    room_.make(std::size_t{which.slot} + 1, slots_, closed_, failed_sends_, connected_now_, ready_now_);
    slots_[which.slot] = slot{};
    slots_[which.slot].generation = which.generation;
    return slots_[which.slot];
  }

  bool try_add(token which, kind what, int descriptor, std::uint32_t interest) {
    slot& here = make(which);  // first: what the kernel tells of has a slot
    epoll_event event{};
    event.events = interest;
    event.data.u64 = data_of(which);
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0) return false;
    here.descriptor = descriptor;
    here.what = what;
    here.interest = interest;
    here.registered = true;
    return true;
  }
  void add(token which, kind what, int descriptor, std::uint32_t interest) {
    if (!try_add(which, what, descriptor, interest)) base::throw_system_error(errno, "epoll_ctl");
  }

  void change(slot& here, token which, std::uint32_t bit, bool on) noexcept {
    const std::uint32_t interest = on ? here.interest | bit : here.interest & ~bit;
    if (interest == here.interest || !here.registered) return;
    here.interest = interest;
    epoll_event event{};
    event.events = interest;
    event.data.u64 = data_of(which);
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, here.descriptor, &event);
  }

  // 0 when everything went, EAGAIN when the socket is full, otherwise the failure.
  static int send_now(int descriptor, send_operation& operation) noexcept {
    const int flags = operation.flags() | MSG_DONTWAIT;
    for (;;) {
      const iovec* const pieces = operation.pieces.data() + operation.first;
      const std::size_t count = operation.pieces.size() - operation.first;
      ssize_t sent = 0;
      if (count == 1) {
        sent = send_bytes(descriptor, pieces->iov_base, pieces->iov_len, flags);
      } else {
        operation.message.msg_iov = operation.pieces.data() + operation.first;
        operation.message.msg_iovlen = count;
        sent = ::sendmsg(descriptor, &operation.message, flags);
      }
      if (sent < 0) {
        if (errno == EINTR) continue;
        return errno;
      }
      if (operation.advance(static_cast<std::size_t>(sent))) return 0;
    }
  }

  void watch(const owned_descriptor& what, std::uint64_t data) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = data;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, what.get(), &event) != 0) base::throw_system_error(errno, "epoll_ctl");
  }

  // How many of `ready` it has filled.
  int wait(epoll_event (&ready)[events_per_turn], std::optional<time_point> deadline) noexcept {
    int count = 0;
    const auto finds = [&](int milliseconds) {
      count = ::epoll_wait(epoll_.get(), ready, events_per_turn, milliseconds);
      return count != 0;
    };
    const bool nothing_to_deliver =
        closed_.empty() && failed_sends_.empty() && ready_now_.empty() && connected_now_.empty();
    if (nothing_to_deliver && polling_.wanted() &&
        polling_.find(
            deadline, [this] { return now(); }, [&] { return finds(0); })) {
      return count;
    }
    finds(nothing_to_deliver && (!deadline || rings_before(*deadline)) ? -1 : 0);
    return count;
  }

  static bool came_from_outside(const epoll_event& each) noexcept { return each.data.u64 != alarm_data; }

  // Sees to it that a wait ends at the deadline; false when it has passed. One alarm stands for many waits: deadlines
  // mostly move further away, and an alarm that comes too early costs one turn, while a time-out for every wait would
  // cost the kernel a timer each time.
  bool rings_before(time_point deadline) noexcept {
    if (rings_at_ && *rings_at_ <= deadline) return true;
    if (deadline <= now()) return false;
    const auto since = std::chrono::nanoseconds(deadline.time_since_epoch()).count();
    itimerspec time{};
    time.it_value = {since / 1'000'000'000, since % 1'000'000'000};
    ::timerfd_settime(alarm_.get(), TFD_TIMER_ABSTIME, &time, nullptr);
    rings_at_ = deadline;
    return true;
  }

  // What was found out without waiting.
  void deliver_own(engine_events& events) {
    failed_sends_.take_all([&](const result& each) {
      if (engine_client* client = events.client_of(each.which)) client->on_sent(each.value);
    });
    connected_now_.take_all([&](const result& each) {
      if (engine_client* client = events.client_of(each.which)) client->on_connected(each.value);
    });
    ready_now_.take_all([&](const result& each) {
      if (engine_client* client = events.client_of(each.which)) client->on_ready(each.value);
    });
    closed_.take_all([&](token each) {
      if (engine_client* client = events.client_of(each)) client->on_closed();
    });
  }

  void deliver(engine_events& events, const epoll_event& event) {
    if (event.data.u64 == wake_data || event.data.u64 == alarm_data) {
      const bool is_alarm = event.data.u64 == alarm_data;
      std::uint64_t count = 0;
      [[maybe_unused]] const auto taken = ::read((is_alarm ? alarm_ : wake_).get(), &count, sizeof count);
      if (is_alarm) rings_at_.reset();
      return;
    }
    const token which = token_of(event.data.u64);
    engine_client* client = events.client_of(which);
    if (client == nullptr || at(which).generation != which.generation) return;
    switch (at(which).what) {
      case kind::connection:
        return deliver_connection(which, *client, event.events);
      case kind::listener:
        return accept_all(which, *client);
      case kind::connecting:
        return client->on_connected(error_of(at(which).descriptor));
      case kind::readiness:
        return client->on_ready(static_cast<int>(event.events & ~std::uint32_t{EPOLLONESHOT}));
      case kind::none:
        return;
    }
  }

  static int error_of(int descriptor) noexcept {
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
  }

  bool still(token which) noexcept { return at(which).generation == which.generation && at(which).what != kind::none; }

  void deliver_connection(token which, engine_client& client, std::uint32_t events) {
    if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0 && at(which).sending != nullptr) {
      slot& here = at(which);
      const int error = send_now(here.descriptor, *here.sending);
      if (error != EAGAIN) {
        here.sending = nullptr;
        change(here, which, EPOLLOUT, false);
        client.on_sent(error);
      }
    }
    if (!still(which)) return;
    if ((at(which).interest & EPOLLIN) != 0) {
      if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) receive(which, client);
    } else if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
      // Reading is paused: only a hang-up is looked at.
      end_receiving(which, client, ECONNRESET);
    }
  }

  void receive(token which, engine_client& client) {
    const ssize_t count = receive_bytes(at(which).descriptor, buffer_.get(), receive_buffer_size);
    if (count > 0) return client.on_received({buffer_.get(), static_cast<std::size_t>(count)});
    if (count == 0) return end_receiving(which, client, 0);
    if (errno == EAGAIN || errno == EINTR) return;
    end_receiving(which, client, errno);
  }

  // Level-triggered epoll would report the end again and again.
  void end_receiving(token which, engine_client& client, int error) {
    slot& here = at(which);
    if (error != 0 && here.registered) {
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, here.descriptor, nullptr);
      here.registered = false;
    } else {
      change(here, which, EPOLLIN, false);
    }
    client.on_receive_ended(error);
  }

  void accept_all(token which, engine_client& client) {
    for (int i = 0; i < events_per_turn; ++i) {
      if (!still(which) || (at(which).interest & EPOLLIN) == 0) return;
      const int accepted = ::accept4(at(which).descriptor, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (accepted >= 0) {
        client.on_accepted(accepted);
        continue;
      }
      if (errno == EAGAIN) return;
      if (errno != EINTR && errno != ECONNABORTED) return client.on_accepted(-errno);
    }
  }

  owned_descriptor epoll_{::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"};
  owned_descriptor wake_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"};
  owned_descriptor alarm_{::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create"};
  std::optional<time_point> rings_at_;  // when the alarm rings
  busy_polling polling_;
  std::unique_ptr<std::byte[]> buffer_;
  std::vector<slot> slots_;
  pending_room room_;
  pending_events<token> closed_;
  pending_events<result> failed_sends_;
  pending_events<result> connected_now_;
  pending_events<result> ready_now_;
};

}  // namespace

std::unique_ptr<engine> make_epoll_engine(duration busy_poll) { return std::make_unique<epoll_engine>(busy_poll); }

}  // namespace windhover::net
