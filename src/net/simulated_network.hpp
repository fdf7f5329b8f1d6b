// A network in memory: listeners and connections without a kernel, and the clock that they live by.
//
// It behaves as TCP does between two programs, as badly as its conduct says: bytes arrive late and in other pieces than
// they were sent in, an end that is not read makes the other one wait, connections break, descriptors run out. All of
// it is decided by numbers from one seed, so that the same program on the same seed lives through the same events.
// engine_simulation.hpp is the engine that stands on it. One thread.
//
// Descriptors are numbers of this network. They begin far above those of the kernel, so that one which strays into a
// system call is no descriptor there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "net/seeded_random.hpp"
#include "net/time.hpp"
#include "net/unmetered_allocator.hpp"
#include <windhover/endpoint.hpp>

namespace windhover::net {

// How the network and the engine on it behave. The default is a perfect one: everything arrives at once and whole, in
// the order of the tokens, and no time passes but between timers. Chances are in a thousand.
struct network_conduct {
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  duration latency{};                           // bytes are under way for at most so long
  std::size_t segment = unlimited;              // what is sent is cut into pieces of 1 to so many bytes
  std::size_t window = std::size_t{256} << 10;  // bytes on their way to an end, and at it, before a writer waits
  std::size_t piece = unlimited;                // one receive or send moves 1 to so many bytes
  std::size_t ring = unlimited;                 // bytes that all connections can receive in one turn
  std::size_t fair_share = unlimited;           // what the engine calls a connection's share of a turn
  duration work{};                              // between two completions up to so much time passes
  unsigned out_of_order = 0;                    // a turn whose events come in another order than the tokens'
  unsigned held_back = 0;                       // an event that waits for another turn
  unsigned late_sends = 0;                      // a send that completes later though it could at once
  unsigned lost_cancels = 0;                    // what is stopped completes all the same
  unsigned failures = 0;                        // an operation that fails
  unsigned broken = 0;                          // a piece with which its connection breaks, at both ends
  std::size_t descriptors = unlimited;          // open at once; accepting fails above

  // A bad one, in a way that follows from the numbers: some seeds cut, others delay, others break.
  static network_conduct any(seeded_random& random) noexcept;
};

// Something that happened, for a trace. `value` is a number of bytes, a descriptor or an errno.
struct simulated_event {
  time_point at;
  std::string_view what;
  int descriptor;
  std::int64_t value;
};

// Somebody on the network who is no engine: a scripted peer, which sends and receives on descriptors of its own. It is
// called from the engine's turns, with the events of the engine and in any order with them.
class network_actor {
 public:
  network_actor() = default;
  network_actor(const network_actor&) = delete;
  network_actor& operator=(const network_actor&) = delete;
  virtual ~network_actor() = default;

  // When act() should be called; none: not before something else has happened.
  virtual std::optional<time_point> next_action() const = 0;
  virtual void act() = 0;
};

class simulated_network {
 public:
  explicit simulated_network(std::uint64_t seed, network_conduct conduct = {});
  simulated_network(const simulated_network&) = delete;
  simulated_network& operator=(const simulated_network&) = delete;

  seeded_random& random() noexcept { return random_; }
  network_conduct& conduct() noexcept { return conduct_; }

  // ----- The clock. It stands still while there is something to do, then jumps to what comes next.

  time_point now() const noexcept { return now_; }
  // Begins with the example of RFC 9110: Sun, 06 Nov 1994 08:49:37 GMT.
  wall_time wall_now() const noexcept;
  // The clock does not go beyond this by itself. A turn that would have to wait longer ends, and `stalled` says so.
  void set_horizon(time_point latest) noexcept { horizon_ = latest; }
  time_point horizon() const noexcept { return horizon_; }
  bool stalled() const noexcept { return stalled_; }

  // ----- What people do on it

  // A listening descriptor. An IPv4 or IPv6 address with a port. Throws std::system_error (EADDRINUSE),
  // std::invalid_argument.
  int listen(const endpoint& at);
  // A connected descriptor; the other end is for the listener to accept. Without a `from`, 198.51.100.1 with a port
  // that nobody had. Throws std::system_error (ECONNREFUSED).
  int connect(const endpoint& to, const endpoint& from = {});
  // The same in two steps, for engines: a descriptor that is not connected, then its connection. Each a negative errno
  // where it cannot be (EMFILE, ECONNREFUSED).
  int make_socket();
  int connect_socket(int descriptor, const endpoint& to, const endpoint& from = {});
  // The actor must outlive the network or be removed; neither may be done from within a turn.
  void add(network_actor& actor) { actors_.push_back(&actor); }
  void remove(network_actor& actor) noexcept { std::erase(actors_, &actor); }
  // Breaks a connection: both ends see it reset.
  void break_connection(int descriptor);

  // ----- Faults

  // The n-th operation from now on fails, 1 being the next one: opening, listening, a send, a receive, an accept.
  void fail_operation(std::uint64_t n) noexcept { fails_at_ = n == 0 ? 0 : operations_ + n; }
  std::uint64_t operations() const noexcept { return operations_; }

  // ----- What happened

  // A digest of every event so far, with its time, its descriptor and the bytes that it carried: the same for every run
  // with the same seed.
  std::uint64_t digest() const noexcept { return digest_; }
  std::uint64_t events() const noexcept { return events_; }
  void set_trace(std::function<void(const simulated_event&)> to) { trace_ = std::move(to); }
  std::size_t open_descriptors() const noexcept { return open_; }

  // ----- For engines and actors

  enum class outcome : std::uint8_t { nothing, bytes, end, reset };
  struct received {
    outcome what = outcome::nothing;
    std::size_t size = 0;
  };
  // What has arrived at an end. A reset may overtake what was not received before it.
  received receive(int descriptor, std::span<std::byte> into);
  // How many bytes were taken, 0 when there is no room; a negative errno.
  std::ptrdiff_t send(int descriptor, std::span<const std::byte> bytes);
  // An accepted descriptor, or a negative errno: EAGAIN when nobody waits.
  int accept(int listening);
  void shut_down(int descriptor);
  void close(int descriptor, bool reset);
  // No more connections to it, and those that were not accepted are refused.
  void stop_listening(int listening);
  endpoint local_endpoint(int descriptor) const;
  endpoint remote_endpoint(int descriptor) const;

  // Whether there is something to receive or to accept now, and when the next of it comes.
  bool readable(int descriptor) const;
  std::optional<time_point> next_arrival(int descriptor) const;
  // The same of a reset, whatever else has not been received.
  bool hung_up(int descriptor) const;
  std::optional<time_point> next_hang_up(int descriptor) const;
  // Whether a send would take something, or fail.
  bool writable(int descriptor) const;

  const auto& actors() const noexcept { return actors_; }
  // Counts an operation; true when it is to fail.
  bool operation_fails() noexcept;
  void advance_to(time_point when) noexcept { now_ = when > now_ ? when : now_; }
  void set_stalled(bool is) noexcept { stalled_ = is; }
  void note(std::string_view what, int descriptor, std::int64_t value, std::span<const std::byte> bytes = {});

 private:
  template <class T>
  using unmetered_deque = std::deque<T, unmetered_allocator<T>>;
  using byte_run = std::vector<std::byte, unmetered_allocator<std::byte>>;

  struct segment {
    time_point arrival;
    outcome what;
    bool overtakes = false;  // a reset: what was not received before is lost
    byte_run bytes{};
    std::size_t start = 0;
  };
  struct stream_end {
    int peer = 0;
    endpoint local;
    endpoint remote;
    unmetered_deque<segment> inbound;
    std::size_t unread = 0;
    time_point last_arrival{};
    bool shut = false;    // has sent its end
    bool closed = false;  // its descriptor is closed
    bool broken = false;  // a reset is on its way to it, or has come
  };
  struct waiting_connection {
    time_point arrival;
    int descriptor;
  };
  struct listener {
    endpoint at;
    unmetered_deque<waiting_connection> waiting;
    bool stopped = false;
  };
  template <class T>
  using descriptor_map = std::map<int, T, std::less<int>, unmetered_allocator<std::pair<const int, T>>>;

  int open_socket();
  stream_end* find(int descriptor) noexcept;
  const stream_end* find(int descriptor) const noexcept;
  time_point arrival_for(stream_end& to) noexcept;
  void deliver_bytes(stream_end& to, std::span<const std::byte> bytes);
  void deliver_mark(stream_end& to, outcome what);
  static const segment* arrived_reset(const stream_end& at, time_point now) noexcept;
  void forget(int descriptor);

  seeded_random random_;
  network_conduct conduct_;
  time_point now_{};
  time_point horizon_ = time_point::max();
  bool stalled_ = false;
  int next_descriptor_;
  std::uint16_t next_port_;
  std::size_t open_ = 0;
  std::uint64_t operations_ = 0;
  std::uint64_t fails_at_ = 0;
  std::uint64_t digest_;
  std::uint64_t events_ = 0;
  std::function<void(const simulated_event&)> trace_;
  std::vector<network_actor*, unmetered_allocator<network_actor*>> actors_;
  descriptor_map<stream_end> ends_;
  descriptor_map<listener> listeners_;
};

}  // namespace windhover::net
