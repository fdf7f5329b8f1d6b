// The HTTP/2 connections of one event loop that further streams may be begun on, by destination.
//
// Whoever finds none with room makes one, while others who look for the same destination wait for that. It belongs to a
// thread, as the loop does.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "net/event_loop.hpp"
#include "net/mailbox.hpp"
#include <windhover/task.hpp>

namespace windhover::http {

class http2_client_connection;

class http2_client_pool : public std::enable_shared_from_this<http2_client_pool> {
 public:
  // The loop's. Throws std::bad_alloc.
  static std::shared_ptr<http2_client_pool> of(net::event_loop& loop);

  // The duty to make a connection. When it ends without one, whoever waits looks again.
  class making {
   public:
    making() noexcept = default;  // nobody waits, and nobody will find it
    making(std::shared_ptr<http2_client_pool> of, std::string destination) noexcept
        : of_(std::move(of)), destination_(std::move(destination)) {}
    making(making&& other) noexcept : of_(std::move(other.of_)), destination_(std::move(other.destination_)) {}
    making& operator=(making&&) = delete;
    ~making();

    // It is open, and has room.
    void made(http2_client_connection& connection);
    // The server takes none over HTTP/2, and those who wait should not ask it again.
    void not_spoken() noexcept { end(verdict::not_spoken, std::numeric_limits<std::size_t>::max()); }
    bool was_made() const noexcept { return was_made_; }

   private:
    enum class verdict : std::uint8_t { look_again, not_spoken };
    friend class http2_client_pool;
    void end(verdict what, std::size_t most) noexcept;

    std::shared_ptr<http2_client_pool> of_;
    std::string destination_;
    bool was_made_ = false;
  };

  struct found {
    http2_client_connection* connection = nullptr;  // to be used in the same step
    std::optional<making> to_make = std::nullopt;
    bool stopped = false;
  };
  // Neither a connection nor the duty to make one, and not stopped: the server takes none over HTTP/2. Thread: the
  // loop's. Throws std::bad_alloc.
  task<found> find(net::event_loop& loop, std::string destination, std::stop_token stop);

  // For connections.
  void add(const std::string& destination, http2_client_connection& connection);
  void remove(const std::string& destination, http2_client_connection& connection) noexcept;

 private:
  // Waits in find(). Waking it needs no memory, and resumes it later.
  class waiter {
   public:
    waiter(net::event_loop& loop, http2_client_pool& in, const std::string& destination);
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;
    ~waiter();
    // False when it was woken before.
    bool wake(making::verdict verdict) noexcept;
    // For its stop.
    void stopped() noexcept { wake(making::verdict::look_again); }

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) noexcept { waiting_ = waiting; }
    making::verdict await_resume() const noexcept { return verdict_; }

   private:
    net::event_loop& loop_;
    http2_client_pool& in_;
    const std::string& destination_;
    net::mailbox::prepared letter_;
    std::coroutine_handle<> waiting_;
    making::verdict verdict_ = making::verdict::look_again;
  };
  struct place {
    std::vector<http2_client_connection*> connections;
    std::vector<waiter*> waiting;  // in the order in which they came
    bool being_made = false;
  };
  class next_one;

  http2_client_connection* with_room(const std::string& destination) const noexcept;
  void forget_if_empty(const std::string& destination) noexcept;
  void wake(const std::string& destination, std::size_t most, making::verdict verdict) noexcept;

  std::map<std::string, place> places_;
};

}  // namespace windhover::http
