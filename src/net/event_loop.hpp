// The event loop: one per thread. Everything that lives on it is called on its thread, so the data path has no lock.
//
// An iteration is: turn the engine (submit, wait, deliver), fire timers, run the mailbox, serve the objects that asked
// for it, flush what was queued, destroy what has ended. What an upcall queues therefore leaves once, together with
// everybody else's output.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/buffer.hpp"
#include "base/random.hpp"
#include "net/engine.hpp"
#include "net/feed.hpp"
#include "net/loop_counters.hpp"
#include "net/mailbox.hpp"
#include "net/timer.hpp"
#include "net/transport.hpp"
#include <windhover/logger.hpp>

namespace windhover::net {

class worker_pool;

// Where an object stands among those that hand output to one another: what is above flushes first, so that what is
// below gets everything at once.
enum class flush_layer : std::uint8_t { stream, session, encryption, bottom };
inline constexpr std::size_t flush_layers = 4;

// Something that the loop owns: a connection, a listener, an end of a pipe.
class loop_object : public engine_client {
 public:
  explicit loop_object(flush_layer layer = flush_layer::bottom) noexcept : layer_(layer) {}

  // Makes the upcalls that were asked for with event_loop::serve_later.
  virtual void serve() noexcept {}
  // Hands queued output to the layer below, after event_loop::flush_later.
  virtual void flush() noexcept {}
  // Looked at after event_loop::consider_destroying.
  virtual bool may_be_destroyed() const noexcept = 0;
  // What stands on it should end politely.
  virtual void drain() noexcept {}
  // Ends at once.
  virtual void abort_now() noexcept {}
  // Bytes kept for a paused sink, and the end of those that keep too many.
  virtual std::size_t carried() const noexcept { return 0; }
  virtual void abort_holder() noexcept { abort_now(); }
  virtual std::string describe() const = 0;

 private:
  friend class event_loop;
  friend class flush_queue;
  friend class object_queue;
  // Its places in the loop's queues: being asked for something takes no memory, so it cannot fail.
  loop_object* next_[3] = {};
  token self_{};
  bool queued_[3] = {};
  flush_layer layer_;
};

// Objects that wait for one thing, in the order in which they asked for it; each at most once.
class object_queue {
 public:
  enum class purpose : std::uint8_t { serving, flushing, destroying };

  explicit object_queue(purpose what) noexcept : place_(static_cast<std::size_t>(what)) {}
  bool empty() const noexcept { return first_ == nullptr; }
  bool holds(const loop_object& object) const noexcept { return object.queued_[place_]; }
  void push(loop_object& object) noexcept {
    if (std::exchange(object.queued_[place_], true)) return;
    object.next_[place_] = nullptr;
    (first_ == nullptr ? first_ : last_->next_[place_]) = &object;
    last_ = &object;
  }
  // None when it is empty.
  loop_object* pop() noexcept {
    loop_object* const taken = first_;
    if (taken == nullptr) return nullptr;
    first_ = taken->next_[place_];
    taken->queued_[place_] = false;
    return taken;
  }
  // The last one of those that wait now.
  const loop_object* last() const noexcept { return first_ == nullptr ? nullptr : last_; }

 private:
  std::size_t place_;
  loop_object* first_ = nullptr;
  loop_object* last_ = nullptr;
};

// Those that have output to hand down, the upper layers first.
class flush_queue {
 public:
  bool empty() const noexcept { return waiting_ == 0; }
  bool holds(const loop_object& object) const noexcept { return layers_.front().holds(object); }
  void push(loop_object& object) noexcept {
    layers_[static_cast<std::size_t>(object.layer_)].push(object);
    waiting_ |= 1U << static_cast<unsigned>(object.layer_);
  }
  // None when it is empty.
  loop_object* pop() noexcept {
    if (waiting_ == 0) return nullptr;
    object_queue& highest = layers_[static_cast<std::size_t>(std::countr_zero(waiting_))];
    loop_object* const popped = highest.pop();
    if (highest.empty()) waiting_ &= waiting_ - 1;
    return popped;
  }

 private:
  static constexpr auto flushing = object_queue::purpose::flushing;
  std::array<object_queue, flush_layers> layers_{object_queue(flushing), object_queue(flushing), object_queue(flushing),
                                                 object_queue(flushing)};
  unsigned waiting_ = 0;  // a bit for each layer that is not empty
};

struct event_loop_options {
  std::size_t inbound_budget = std::size_t{16} << 20;  // bytes, for all carries together
  duration lag_warning = std::chrono::milliseconds(100);
  logger* log = nullptr;                  // nothing is logged without one
  base::random_source* random = nullptr;  // the system's when null
  worker_pool* workers = nullptr;         // for run_blocking
};

// What a send in progress is made of. Lent by the loop, so that an idle connection has none.
struct outgoing {
  std::vector<base::slice> queued;
  std::vector<base::slice> sending;
  send_operation operation;
};

class event_loop final : private engine_events {
 public:
  explicit event_loop(std::unique_ptr<engine> with, event_loop_options options = {});
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;
  ~event_loop();

  // The loop that is running on this thread, or null.
  static event_loop* current() noexcept { return running_; }
  // The same, for code that cannot do without. Throws std::logic_error outside of a loop's thread.
  static event_loop& required(const char* what_for);

  // Runs until stop(). Loop thread.
  void run();
  // One iteration, which waits for something to happen only when told so. Loop thread.
  void run_once(bool may_wait);
  // Any thread.
  void stop() noexcept;
  // The calling thread is a loop's for the life of this object: for code that runs between iterations, as tests do.
  class scope {
   public:
    explicit scope(event_loop& entered) noexcept;
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;
    ~scope();

   private:
    event_loop* previous_;
  };

  // The time at which the present upcall began, about.
  time_point now() const noexcept { return now_; }
  // Counts the iterations.
  std::uint64_t turn() const noexcept { return turn_; }
  wall_time wall_now() const noexcept { return engine_->wall_now(); }
  base::random_source& random() const noexcept { return *random_; }
  logger* log() const noexcept { return options_.log; }
  // Writes a line, if there is a log that wants it. `text` makes it; one that there is no memory for is lost.
  template <class MakeText>
  void log_line(log_level level, std::string_view category, MakeText&& text) const noexcept {
    if (options_.log == nullptr || !options_.log->enabled(level)) return;
    try {
      options_.log->write(level, category, text());
    } catch (const std::bad_alloc&) {
    }
  }
  worker_pool* workers() const noexcept { return options_.workers; }
  std::string_view engine_name() const noexcept { return engine_->name(); }

  void arm(timer& each, duration in) noexcept { timers_.arm(each, now_ + in); }

  // For other threads; may outlive the loop.
  const std::shared_ptr<net::mailbox>& mailbox() const noexcept { return mailbox_; }

  // Connections.
  using driver_factory = std::function<std::unique_ptr<driver>(transport&)>;
  // Takes a connected, non-blocking stream socket, whatever happens.
  transport& add_connection(int descriptor, const driver_factory& make_driver);
  // Lives on after the loop, for whoever wants to know.
  loop_counters& counters() noexcept { return *counters_; }
  std::shared_ptr<const loop_counters> shared_counters() const noexcept { return counters_; }
  // Something of a room above, of which each loop has one, made when it is first asked for. Loop thread. Throws
  // std::bad_alloc.
  template <class T>
  const std::shared_ptr<T>& local() {
    for (const auto& each : locals_) {
      if (each->of == &local_of<T>::identity) return static_cast<local_of<T>&>(*each).value;
    }
    locals_.push_back(std::make_unique<local_of<T>>());
    return static_cast<local_of<T>&>(*locals_.back()).value;
  }
  // Everything on the loop will soon be asked to end: what ends by itself until then may say so to its peer.
  void announce_drain() noexcept { draining_ = true; }
  bool draining() const noexcept { return draining_; }
  // Asks everything on the loop to end politely, or ends it.
  void drain_all() noexcept;
  void abort_all() noexcept;
  // Connections, listeners and whatever else it owns.
  std::size_t objects() const noexcept { return slots_.size() - free_slots_.size(); }
  // Descriptions of what is still there, for the log; at most `most`.
  std::vector<std::string> describe_connections(std::size_t most) const;

  // For objects of this room.
  token add(std::unique_ptr<loop_object> object);
  // None when the object has gone.
  loop_object* find(token which) noexcept;
  engine& kernel() noexcept { return *engine_; }
  feed::budget& inbound() noexcept { return inbound_; }
  void serve_later(loop_object&) noexcept;
  void flush_later(loop_object&) noexcept;
  void consider_destroying(token) noexcept;
  // The next turn does not wait: something has to be known soon.
  void hurry() noexcept { hurry_ = true; }
  // Aborts connections that hold most, until the budget is kept again.
  void relieve_inbound() noexcept;
  // Appends room for at most transport::most_room bytes to `to`, in the loop's arena; neighbours become one slice.
  std::byte* gather(std::vector<base::slice>& to, std::size_t size);
  std::unique_ptr<outgoing> lend_outgoing();
  void take_back(std::unique_ptr<outgoing> used) noexcept;
  // Output that waits for the end of the iteration; so much of it is submitted early.
  void output_queued(std::size_t bytes) noexcept { unsubmitted_ += bytes; }

 private:
  struct slot {
    std::uint32_t generation = 1;
    std::unique_ptr<loop_object> object;
  };
  struct local_object {
    explicit local_object(const char* type) noexcept : of(type) {}
    local_object(const local_object&) = delete;
    local_object& operator=(const local_object&) = delete;
    virtual ~local_object() = default;
    const char* of;
  };
  template <class T>
  struct local_of final : local_object {
    static constexpr char identity = 0;
    local_of() : local_object(&identity), value(std::make_shared<T>()) {}
    std::shared_ptr<T> value;
  };

  engine_client* client_of(token which) noexcept override;
  void woke() noexcept override;
  bool between_completions() noexcept override;

  std::optional<time_point> next_wake(bool may_wait) noexcept;
  void serve_all() noexcept;
  void flush_all() noexcept;
  void destroy_ended() noexcept;
  void note_overflow(const loop_object& holder) noexcept;
  void note_hold(token holder) noexcept;
  void report_hold() noexcept;
  static void wake(void* self) noexcept;

  static constinit thread_local event_loop* running_;

  std::unique_ptr<engine> engine_;
  event_loop_options options_;
  base::system_random_source system_random_;
  base::random_source* random_;
  time_point now_;
  std::uint64_t turn_ = 0;
  time_point submitted_at_;
  timer_wheel timers_;
  feed::budget inbound_;
  std::uint64_t overflows_unsaid_ = 0;
  time_point overflow_said_{};
  std::shared_ptr<net::mailbox> mailbox_;
  std::atomic<bool> stopping_{false};
  bool hurry_ = false;
  bool draining_ = false;
  bool ending_ = false;  // its objects are being destroyed, in no order
  std::size_t unsubmitted_ = 0;
  std::shared_ptr<loop_counters> counters_;
  std::vector<std::unique_ptr<local_object>> locals_;
  token last_client_{};   // the latest to get a completion, named when it held the loop
  time_point last_look_;  // at the clock
  duration longest_hold_{};
  token holder_{};

  std::vector<slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  object_queue to_serve_{object_queue::purpose::serving};
  flush_queue to_flush_;
  object_queue to_destroy_{object_queue::purpose::destroying};
  std::vector<std::unique_ptr<outgoing>> spare_outgoing_;
  base::buffer_ref arena_;
  std::size_t arena_used_ = 0;
};

}  // namespace windhover::net
