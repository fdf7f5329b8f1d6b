// The one interface for a stream of bytes, and what stands at its upper end.
//
//   kernel -> transport -> sink      bytes are pushed: on_bytes(span), which says how much it took
//   kernel <- transport <- anybody   queue(...): output is queued, and leaves once, at the end of the loop's iteration
//
// The rules that every implementation keeps (TCP, Unix sockets, TLS, the memory pipe):
// * Taking less than all means "pause me". The rest is kept, and comes first after resume_reading().
// * Downwards never calls back up. queue, resume_reading, close and abort only mark; what follows from them is
//   delivered later, by the loop. Only the four functions of the sink are upcalls, and only the loop makes them.
// * A transport and what stands on it are destroyed by the loop alone, at the end of an iteration.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/buffer.hpp"
#include <windhover/endpoint.hpp>
#include <windhover/tls_info.hpp>

namespace windhover::net {

class event_loop;

// Why a transport died. `error` is an errno, 0 where none stands behind it.
struct failure {
  enum class cause : std::uint8_t { aborted, reset, send_failed, receive_failed, inbound_budget, tls };
  cause why = cause::aborted;
  int error = 0;
  const char* detail = nullptr;  // of TLS; a text that lives for ever
};
std::string describe(const failure&);

class sink {
 public:
  // Returns how many of the bytes, from the front, were taken. May replace the transport's sink: the rest then goes to
  // the new one.
  virtual std::size_t on_bytes(std::span<const std::byte> bytes) noexcept = 0;
  // The output that is queued has fallen to the low-water mark, after it had been above the high one.
  virtual void on_writable() noexcept = 0;
  // The peer has ended its stream (FIN). Sending may still be possible.
  virtual void on_end() noexcept = 0;
  // The transport is dead. The last call.
  virtual void on_failure(const failure& why) noexcept = 0;

 protected:
  ~sink() = default;
};

// A sink that lives as long as its transport and is owned by it: a protocol's connection.
class driver : public sink {
 public:
  driver() = default;
  driver(const driver&) = delete;
  driver& operator=(const driver&) = delete;
  virtual ~driver() = default;

  // True when nothing of it runs any more, so that it may be destroyed once the transport is dead. When this becomes
  // true it calls transport::driver_finished().
  virtual bool finished() const noexcept = 0;
  // The application is stopping: end politely, and soon.
  virtual void drain() noexcept = 0;
  // For the log, such as "GET /ws from 127.0.0.1:40000".
  virtual std::string describe() const = 0;
};

// Something that lasts as long as a transport.
struct kept {
  kept() = default;
  kept(const kept&) = delete;
  kept& operator=(const kept&) = delete;
  virtual ~kept() = default;
  std::unique_ptr<kept> next;  // the transport's
};
inline void chain(std::unique_ptr<kept>& to, std::unique_ptr<kept> thing) noexcept {
  if (!thing) return;
  thing->next = std::move(to);
  to = std::move(thing);
}

class transport {
 public:
  transport() = default;
  transport(const transport&) = delete;
  transport& operator=(const transport&) = delete;

  virtual event_loop& loop() const noexcept = 0;
  virtual endpoint local_endpoint() const = 0;
  virtual endpoint remote_endpoint() const = 0;
  // What is known of the encryption; null without one.
  virtual const tls_info* tls() const noexcept { return nullptr; }

  // Where bytes go from now on. The sink must live until it is replaced or the transport is destroyed.
  virtual void set_sink(sink& next) noexcept = 0;

  // Queues a slice by reference. Dropped when the transport is closing or dead. Without memory for it the transport is
  // aborted: a stream that lacks some of its bytes must not go on.
  virtual void queue(base::slice bytes) noexcept = 0;
  // Queues 1 to most_room bytes that the caller writes to the result before it does anything else. Null where queue()
  // would drop them. Small pieces are gathered in one place and leave together.
  static constexpr std::size_t most_room = std::size_t{32} << 10;
  virtual std::byte* queue_room(std::size_t size) noexcept = 0;
  // Queues a copy.
  void queue_copy(std::span<const std::byte> bytes) noexcept {
    while (!bytes.empty()) {
      const std::span<const std::byte> piece = bytes.first(std::min(bytes.size(), most_room));
      std::byte* const room = queue_room(piece.size());
      if (room == nullptr) return;
      std::memcpy(room, piece.data(), piece.size());
      bytes = bytes.subspan(piece.size());
    }
  }
  // Bytes that the layer below has not taken.
  virtual std::size_t queued_bytes() const noexcept = 0;
  // Above `high` a well-behaved writer waits for on_writable, which comes at `low`. 64 KiB and 32 KiB unless told
  // otherwise.
  virtual void set_water_marks(std::size_t high, std::size_t low) noexcept = 0;
  virtual bool above_high_water() const noexcept = 0;

  // After a pause: what was kept, then new bytes.
  virtual void resume_reading() noexcept = 0;
  virtual bool reading_paused() const noexcept = 0;

  // Ends the stream after what is queued (FIN). Bytes are still received.
  virtual void close() noexcept = 0;
  // Ends everything at once (RST); what is queued is lost.
  virtual void abort() noexcept = 0;
  // Closing has begun, or the transport is dead: what is queued now will not be delivered.
  virtual bool closing() const noexcept = 0;

  // Destroys it with itself. Null is nothing.
  virtual void keep(std::unique_ptr<kept> thing) noexcept = 0;

  // The driver's finished() has become true.
  virtual void driver_finished() noexcept = 0;
  // Called by a driver that has finished: another one, which is the sink already, owns the transport from now on. The
  // old one is destroyed by the loop, soon.
  virtual void hand_over(std::unique_ptr<driver> next) noexcept = 0;

 protected:
  ~transport() = default;
};

}  // namespace windhover::net
