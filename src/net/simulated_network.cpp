#include "net/simulated_network.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "base/system_error.hpp"

namespace windhover::net {
namespace {

constexpr int first_descriptor = 1 << 20;
constexpr std::uint16_t first_port = 49152;
constexpr std::size_t backlog = 4096;

// FNV-1a.
std::uint64_t mix(std::uint64_t digest, std::span<const std::byte> bytes) noexcept {
  for (const std::byte each : bytes) digest = (digest ^ static_cast<std::uint64_t>(each)) * 0x100000001b3;
  return digest;
}
std::uint64_t mix(std::uint64_t digest, std::uint64_t number) noexcept {
  return mix(digest, std::as_bytes(std::span(&number, 1)));
}

}  // namespace

network_conduct network_conduct::any(seeded_random& random) noexcept {
  // Each fault is there in some of the seeds only: what never fails hides other mistakes than what always does.
  const auto sometimes = [&random](unsigned most) {
    return random.chance(500) ? static_cast<unsigned>(random.between(1, most)) : 0U;
  };
  const auto size = [&random](std::size_t most) {
    if (random.chance(400)) return unlimited;
    // Small sizes as often as large ones.
    std::size_t limit = most;
    for (std::uint64_t halvings = random.below(16); halvings > 0 && limit > 1; --halvings) limit /= 2;
    return static_cast<std::size_t>(random.between(1, limit));
  };
  network_conduct made;
  made.latency =
      std::chrono::microseconds(random.chance(300) ? 0 : random.between(1, random.chance(100) ? 2'000'000 : 20'000));
  made.segment = size(32 << 10);
  made.window = std::max<std::size_t>(256, std::min<std::size_t>(size(256 << 10), 256 << 10));
  made.piece = size(64 << 10);
  made.ring = std::max<std::size_t>(16, size(64 << 10));
  made.fair_share = std::max<std::size_t>(16, size(64 << 10));
  made.work = std::chrono::microseconds(random.chance(500) ? 0 : random.between(1, 2000));
  made.out_of_order = random.chance(800) ? 1000 : 0;
  made.held_back = sometimes(500);
  made.late_sends = random.chance(300) ? 1000 : sometimes(900);
  made.lost_cancels = sometimes(900);
  if (random.chance(300)) made.failures = static_cast<unsigned>(random.between(1, 10));
  if (random.chance(300)) made.broken = static_cast<unsigned>(random.between(1, 10));
  if (random.chance(200)) made.descriptors = random.between(3, 24);
  return made;
}

simulated_network::simulated_network(std::uint64_t seed, network_conduct conduct)
    : random_(seed),
      conduct_(conduct),
      next_descriptor_(first_descriptor),
      next_port_(first_port),
      digest_(mix(0xcbf29ce484222325, seed)) {}

wall_time simulated_network::wall_now() const noexcept {
  return wall_time(std::chrono::seconds(784111777)) +
         std::chrono::duration_cast<wall_time::duration>(now_ - time_point());
}

void simulated_network::note(std::string_view what, int descriptor, std::int64_t value,
                             std::span<const std::byte> bytes) {
  digest_ = mix(digest_, std::as_bytes(std::span(what)));
  digest_ = mix(digest_, static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  digest_ = mix(mix(digest_, static_cast<std::uint64_t>(descriptor)), static_cast<std::uint64_t>(value));
  digest_ = mix(digest_, bytes);
  ++events_;
  if (trace_) trace_({now_, what, descriptor, value});
}

bool simulated_network::operation_fails() noexcept {
  ++operations_;
  return operations_ == fails_at_ || random_.chance(conduct_.failures);
}

simulated_network::stream_end* simulated_network::find(int descriptor) noexcept {
  const auto found = ends_.find(descriptor);
  return found == ends_.end() ? nullptr : &found->second;
}
const simulated_network::stream_end* simulated_network::find(int descriptor) const noexcept {
  const auto found = ends_.find(descriptor);
  return found == ends_.end() ? nullptr : &found->second;
}

// ----- Listening, connecting, accepting

int simulated_network::listen(const endpoint& at) {
  if (at.type != endpoint::kind::ipv4 && at.type != endpoint::kind::ipv6) {
    throw std::invalid_argument("a simulated network listens on IPv4 and IPv6 addresses, not on " + at.to_string());
  }
  for (const auto& [descriptor, each] : listeners_) {
    if (each.at == at) base::throw_system_error(EADDRINUSE, "listening on " + at.to_string());
  }
  const int descriptor = next_descriptor_++;
  listeners_[descriptor].at = at;
  ++open_;
  return descriptor;
}

int simulated_network::connect(const endpoint& to, const endpoint& from) {
  const int descriptor = open_socket();
  const int error = -connect_socket(descriptor, to, from);
  if (error == 0) return descriptor;
  close(descriptor, false);
  base::throw_system_error(error, "connecting to " + to.to_string());
}

int simulated_network::open_socket() {
  const int descriptor = next_descriptor_++;
  ends_[descriptor];
  ++open_;
  return descriptor;
}

int simulated_network::make_socket() {
  if (open_ < conduct_.descriptors && !operation_fails()) return open_socket();
  note("no descriptor", -1, EMFILE);
  return -EMFILE;
}

int simulated_network::connect_socket(int descriptor, const endpoint& to, const endpoint& from) {
  listener* found = nullptr;
  for (auto& [listening, each] : listeners_) {
    if (each.at == to && !each.stopped) found = &each;
  }
  if (found == nullptr || found->waiting.size() >= backlog) return -ECONNREFUSED;
  const int far = next_descriptor_++;
  stream_end& client = ends_[descriptor];
  stream_end& server = ends_[far];
  client.peer = far;
  server.peer = descriptor;
  client.remote = server.local = to;
  client.local = from;
  if (from.type == endpoint::kind::none) client.local = {endpoint::kind::ipv4, "198.51.100.1", next_port_++};
  server.remote = client.local;
  found->waiting.push_back({arrival_for(server), far});
  note("connect", descriptor, far);
  return 0;
}

int simulated_network::accept(int listening) {
  const auto found = listeners_.find(listening);
  if (found == listeners_.end() || found->second.waiting.empty()) return -EAGAIN;
  auto& waiting = found->second.waiting;
  if (waiting.front().arrival > now_) return -EAGAIN;
  if (open_ >= conduct_.descriptors || operation_fails()) {
    note("no descriptor", listening, EMFILE);
    return -EMFILE;
  }
  const int accepted = waiting.front().descriptor;
  waiting.pop_front();
  ++open_;
  note("accept", listening, accepted);
  return accepted;
}

void simulated_network::stop_listening(int listening) {
  const auto found = listeners_.find(listening);
  if (found == listeners_.end()) return;
  found->second.stopped = true;
  for (const waiting_connection& each : std::exchange(found->second.waiting, {})) {
    ++open_;  // close() counts it down
    close(each.descriptor, true);
  }
}

// ----- Bytes

// Never before what was sent earlier.
time_point simulated_network::arrival_for(stream_end& to) noexcept {
  const auto most = static_cast<std::uint64_t>(conduct_.latency.count());
  const duration under_way(most == 0 ? 0 : static_cast<duration::rep>(random_.below(most + 1)));
  return to.last_arrival = std::max(to.last_arrival, now_ + under_way);
}

void simulated_network::deliver_bytes(stream_end& to, std::span<const std::byte> bytes) {
  to.unread += bytes.size();
  while (!bytes.empty()) {
    std::size_t size = bytes.size();
    if (conduct_.segment < size) size = random_.between(1, conduct_.segment);
    const auto piece = bytes.first(size);
    const time_point arrival = arrival_for(to);
    if (to.inbound.empty() || to.inbound.back().what != outcome::bytes || to.inbound.back().arrival != arrival) {
      to.inbound.push_back({arrival, outcome::bytes});
    }
    byte_run& run = to.inbound.back().bytes;
    run.insert(run.end(), piece.begin(), piece.end());
    bytes = bytes.subspan(size);
  }
}

// An end or a reset.
void simulated_network::deliver_mark(stream_end& to, outcome what) {
  if (to.closed || to.broken) return;
  to.broken = what == outcome::reset;
  to.inbound.push_back({arrival_for(to), what});
  to.inbound.back().overtakes = to.broken && random_.chance(conduct_.out_of_order / 2);
}

std::ptrdiff_t simulated_network::send(int descriptor, std::span<const std::byte> bytes) {
  stream_end* const from = find(descriptor);
  if (from == nullptr || from->closed) return -EBADF;
  if (from->shut || arrived_reset(*from, now_) != nullptr) return -EPIPE;
  stream_end* const to = find(from->peer);
  if (to == nullptr || to->closed) {
    // Nobody is there any more: it answers with a reset.
    deliver_mark(*from, outcome::reset);
    return static_cast<std::ptrdiff_t>(bytes.size());
  }
  if (to->broken) return static_cast<std::ptrdiff_t>(bytes.size());  // lost on its way
  std::size_t size = std::min(bytes.size(), conduct_.window - std::min(to->unread, conduct_.window));
  if (size > conduct_.piece) size = random_.between(1, conduct_.piece);
  if (size == 0) return 0;
  deliver_bytes(*to, bytes.first(size));
  note("send", descriptor, static_cast<std::int64_t>(size), bytes.first(size));
  if (random_.chance(conduct_.broken)) break_connection(descriptor);
  return static_cast<std::ptrdiff_t>(size);
}

bool simulated_network::writable(int descriptor) const {
  const stream_end* const from = find(descriptor);
  if (from == nullptr || from->closed || from->shut || arrived_reset(*from, now_) != nullptr) return true;
  const stream_end* const to = find(from->peer);
  return to == nullptr || to->closed || to->broken || to->unread < conduct_.window;
}

simulated_network::received simulated_network::receive(int descriptor, std::span<std::byte> into) {
  stream_end* const at = find(descriptor);
  if (at == nullptr) return {};
  if (const segment* const reset = arrived_reset(*at, now_); reset != nullptr && reset->overtakes) {
    at->inbound.clear();
    at->unread = 0;
    at->inbound.push_back({now_, outcome::reset});
  }
  if (at->inbound.empty() || at->inbound.front().arrival > now_) return {};
  if (at->inbound.front().what != outcome::bytes) {
    const outcome what = at->inbound.front().what;
    // A reset stays: every later send fails by it.
    if (what == outcome::end) at->inbound.pop_front();
    note(what == outcome::end ? "end" : "reset", descriptor, 0);
    return {what};
  }
  std::size_t count = 0;
  while (count < into.size() && !at->inbound.empty() && at->inbound.front().what == outcome::bytes &&
         at->inbound.front().arrival <= now_) {
    segment& first = at->inbound.front();
    const std::size_t size = std::min(into.size() - count, first.bytes.size() - first.start);
    std::memcpy(into.data() + count, first.bytes.data() + first.start, size);
    count += size;
    first.start += size;
    if (first.start == first.bytes.size()) at->inbound.pop_front();
  }
  at->unread -= count;
  note("receive", descriptor, static_cast<std::int64_t>(count), into.first(count));
  return {outcome::bytes, count};
}

bool simulated_network::readable(int descriptor) const {
  const auto next = next_arrival(descriptor);
  return next && *next <= now_;
}

std::optional<time_point> simulated_network::next_arrival(int descriptor) const {
  if (const auto listening = listeners_.find(descriptor); listening != listeners_.end()) {
    if (listening->second.waiting.empty()) return std::nullopt;
    return listening->second.waiting.front().arrival;
  }
  const stream_end* const at = find(descriptor);
  if (at == nullptr || at->inbound.empty()) return std::nullopt;
  return at->inbound.front().arrival;
}

const simulated_network::segment* simulated_network::arrived_reset(const stream_end& at, time_point now) noexcept {
  if (!at.broken || at.inbound.empty()) return nullptr;
  const segment& last = at.inbound.back();
  return last.what == outcome::reset && last.arrival <= now ? &last : nullptr;
}

bool simulated_network::hung_up(int descriptor) const {
  const stream_end* const at = find(descriptor);
  return at != nullptr && arrived_reset(*at, now_) != nullptr;
}

std::optional<time_point> simulated_network::next_hang_up(int descriptor) const {
  const stream_end* const at = find(descriptor);
  if (at == nullptr || !at->broken || at->inbound.empty()) return std::nullopt;
  return at->inbound.back().arrival;
}

// ----- Ending

void simulated_network::shut_down(int descriptor) {
  stream_end* const from = find(descriptor);
  if (from == nullptr || from->shut || from->closed) return;
  from->shut = true;
  note("shut down", descriptor, 0);
  if (stream_end* const to = find(from->peer)) deliver_mark(*to, outcome::end);
}

void simulated_network::close(int descriptor, bool reset) {
  if (const auto listening = listeners_.find(descriptor); listening != listeners_.end()) {
    stop_listening(descriptor);
    listeners_.erase(listening);
    --open_;
    note("close", descriptor, 0);
    return;
  }
  stream_end* const from = find(descriptor);
  if (from == nullptr || from->closed) return;
  from->closed = true;
  --open_;
  // As TCP has it: who closes with bytes that nobody has read, says so with a reset.
  const bool lost = from->unread > 0;
  note(reset ? "close with a reset" : "close", descriptor, static_cast<std::int64_t>(from->unread));
  from->inbound.clear();
  from->unread = 0;
  if (stream_end* const to = find(from->peer); to != nullptr && !to->closed) {
    if (!reset && !from->shut) deliver_mark(*to, outcome::end);
    if (reset || lost) deliver_mark(*to, outcome::reset);
  } else {
    forget(descriptor);
  }
}

void simulated_network::break_connection(int descriptor) {
  stream_end* const near = find(descriptor);
  if (near == nullptr) return;
  note("break", descriptor, 0);
  if (stream_end* const far = find(near->peer)) deliver_mark(*far, outcome::reset);
  deliver_mark(*near, outcome::reset);
}

// Both ends are closed.
void simulated_network::forget(int descriptor) {
  const int peer = ends_.at(descriptor).peer;
  ends_.erase(descriptor);
  ends_.erase(peer);
}

endpoint simulated_network::local_endpoint(int descriptor) const {
  if (const auto listening = listeners_.find(descriptor); listening != listeners_.end()) return listening->second.at;
  const stream_end* const at = find(descriptor);
  return at == nullptr ? endpoint{} : at->local;
}
endpoint simulated_network::remote_endpoint(int descriptor) const {
  const stream_end* const at = find(descriptor);
  return at == nullptr ? endpoint{} : at->remote;
}

}  // namespace windhover::net
