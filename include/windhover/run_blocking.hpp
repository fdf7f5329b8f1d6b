// run_blocking: work that blocks or computes for long, on a thread of the worker pool instead of the event loop.
//
//   const auto resize = [&] { return resize_image(bytes); };
//   image small = co_await wh::run_blocking(resize);
#pragma once

#include <functional>
#include <type_traits>
#include <utility>

#include <windhover/completion.hpp>
#include <windhover/task.hpp>

namespace windhover {

// Runs on a thread of the pool of this loop's application; at once on this thread where there is no pool. Throws
// std::runtime_error when the pool's queue is full, std::logic_error outside of an event loop's thread.
void post_to_worker_pool(std::function<void()> work);

// The result, or the exception, of `work()`, computed on another thread. The coroutine goes on on its loop. `work`
// stays with the caller's frame and may refer to it. Not cancellable: work that has begun is waited for.
template <class Work>
task<std::invoke_result_t<Work&>> run_blocking(Work work) {
  using result = std::invoke_result_t<Work&>;
  const completion<result> done;
  std::function<void()> job = [&work, done] {
    try {
      if constexpr (std::is_void_v<result>) {
        work();
        done.set_value();
      } else {
        done.set_value(work());
      }
    } catch (...) {
      done.set_exception(std::current_exception());
    }
  };
  post_to_worker_pool(std::move(job));
  co_return co_await done;
}

}  // namespace windhover
