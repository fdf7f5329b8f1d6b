#include "http/http2_client_pool.hpp"

#include <algorithm>
#include <cstddef>

#include "http/http2_client_connection.hpp"
#include "net/stop_on_loop.hpp"

namespace windhover::http {

std::shared_ptr<http2_client_pool> http2_client_pool::of(net::event_loop& loop) {
  return loop.local<http2_client_pool>();
}

http2_client_pool::waiter::waiter(net::event_loop& loop, http2_client_pool& in, const std::string& destination)
    : loop_(loop), in_(in), destination_(destination), letter_(net::mailbox::prepare([this] { waiting_.resume(); })) {
  in.places_[destination].waiting.push_back(this);
}

http2_client_pool::waiter::~waiter() {
  const auto at = in_.places_.find(destination_);
  if (at != in_.places_.end()) std::erase(at->second.waiting, this);
}

bool http2_client_pool::waiter::wake(making::verdict verdict) noexcept {
  if (!letter_) return false;
  verdict_ = verdict;
  loop_.mailbox()->post_prepared(std::move(letter_));
  return true;
}

// Whoever leaves find(), however, lets the next one look: there may be room for it, or nobody that makes it.
class http2_client_pool::next_one {
 public:
  next_one(http2_client_pool& in, const std::string& destination) noexcept : in_(in), destination_(destination) {}
  next_one(const next_one&) = delete;
  next_one& operator=(const next_one&) = delete;
  ~next_one() { in_.wake(destination_, 1, making::verdict::look_again); }

 private:
  http2_client_pool& in_;
  const std::string& destination_;
};

task<http2_client_pool::found> http2_client_pool::find(net::event_loop& loop, std::string destination,
                                                       std::stop_token stop) {
  found result;
  const next_one behind(*this, destination);
  for (;;) {
    result.connection = with_room(destination);
    if (result.connection != nullptr) break;
    place& here = places_[destination];
    if (!here.being_made) {
      result.to_make.emplace(shared_from_this(), destination);
      here.being_made = true;
      break;
    }
    waiter here_too(loop, *this, destination);
    const net::stop_on_loop<waiter> stopping(loop, stop, here_too);
    const making::verdict verdict = co_await here_too;
    result.stopped = stop.stop_requested();
    if (result.stopped || verdict == making::verdict::not_spoken) break;
  }
  co_return result;
}

http2_client_connection* http2_client_pool::with_room(const std::string& destination) const noexcept {
  const auto at = places_.find(destination);
  if (at == places_.end()) return nullptr;
  const auto& all = at->second.connections;
  const auto first = std::find_if(all.begin(), all.end(), [](const auto* each) { return each->has_room(); });
  return first == all.end() ? nullptr : *first;
}

void http2_client_pool::add(const std::string& destination, http2_client_connection& connection) {
  places_[destination].connections.push_back(&connection);
}

void http2_client_pool::remove(const std::string& destination, http2_client_connection& connection) noexcept {
  const auto at = places_.find(destination);
  if (at == places_.end()) return;
  std::erase(at->second.connections, &connection);
  forget_if_empty(destination);
}

void http2_client_pool::forget_if_empty(const std::string& destination) noexcept {
  const auto at = places_.find(destination);
  if (at == places_.end()) return;
  const place& here = at->second;
  if (here.connections.empty() && here.waiting.empty() && !here.being_made) places_.erase(at);
}

// Those that came first. Who has stopped waiting counts for nothing.
void http2_client_pool::wake(const std::string& destination, std::size_t most, making::verdict verdict) noexcept {
  const auto at = places_.find(destination);
  if (at == places_.end() || at->second.being_made) return;
  for (waiter* const each : at->second.waiting) {
    if (most == 0) break;
    if (each->wake(verdict)) --most;
  }
  forget_if_empty(destination);
}

// ----- The duty to make one

http2_client_pool::making::~making() { end(verdict::look_again, 1); }

void http2_client_pool::making::made(http2_client_connection& connection) {
  was_made_ = true;
  if (!of_) return;
  connection.join(of_, destination_);
  // One place is for who has made it; so the last of these makes the next connection.
  end(verdict::look_again, std::max<std::size_t>(connection.room(), 1));
}

void http2_client_pool::making::end(verdict what, std::size_t most) noexcept {
  const std::shared_ptr<http2_client_pool> of = std::exchange(of_, nullptr);
  if (!of) return;
  const auto at = of->places_.find(destination_);
  if (at != of->places_.end()) at->second.being_made = false;
  of->wake(destination_, most, what);
}

}  // namespace windhover::http
