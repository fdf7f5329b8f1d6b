// What the handles of one socket share with its connection.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "net/mailbox.hpp"
#include <windhover/websocket_handle.hpp>

namespace windhover {

struct websocket_handle::shared_state {
  shared_state(std::shared_ptr<net::mailbox> home, websocket_connection& of, std::size_t limit_bytes) noexcept
      : box(std::move(home)), connection(&of), limit(limit_bytes) {}

  // Loop thread: nothing more can be sent.
  void detach() noexcept {
    open.store(false, std::memory_order_release);
    queued.store(0, std::memory_order_relaxed);
    connection = nullptr;
  }

  const std::shared_ptr<net::mailbox> box;
  websocket_connection* connection;  // loop thread only; null once it has gone
  const std::size_t limit;           // bytes
  std::atomic<bool> open{true};
  std::atomic<std::size_t> posted{0};  // bytes in the mailbox
  std::atomic<std::size_t> queued{0};  // bytes in the transport, when they were last looked at
  std::atomic<bool> looking{false};    // a look at the transport is on its way
};

}  // namespace windhover
