// event_loop_thread: an event loop on a thread of its own, for programs that have none.
//
//   wh::event_loop_thread loop;
//   int answer = loop.run([]() -> wh::task<int> {
//     co_await wh::sleep_for(1s);
//     co_return 42;
//   });
//
// Everything that needs an event loop works inside: sleep_for, run_blocking, websocket_client. A web_application has
// loops of its own, and its handlers need none of these.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <future>
#include <memory>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <windhover/logger.hpp>
#include <windhover/task.hpp>

namespace windhover {

// What the loop waits with: chosen by probing the kernel, or by name.
enum class io_engine : std::uint8_t { automatic, io_uring, epoll };

struct event_loop_thread_options {
  io_engine engine = io_engine::automatic;
  // How long the loop looks for the next event before it sleeps, at most 1 s. That answers sooner, and costs a
  // processor nearly all of its time while there is traffic with pauses as short as this.
  std::chrono::microseconds busy_poll{0};
  // Threads for run_blocking and for resolving names, started when there is first something to do. At least 1.
  std::size_t worker_threads = 4;
  // How long the end waits for what was started, and for sockets to close, before it aborts connections.
  std::chrono::milliseconds shutdown_timeout = std::chrono::seconds(10);
  // Nothing is logged when null. Must outlive the thread.
  logger* log = nullptr;
};

class event_loop_thread {
  template <class Function>
  static auto invoke(Function& function, std::stop_token stop) {
    if constexpr (std::is_invocable_v<Function&, std::stop_token>) {
      return function(std::move(stop));
    } else {
      return function();
    }
  }
  template <class Function>
  using value_of = typename decltype(invoke(std::declval<Function&>(), std::stop_token()))::value_type;

 public:
  // Starts the thread. Throws std::system_error when the engine or the thread is not to be had, std::invalid_argument
  // for options out of range.
  explicit event_loop_thread(const event_loop_thread_options& options);
  event_loop_thread() : event_loop_thread(event_loop_thread_options{}) {}
  event_loop_thread(const event_loop_thread&) = delete;
  event_loop_thread& operator=(const event_loop_thread&) = delete;
  // Ends in this order: stopping() is stopped, WebSockets are closed with 1001, what was started ends; after the
  // shutdown timeout connections are aborted. What still runs a few seconds later is left behind, named in the log.
  // Must not be called on the loop's own thread.
  ~event_loop_thread();

  // Runs `function()`, or `function(std::stop_token)` with stopping(), a callable that returns a task, on the loop, and
  // waits until it has ended: returns its value or throws its exception. Any thread but one of an event loop, where it
  // throws std::logic_error, because waiting would hold that loop.
  template <class Function>
  auto run(Function function) -> value_of<Function> {
    require_no_event_loop();
    return start(std::move(function)).get();
  }

  // The same without waiting: the future gets the value or the exception. Any thread. The function stays alive until
  // its task has ended.
  template <class Function>
  auto start(Function function) -> std::future<value_of<Function>> {
    auto made = std::make_unique<work_of<Function>>(std::move(function));
    auto outcome = made->outcome.get_future();
    post(std::move(made));
    return outcome;
  }

  // Stopped when the destructor is called.
  std::stop_token stopping() const noexcept;

 private:
  struct state;

  struct work {
    work() = default;
    work(const work&) = delete;
    work& operator=(const work&) = delete;
    virtual ~work() = default;
    virtual task<> run(std::stop_token stop) = 0;
    // It could not be started.
    virtual void fail(std::exception_ptr why) noexcept = 0;
  };
  template <class Function>
  struct work_of final : work {
    explicit work_of(Function what) : function(std::move(what)) {}
    task<> run(std::stop_token stop) override {
      try {
        if constexpr (std::is_void_v<value_of<Function>>) {
          co_await invoke(function, std::move(stop));
          outcome.set_value();
        } else {
          auto value = co_await invoke(function, std::move(stop));
          outcome.set_value(std::move(value));
        }
      } catch (...) {
        outcome.set_exception(std::current_exception());
      }
    }
    void fail(std::exception_ptr why) noexcept override { outcome.set_exception(std::move(why)); }
    Function function;
    std::promise<value_of<Function>> outcome;
  };

  static void require_no_event_loop();
  void post(std::unique_ptr<work> added);

  std::unique_ptr<state> state_;
};

}  // namespace windhover
