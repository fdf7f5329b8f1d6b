// The interface between the event loop and the kernel.
//
// It is completion-shaped: the loop says what it wants, the engine says later what has happened. Objects are named by
// tokens, a slot and its generation, never by pointers. Nothing that the loop calls here calls back: completions are
// delivered by turn() alone. The bytes of a send stay untouched until on_sent(). A slot is free again when on_closed()
// was delivered, which is after every operation issued for it has completed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>
#include <sys/uio.h>

#include "net/address.hpp"
#include "net/time.hpp"
#include <windhover/endpoint.hpp>

namespace windhover::net {

struct token {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  friend bool operator==(token, token) = default;
};

// One send: the pieces, and the header that the kernel wants for more than one. Belongs to the sender; the engine uses
// it, and advances it, until the send has completed.
struct send_operation {
  std::vector<iovec> pieces;
  std::size_t first = 0;  // pieces before this one have been sent
  msghdr message{};
  bool last = false;  // only the end of the stream follows, at once: its FIN travels with the last bytes

  int flags() const noexcept { return MSG_NOSIGNAL | (last ? MSG_MORE : 0); }
  // Takes `sent` bytes off the front. True when nothing is left.
  bool advance(std::size_t sent) noexcept;
};

// What a token stands for. The defaults are for kinds of objects that never get that completion.
class engine_client {
 public:
  engine_client() = default;
  engine_client(const engine_client&) = delete;
  engine_client& operator=(const engine_client&) = delete;
  virtual ~engine_client() = default;

  // Bytes that arrived; gone when the call returns.
  virtual void on_received(std::span<const std::byte>) noexcept {}
  // No more bytes will come: the peer's end (0) or a failure (errno).
  virtual void on_receive_ended(int /*error*/) noexcept {}
  // The send has completed: everything was taken by the kernel (0), or it failed (errno).
  virtual void on_sent(int /*error*/) noexcept {}
  // An accepted descriptor, or a failure as a negative errno.
  virtual void on_accepted(int /*descriptor_or_error*/) noexcept {}
  // The connection stands (0), or cannot be had (errno).
  virtual void on_connected(int /*error*/) noexcept {}
  // A descriptor became ready (poll events), or a failure as a negative errno.
  virtual void on_ready(int /*events_or_error*/) noexcept {}
  // Everything issued for the token has completed and its descriptor is closed.
  virtual void on_closed() noexcept {}
};

// Where completions go: the loop.
class engine_events {
 public:
  // None when the token's object has gone.
  virtual engine_client* client_of(token) noexcept = 0;
  // Called when the wait is over, before the first completion.
  virtual void woke() noexcept = 0;
  // Called between completions, so that output does not wait for the end of a long batch. Returns true when sends were
  // issued that should be submitted now.
  virtual bool between_completions() noexcept = 0;

 protected:
  ~engine_events() = default;
};

class engine {
 public:
  engine() = default;
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;
  virtual ~engine() = default;

  virtual std::string_view name() const noexcept = 0;
  virtual time_point now() const noexcept = 0;
  virtual wall_time wall_now() const noexcept = 0;
  // The largest number of bytes that one connection should take in one turn, for fairness.
  virtual std::size_t fair_share() const noexcept = 0;

  // A connected, non-blocking stream socket, which the engine closes. Nothing is received yet.
  virtual void open(token, int descriptor) = 0;
  // Starts or stops receiving. After stopping, what the kernel has already handed out is still delivered. After
  // on_receive_ended nothing more comes, whatever is wanted.
  virtual void set_receiving(token, bool wanted) noexcept = 0;
  // One send at a time per token. True: completed at once, on_sent will not come.
  virtual bool send(token, send_operation&) noexcept = 0;
  // No more will be sent (FIN). Only between sends.
  virtual void shut_down(token) noexcept = 0;
  // Lets go of a token of any kind: its operations are cancelled, its descriptor closed (with a reset, where told so),
  // then on_closed comes.
  virtual void close(token, bool reset) noexcept = 0;

  // A listening, non-blocking socket, which the engine closes; accepts until closed.
  virtual void listen(token, int descriptor) = 0;
  // Stops or starts accepting, for when descriptors have run out.
  virtual void set_accepting(token, bool wanted) noexcept = 0;
  // Connects a non-blocking stream socket, which stays its owner's, once; after on_connected it may be called again for
  // the same token. The address stays untouched until on_connected or on_closed.
  virtual void connect(token, int descriptor, const address& to) = 0;
  // What is done to descriptors that no token stands for, or that one is asked about. The kernel's, unless the engine
  // has descriptors of its own. make_socket: a non-blocking stream socket of an address's family, which does not wait
  // for more to send, or a negative errno. accept_pending: a waiting connection, or a negative errno. stop_listening:
  // nobody gets through any more, though the descriptor is still open. discard: closes what is not wanted.
  virtual int make_socket(sa_family_t family) noexcept;
  virtual int accept_pending(int listening) noexcept;
  virtual void stop_listening(int listening) noexcept;
  virtual void discard(int descriptor) noexcept;
  virtual endpoint local_endpoint(int descriptor) const;
  virtual endpoint remote_endpoint(int descriptor) const;

  // Waits once for poll events of a descriptor that stays its owner's.
  virtual void poll(token, int descriptor, short events) = 0;

  // Submits what was asked for, waits until something has happened, the deadline has come or wake() was called, and
  // delivers completions. Without a deadline it waits as long as it takes; a deadline that has passed means not to
  // wait.
  virtual void turn(engine_events&, std::optional<time_point> deadline) = 0;
  // Any thread: ends the wait of this turn or the next one.
  virtual void wake() noexcept = 0;
};

enum class engine_kind : std::uint8_t { automatic, io_uring, epoll };

struct chosen_engine {
  std::unique_ptr<net::engine> engine;
  std::string reason;  // why this one, for the log
};

// Probes the kernel and makes an engine: io_uring where it finds incremental provided-buffer rings, otherwise epoll.
// Its waits look for events for as long as `busy_poll` says before they sleep.
// Throws std::system_error when an engine that was asked for by name is not to be had, with the reason and the remedy,
// std::bad_alloc.
chosen_engine make_engine(engine_kind wanted, duration busy_poll = duration::zero());

std::unique_ptr<engine> make_epoll_engine(duration busy_poll = duration::zero());

struct io_uring_features {
  bool available = false;
  bool incremental_buffers = false;
  std::string reason;  // why something is missing
};
// Throws std::bad_alloc.
io_uring_features probe_io_uring();
std::unique_ptr<engine> make_io_uring_engine(const io_uring_features&, duration busy_poll = duration::zero());

}  // namespace windhover::net
