// Connecting: from an address, or several, to a connected socket.
#pragma once

#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "net/address.hpp"
#include "net/event_loop.hpp"
#include <windhover/task.hpp>

namespace windhover::net {

// A connected, non-blocking stream socket of an engine, which outlives it. Closed by its destructor unless it was
// taken.
class connected_socket {
 public:
  connected_socket() noexcept = default;
  connected_socket(engine& of, int descriptor) noexcept : engine_(&of), descriptor_(descriptor) {}
  connected_socket(connected_socket&& other) noexcept : engine_(other.engine_), descriptor_(other.take()) {}
  connected_socket& operator=(connected_socket&& other) noexcept {
    std::swap(engine_, other.engine_);
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  connected_socket(const connected_socket&) = delete;
  connected_socket& operator=(const connected_socket&) = delete;
  ~connected_socket() {
    if (descriptor_ >= 0) engine_->discard(descriptor_);
  }

  explicit operator bool() const noexcept { return descriptor_ >= 0; }
  int descriptor() const noexcept { return descriptor_; }
  int take() noexcept { return std::exchange(descriptor_, -1); }

 private:
  engine* engine_ = nullptr;
  int descriptor_ = -1;
};

struct connect_outcome {
  connected_socket socket;
  int error = 0;         // why there is none; ECANCELED when it was stopped
  std::string failures;  // of every address: "127.0.0.1:5000: Connection refused; [::1]:5000: Connection refused"
};

// One address. A Unix socket whose queue is full is tried again until it is stopped. Thread: the loop's. Stopping gives
// the socket back at once.
task<connect_outcome> connect_to(event_loop& loop, address to, std::stop_token stop);

// The addresses in turn, until one connects. Each but the last gets no longer than `each` (0: as long as it takes), so
// that one which never answers does not keep the others from being tried. The error is that of the last.
task<connect_outcome> connect_to_any(event_loop& loop, std::vector<address> addresses, duration each,
                                     std::stop_token stop);

}  // namespace windhover::net
