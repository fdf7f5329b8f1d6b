// The HTTP/2 connections of one event loop that further streams may be begun on, by destination.
//
// Whoever finds none with room makes one, while others who look for the same destination wait for that. It belongs to a
// thread, as the loop does.
#pragma once

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
#include <windhover/completion.hpp>
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
  // Neither a connection nor the duty to make one, and not stopped: the server takes none over HTTP/2.
  task<found> find(std::string destination, std::stop_token stop);

  // For connections.
  void add(const std::string& destination, http2_client_connection& connection);
  void remove(const std::string& destination, http2_client_connection& connection) noexcept;

 private:
  struct place {
    std::vector<http2_client_connection*> connections;
    std::vector<completion<making::verdict>> waiting;
    bool being_made = false;
  };
  http2_client_connection* with_room(const std::string& destination) const noexcept;
  void forget_if_empty(const std::string& destination) noexcept;
  void wake(const std::string& destination, std::size_t most,
            making::verdict verdict = making::verdict::look_again) noexcept;

  std::map<std::string, place> places_;
};

}  // namespace windhover::http
