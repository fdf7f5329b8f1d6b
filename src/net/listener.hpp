// A listening socket on a loop: what it accepts becomes connections of that loop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/address.hpp"
#include "net/event_loop.hpp"
#include "net/limit.hpp"
#include "net/timer.hpp"

namespace windhover::net {

// A bound, listening, non-blocking stream socket. Closed by its destructor unless it was taken.
class listening_socket {
 public:
  // Binds exclusively: an address in use is an error. With `shared`, siblings may then join it on the same address.
  // TCP: SO_REUSEADDR and TCP_NODELAY, an IPv6 address that stands for any address takes IPv4 too. Unix: a stale socket
  // file that nobody listens on is replaced. Throws std::system_error.
  static listening_socket bind(const address& at, bool shared);
  // Another one on the same address, for another loop: a sibling in the kernel's group (TCP), a duplicate (Unix).
  listening_socket sibling() const;

  listening_socket(listening_socket&& other) noexcept;
  listening_socket& operator=(listening_socket&&) = delete;
  listening_socket(const listening_socket&) = delete;
  listening_socket& operator=(const listening_socket&) = delete;
  ~listening_socket();

  endpoint local_endpoint() const { return local_endpoint_of(descriptor_); }
  int take() noexcept;
  int descriptor() const noexcept { return descriptor_; }

 private:
  explicit listening_socket(int descriptor) noexcept : descriptor_(descriptor) {}
  int descriptor_;
};

class listener final : public loop_object {
 public:
  // What comes beyond a limit is closed at once. Null: no limit.
  struct options {
    std::shared_ptr<limit> connections = nullptr;
    std::shared_ptr<address_limit> connections_of_address = nullptr;
  };

  // Listens from the next turn on. The loop owns the listener; the reference is valid until stop().
  static listener& add_to(event_loop& loop, listening_socket socket, event_loop::driver_factory make_driver,
                          const options& with);
  // The same with a listening descriptor of the loop's engine, which is taken, whatever happens.
  static listener& add_to(event_loop& loop, int descriptor, event_loop::driver_factory make_driver,
                          const options& with);

  // Accepts what the kernel has already completed, then closes the socket.
  void stop() noexcept;

  bool may_be_destroyed() const noexcept override { return closed_; }
  std::string describe() const override { return "listener on " + local_.to_string(); }
  void on_accepted(int descriptor_or_error) noexcept override;
  void on_closed() noexcept override;

  listener(event_loop& loop, int descriptor, event_loop::driver_factory make_driver, const options& with);

 private:
  void take(int descriptor);
  endpoint remote_of(int descriptor) const;
  bool may_say(std::optional<time_point>& said) const noexcept;
  void say_that_there_are_too_many() noexcept;
  void pause_after(int error) noexcept;

  event_loop& loop_;
  token token_{};
  int descriptor_;
  endpoint local_;
  event_loop::driver_factory make_driver_;
  options options_;
  timer retry_;
  // In the log.
  std::optional<time_point> failure_said_;
  std::optional<time_point> refusal_said_;
  bool stopping_ = false;
  bool closed_ = false;
};

}  // namespace windhover::net
