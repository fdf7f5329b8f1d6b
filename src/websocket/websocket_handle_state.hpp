// What the handles of one socket share with its connection.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "net/mailbox.hpp"
#include <windhover/websocket_handle.hpp>

namespace windhover {

struct websocket_handle::shared_state {
  shared_state(std::shared_ptr<net::mailbox> home, websocket_connection& of, std::size_t most_bytes,
               std::size_t most_messages) noexcept
      : box(std::move(home)), connection(&of), max_bytes(most_bytes), max_messages(most_messages) {}

  // Any thread: a message of that size is on its way, until it is discharged. False when as much as may wait waits
  // already.
  bool charge(std::size_t bytes) noexcept {
    const std::size_t before = posted.fetch_add(bytes, std::memory_order_relaxed);
    const std::size_t messages = posted_messages.fetch_add(1, std::memory_order_relaxed);
    return before + queued.load(std::memory_order_relaxed) <= max_bytes && messages < max_messages;
  }
  void discharge(std::size_t bytes) noexcept {
    posted.fetch_sub(bytes, std::memory_order_relaxed);
    posted_messages.fetch_sub(1, std::memory_order_relaxed);
  }

  // What was sent while the handler is between the fragments of a message, or a close behind that. Still charged.
  struct waiting_act {
    virtual ~waiting_act() = default;
    virtual void run(websocket_connection& on) noexcept = 0;
    std::size_t bytes = 0;
  };

  // Loop thread: nothing more can be sent.
  void detach() noexcept {
    open.store(false, std::memory_order_release);
    queued.store(0, std::memory_order_relaxed);
    connection = nullptr;
    for (const auto& each : waiting) discharge(each->bytes);
    waiting.clear();
  }

  // Loop thread: the handler's message has ended.
  void run_waiting() noexcept {
    for (const auto& each : std::exchange(waiting, {})) {
      discharge(each->bytes);
      if (connection != nullptr) each->run(*connection);
    }
  }

  const std::shared_ptr<net::mailbox> box;
  websocket_connection* connection;                   // loop thread only; null once it has gone
  std::vector<std::unique_ptr<waiting_act>> waiting;  // loop thread only
  const std::size_t max_bytes;
  const std::size_t max_messages;
  std::atomic<bool> open{true};
  std::atomic<std::size_t> posted{0};           // bytes in the mailbox
  std::atomic<std::size_t> posted_messages{0};  // the same in messages
  std::atomic<std::size_t> queued{0};           // bytes in the transport, when they were last looked at
  std::atomic<bool> looking{false};             // a look at the transport is on its way
  std::atomic<std::uint64_t> full{0};           // sends that were refused, and that the loop has not counted yet
};

}  // namespace windhover
