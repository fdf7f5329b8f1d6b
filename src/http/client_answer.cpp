#include "http/client_answer.hpp"

#include <algorithm>
#include <new>

#include "net/stop_on_loop.hpp"

namespace windhover::http {

bool client_answer::keep_body(std::span<const std::byte> piece, std::size_t limit) {
  std::string& body = outcome_.response.body;
  const std::size_t count = std::min(piece.size(), limit - body.size());
  body.append(reinterpret_cast<const char*>(piece.data()), count);
  return body.size() == limit;
}

void client_answer::give() noexcept {
  given_ = true;
  if (waiter_) std::exchange(waiter_, nullptr).resume();
}

void client_answer::fail(client_outcome::failure why, std::string_view text) noexcept {
  if (given_) return;
  outcome_.why = why;
  try {
    outcome_.text = text;
  } catch (const std::bad_alloc&) {
    // The failure itself says enough.
  }
  give();
}

void client_answer::fail(const net::failure& why) noexcept {
  if (given_) return;
  const bool of_tls = why.why == net::failure::cause::tls;
  outcome_.why = of_tls ? client_outcome::failure::tls_failed : client_outcome::failure::connection_lost;
  try {
    outcome_.text = net::describe(why);
  } catch (const std::bad_alloc&) {
    // Without words.
  }
  give();
}

task<client_outcome> client_driver::answered(std::stop_token stop) {
  const net::stop_on_loop<client_driver> stopping(stream_.loop(), std::move(stop), *this);
  client_answer::awaiter answer = answer_.coming();
  co_await answer;
  co_return answer_.take();
}

void client_driver::upgrade(std::unique_ptr<net::driver> successor) noexcept {
  held_ = false;
  stream_.set_sink(*successor);
  stream_.hand_over(std::move(successor));
  stream_.resume_reading();
}

void client_driver::let_go() noexcept {
  held_ = false;
  if (under_way()) stream_.abort();
  stream_.driver_finished();
}

}  // namespace windhover::http
