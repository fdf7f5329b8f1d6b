// The way into a loop from other threads: closures, run on the loop in the order in which each sender posted them.
//
// A mailbox may outlive its loop. What is posted after the loop has gone is destroyed unrun.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

namespace windhover::net {

class mailbox {
  struct letter;

 public:
  // Wakes the loop's thread. Called only when the box was empty before.
  using wake_function = void (*)(void* context) noexcept;

  mailbox(void* context, wake_function wake) noexcept : context_(context), wake_(wake) {}
  mailbox(const mailbox&) = delete;
  mailbox& operator=(const mailbox&) = delete;
  ~mailbox();

  // Any thread. False when the loop has gone; the closure has been destroyed then. Throws std::bad_alloc.
  template <class Closure>
  bool post(Closure&& closure) {
    return append(prepare(std::forward<Closure>(closure)));
  }

  // The same in two steps, of which the second needs no memory.
  using prepared = std::unique_ptr<letter>;
  template <class Closure>
  static prepared prepare(Closure&& closure) {
    return std::make_unique<letter_of<std::decay_t<Closure>>>(std::forward<Closure>(closure));
  }
  bool post_prepared(prepared closure) noexcept { return append(std::move(closure)); }

  // Loop thread: runs what was there at the call.
  void run_all() noexcept;
  // Any thread.
  bool closed() const noexcept {
    const std::lock_guard lock(mutex_);
    return closed_;
  }
  bool empty() const noexcept { return !has_letters_.load(std::memory_order_acquire); }
  // Loop thread: from now on post returns false; what is left is destroyed unrun.
  void close() noexcept;

 private:
  struct letter {
    virtual ~letter() = default;
    virtual void run() noexcept = 0;
    std::unique_ptr<letter> next;
  };
  template <class Closure>
  struct letter_of final : letter {
    explicit letter_of(Closure from) : closure(std::move(from)) {}
    void run() noexcept override { closure(); }
    Closure closure;
  };

  bool append(std::unique_ptr<letter> added) noexcept;
  static void destroy(std::unique_ptr<letter> first) noexcept;

  mutable std::mutex mutex_;
  std::unique_ptr<letter> first_;
  letter* last_ = nullptr;
  // The same as first_, for a look without the lock: a loop looks in every iteration. What comes right after it wakes
  // the loop.
  std::atomic<bool> has_letters_{false};
  bool closed_ = false;
  void* context_;
  wake_function wake_;
};

}  // namespace windhover::net
