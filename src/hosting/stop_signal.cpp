#include "hosting/stop_signal.hpp"

#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <utility>

namespace windhover::hosting {
namespace {

// Signals belong to the process: so does the one who is told.
std::atomic<sem_t*> told{nullptr};
static_assert(std::atomic<sem_t*>::is_always_lock_free, "a signal handler reads it");

extern "C" void windhover_on_stop_signal(int) {
  const int error = errno;
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  if (sem_t* const semaphore = told.load(std::memory_order_acquire)) ::sem_post(semaphore);
  errno = error;
}

}  // namespace

stop_signal::stop_signal() { ::sem_init(&semaphore_, 0, 0); }
stop_signal::~stop_signal() { ::sem_destroy(&semaphore_); }

void stop_signal::request() noexcept {
  if (!requested_.exchange(true)) ::sem_post(&semaphore_);
}

void stop_signal::wait() noexcept {
  while (::sem_wait(&semaphore_) != 0 && errno == EINTR) {
  }
}

stop_signal::from_signals::from_signals(stop_signal& target) {
  sem_t* nobody = nullptr;
  if (!told.compare_exchange_strong(nobody, &target.semaphore_)) {
    throw std::logic_error(
        "another web_application of this process is running and waits for its signals; use start() and "
        "wait() for a second one");
  }
  struct sigaction action {};
  action.sa_handler = windhover_on_stop_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, &before_interrupt_);
  ::sigaction(SIGTERM, &action, &before_terminate_);
}

stop_signal::from_signals::~from_signals() {
  ::sigaction(SIGINT, &before_interrupt_, nullptr);
  ::sigaction(SIGTERM, &before_terminate_, nullptr);
  told.store(nullptr, std::memory_order_release);
}

}  // namespace windhover::hosting
