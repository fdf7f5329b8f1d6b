#include "net/engine_simulation.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "base/system_error.hpp"

namespace windhover::net {
namespace {

using outcome = simulated_network::outcome;

using receive_buffer = std::array<std::byte, std::size_t{64} << 10>;
constexpr int accepts_per_turn = 512;

class simulation_engine final : public engine {
 public:
  explicit simulation_engine(simulated_network& network) : network_(network), buffers_(1) {}
  ~simulation_engine() override {
    for (const slot& each : slots_) {
      if (each.open && each.descriptor >= 0) network_.close(each.descriptor, false);
    }
  }

  std::string_view name() const noexcept override { return "simulation"; }
  time_point now() const noexcept override { return network_.now(); }
  wall_time wall_now() const noexcept override { return network_.wall_now(); }
  std::size_t fair_share() const noexcept override { return conduct().fair_share; }

  void open(token which, int descriptor) override {
    if (network_.operation_fails()) base::throw_system_error(ENOMEM, "open");
    make(which, kind::connection, descriptor);
  }

  void set_receiving(token which, bool wanted) noexcept override {
    slot& here = at(which);
    if (here.closing) return;
    // The kernel may have completed some more of what is being cancelled.
    if (here.wanted && !wanted && random().chance(conduct().lost_cancels)) {
      here.strays = static_cast<unsigned>(random().between(1, 3));
    }
    here.wanted = wanted && !here.ended;
  }

  bool send(token which, send_operation& operation) noexcept override {
    slot& here = at(which);
    here.sending = &operation;
    here.send_due = now();
    here.send_error = network_.operation_fails() ? failure_of_a_send() : 0;
    if (here.send_error != 0) return false;
    if (random().chance(conduct().late_sends)) {
      here.send_due += any_time_up_to(conduct().latency);
      return false;
    }
    // What has failed at once is told in a turn.
    if (!proceed(here) || here.send_error != 0) return false;
    here.sending = nullptr;
    return true;
  }

  void shut_down(token which) noexcept override { network_.shut_down(at(which).descriptor); }

  void close(token which, bool reset) noexcept override {
    slot& here = at(which);
    here.closing = true;
    // So may the cancelling of a connect.
    here.wanted = here.wanted && here.what == kind::connecting && random().chance(conduct().lost_cancels);
    here.reset = reset;
    here.strays = random().chance(conduct().lost_cancels) ? static_cast<unsigned>(random().below(3)) : 0;
    // Cancelling a send may come too late; or, as with epoll, nothing is under way and none completes.
    if (here.sending != nullptr && !random().chance(conduct().lost_cancels)) here.sending = nullptr;
    // The descriptor is closed at once where no operation keeps it.
    if (here.sending == nullptr && here.strays == 0 && here.what != kind::none) release(here);
  }

  void listen(token which, int descriptor) override {
    if (network_.operation_fails()) base::throw_system_error(ENOMEM, "listen");
    make(which, kind::listener, descriptor).wanted = true;
  }
  void set_accepting(token which, bool wanted) noexcept override { at(which).wanted = wanted && !at(which).closing; }

  void connect(token which, int descriptor, const address& to) override {
    slot& here = make(which, kind::connecting, -1);
    here.wanted = true;
    here.connecting = descriptor;
    here.to = &to;
    here.answer_due = now() + any_time_up_to(conduct().latency);
  }

  // The kernel's descriptors are not simulated: what waits for one is told so.
  void poll(token which, int, short) override { make(which, kind::readiness, -1); }

  int make_socket(sa_family_t) noexcept override { return network_.make_socket(); }
  int accept_pending(int listening) noexcept override { return network_.accept(listening); }
  void stop_listening(int listening) noexcept override { network_.stop_listening(listening); }
  void discard(int descriptor) noexcept override { network_.close(descriptor, false); }
  endpoint local_endpoint(int descriptor) const override { return network_.local_endpoint(descriptor); }
  endpoint remote_endpoint(int descriptor) const override { return network_.remote_endpoint(descriptor); }

  void turn(engine_events& events, std::optional<time_point> deadline) override;
  void wake() noexcept override { woken_.store(true); }

 private:
  enum class kind : std::uint8_t { none, connection, listener, connecting, readiness };
  // One of both.
  struct due {
    token which{};
    network_actor* actor = nullptr;
  };
  struct slot {
    std::uint32_t generation = 0;
    int descriptor = -1;
    kind what = kind::none;
    bool open = false;
    bool wanted = false;
    bool closing = false;
    bool reset = false;
    bool ended = false;  // the end, or a failure, was told
    bool hang_up_told = false;
    unsigned strays = 0;  // deliveries that come although nobody wants them any more
    int send_error = 0;
    send_operation* sending = nullptr;
    time_point send_due{};
    // Of a connect. The descriptor is its owner's.
    int connecting = -1;
    const address* to = nullptr;
    time_point answer_due{};
  };

  const network_conduct& conduct() const noexcept { return network_.conduct(); }
  seeded_random& random() const noexcept { return network_.random(); }
  duration any_time_up_to(duration most) const noexcept {
    return duration(static_cast<duration::rep>(random().below(static_cast<std::uint64_t>(most.count()) + 1)));
  }
  slot& at(token which) noexcept { return slots_[which.slot]; }
  bool still(token which) noexcept { return at(which).generation == which.generation; }
  slot& make(token which, kind what, int descriptor) {
    if (slots_.size() <= which.slot) slots_.resize(which.slot + 1);
    slots_[which.slot] = {.generation = which.generation, .descriptor = descriptor, .what = what, .open = true};
    return slots_[which.slot];
  }
  void release(slot& here) noexcept {
    if (std::exchange(here.open, false) && here.descriptor >= 0) network_.close(here.descriptor, here.reset);
  }

  int failure_of_a_send() const noexcept {
    constexpr int errors[] = {EPIPE, ECONNRESET, ENOBUFS, ETIMEDOUT};
    return errors[random().below(std::size(errors))];
  }
  int failure_of_a_connect() const noexcept {
    constexpr int errors[] = {ECONNREFUSED, ETIMEDOUT, ENETUNREACH, ENOMEM};
    return errors[random().below(std::size(errors))];
  }
  int failure_of_a_receive() const noexcept {
    constexpr int errors[] = {ECONNRESET, ETIMEDOUT, ENOMEM, EHOSTUNREACH};
    return errors[random().below(std::size(errors))];
  }
  bool proceed(slot& here) noexcept;
  bool has_event(const slot& here) const;
  bool wants_to_act(const network_actor& actor) const;
  void collect_due();
  std::optional<time_point> next_event() const;
  void pass_time(std::optional<time_point> deadline);
  void deliver(engine_events& events, token which);
  void finish_close(engine_events& events, token which);
  void deliver_connection(engine_events& events, token which);
  void finish_send(engine_events& events, token which, int error);
  void receive(engine_events& events, token which);
  void end_receiving(engine_events& events, token which, int error);
  void accept(engine_events& events, token which);
  void answer_connect(engine_events& events, token which);

  simulated_network& network_;
  // One. A vector of its bytes would be filled byte by byte, which takes longer than a short test.
  std::vector<receive_buffer, unmetered_allocator<receive_buffer>> buffers_;
  std::vector<slot, unmetered_allocator<slot>> slots_;
  std::vector<due, unmetered_allocator<due>> batch_;
  std::size_t ring_left_ = 0;
  std::atomic<bool> woken_{false};
};

// ----- The turn

bool simulation_engine::has_event(const slot& here) const {
  if (here.what == kind::none) return false;
  if (here.closing || here.what == kind::readiness) return true;
  if (here.what == kind::listener) return here.wanted && network_.readable(here.descriptor);
  if (here.what == kind::connecting) return here.wanted && here.answer_due <= now();
  if (here.sending != nullptr && here.send_due <= now() &&
      (here.send_error != 0 || network_.writable(here.descriptor))) {
    return true;
  }
  if (here.wanted || (here.strays > 0 && !here.ended)) return network_.readable(here.descriptor);
  return !here.hang_up_told && network_.hung_up(here.descriptor);
}

bool simulation_engine::wants_to_act(const network_actor& actor) const {
  const auto next = actor.next_action();
  return next && *next <= now();
}

// In the order of the tokens, then of the actors.
void simulation_engine::collect_due() {
  batch_.clear();
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    if (has_event(slots_[i])) batch_.push_back({.which = {i, slots_[i].generation}});
  }
  for (network_actor* const each : network_.actors()) {
    if (wants_to_act(*each)) batch_.push_back({.actor = each});
  }
}

std::optional<time_point> simulation_engine::next_event() const {
  std::optional<time_point> next;
  const auto consider = [&next](std::optional<time_point> when) {
    if (when && (!next || *when < *next)) next = when;
  };
  for (const slot& here : slots_) {
    if (here.what == kind::none) continue;
    if (here.sending != nullptr && here.send_due > now()) consider(here.send_due);
    if (here.wanted && here.what == kind::connecting) consider(here.answer_due);
    if (here.wanted) consider(network_.next_arrival(here.descriptor));
    if (!here.hang_up_told) consider(network_.next_hang_up(here.descriptor));
  }
  for (const network_actor* const each : network_.actors()) consider(each->next_action());
  return next;
}

// Nothing is to be done at this time: the clock jumps to the next one at which there is.
void simulation_engine::pass_time(std::optional<time_point> deadline) {
  std::optional<time_point> next = next_event();
  if (deadline && (!next || *deadline < *next)) next = deadline;
  if (!next && network_.horizon() == time_point::max()) {
    throw std::logic_error("nothing is under way and no timer is armed: this simulation would wait for ever");
  }
  const bool too_far = !next || *next > network_.horizon();
  network_.set_stalled(too_far);
  network_.advance_to(too_far ? network_.horizon() : *next);
}

void simulation_engine::turn(engine_events& events, std::optional<time_point> deadline) {
  network_.set_stalled(false);
  const bool may_wait = !deadline || *deadline > now();
  collect_due();
  if (!woken_.exchange(false) && may_wait && batch_.empty()) {
    pass_time(deadline);
    collect_due();
  }
  events.woke();
  ring_left_ = conduct().ring == network_conduct::unlimited ? conduct().ring : random().between(1, conduct().ring);
  if (random().chance(conduct().out_of_order)) random().shuffle(batch_);
  for (const due& each : batch_) {
    if (random().chance(conduct().held_back)) continue;
    if (each.actor != nullptr) {
      each.actor->act();
      continue;
    }
    if (!still(each.which) || !has_event(at(each.which))) continue;
    deliver(events, each.which);
    if (conduct().work > duration::zero()) network_.advance_to(now() + any_time_up_to(conduct().work));
    events.between_completions();
  }
}

void simulation_engine::deliver(engine_events& events, token which) {
  switch (at(which).what) {
    case kind::connection:
      return deliver_connection(events, which);
    case kind::listener:
      return at(which).closing ? finish_close(events, which) : accept(events, which);
    case kind::connecting:
      return at(which).wanted ? answer_connect(events, which) : finish_close(events, which);
    case kind::readiness:
      if (at(which).closing) return finish_close(events, which);
      if (engine_client* const client = events.client_of(which)) client->on_ready(-EOPNOTSUPP);
      return;
    case kind::none:
      return;
  }
}

void simulation_engine::finish_close(engine_events& events, token which) {
  slot& here = at(which);
  release(here);
  network_.note("closed", here.descriptor, 0);
  here = slot{};
  if (engine_client* const client = events.client_of(which)) client->on_closed();
}

// ----- Connections

// Sends what fits; true when it is done with, one way or the other.
bool simulation_engine::proceed(slot& here) noexcept {
  send_operation& operation = *here.sending;
  for (;;) {
    const iovec& piece = operation.pieces[operation.first];
    const auto sent = network_.send(here.descriptor, {static_cast<const std::byte*>(piece.iov_base), piece.iov_len});
    if (sent < 0) {
      here.send_error = static_cast<int>(-sent);
      return true;
    }
    if (sent == 0) return false;
    if (operation.advance(static_cast<std::size_t>(sent))) return true;
    if (conduct().piece != network_conduct::unlimited) return false;  // the rest in another turn
  }
}

void simulation_engine::finish_send(engine_events& events, token which, int error) {
  slot& here = at(which);
  here.sending = nullptr;
  here.send_error = 0;
  network_.note("sent", here.descriptor, error);
  if (engine_client* const client = events.client_of(which)) client->on_sent(error);
}

void simulation_engine::deliver_connection(engine_events& events, token which) {
  if (at(which).sending != nullptr && (at(which).send_due <= now() || at(which).closing)) {
    slot& here = at(which);
    const bool done = here.send_error != 0 || proceed(here);
    if (done || here.closing) finish_send(events, which, done ? here.send_error : ECANCELED);
    if (!still(which)) return;
  }
  slot& here = at(which);
  if (here.strays > 0 && !here.ended) {
    --here.strays;
    if (network_.readable(here.descriptor)) return receive(events, which);
    if (!here.closing) return;
  }
  if (here.closing) return finish_close(events, which);
  if (here.wanted) {
    if (network_.readable(here.descriptor)) receive(events, which);
  } else if (!here.hang_up_told && network_.hung_up(here.descriptor)) {
    end_receiving(events, which, ECONNRESET);
  }
}

void simulation_engine::receive(engine_events& events, token which) {
  slot& here = at(which);
  if (network_.operation_fails()) return end_receiving(events, which, failure_of_a_receive());
  std::span<std::byte> buffer = buffers_.front();
  std::size_t most = std::min(buffer.size(), ring_left_);
  if (conduct().piece < most) most = random().between(1, conduct().piece);
  if (most == 0) return;  // no buffers are left in this turn
  const auto arrived = network_.receive(here.descriptor, buffer.first(most));
  switch (arrived.what) {
    case outcome::nothing:
      return;
    case outcome::bytes:
      if (ring_left_ != network_conduct::unlimited) ring_left_ -= arrived.size;
      if (engine_client* const client = events.client_of(which)) {
        client->on_received(buffer.first(arrived.size));
      }
      return;
    case outcome::end:
      return end_receiving(events, which, 0);
    case outcome::reset:
      return end_receiving(events, which, ECONNRESET);
  }
}

void simulation_engine::end_receiving(engine_events& events, token which, int error) {
  slot& here = at(which);
  here.wanted = false;
  here.ended = true;
  here.strays = 0;
  here.hang_up_told = here.hang_up_told || error != 0;
  network_.note("receiving ended", here.descriptor, error);
  if (engine_client* const client = events.client_of(which)) client->on_receive_ended(error);
}

// ----- Listening and connecting

void simulation_engine::accept(engine_events& events, token which) {
  for (int i = 0; i < accepts_per_turn; ++i) {
    if (!still(which) || !at(which).wanted) return;
    const int accepted = network_.accept(at(which).descriptor);
    if (accepted == -EAGAIN) return;
    engine_client* const client = events.client_of(which);
    if (client != nullptr) {
      client->on_accepted(accepted);
    } else if (accepted >= 0) {
      network_.close(accepted, false);
    }
  }
}

void simulation_engine::answer_connect(engine_events& events, token which) {
  slot& here = at(which);
  here.wanted = false;
  int error = network_.operation_fails() ? failure_of_a_connect() : 0;
  if (error == 0) error = -network_.connect_socket(here.connecting, endpoint_of(*here.to));
  network_.note("connected", here.connecting, error);
  if (engine_client* const client = events.client_of(which)) client->on_connected(error);
}

}  // namespace

std::unique_ptr<engine> make_simulation_engine(simulated_network& network) {
  return std::make_unique<simulation_engine>(network);
}

}  // namespace windhover::net
