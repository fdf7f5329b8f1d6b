#include "http/http2_client_pool.hpp"

#include <algorithm>
#include <cstddef>

#include "http/http2_client_connection.hpp"

namespace windhover::http {

std::shared_ptr<http2_client_pool> http2_client_pool::of(net::event_loop& loop) {
  return loop.local<http2_client_pool>();
}

task<http2_client_pool::found> http2_client_pool::find(std::string destination, std::stop_token stop) {
  found result;
  for (;;) {
    result.connection = with_room(destination);
    if (result.connection != nullptr) break;
    place& here = places_[destination];
    if (!std::exchange(here.being_made, true)) {
      result.to_make.emplace(shared_from_this(), destination);
      break;
    }
    const completion<making::verdict> made;
    here.waiting.push_back(made);
    const std::stop_callback when_stopped(stop, [made] { made.set_value(making::verdict::look_again); });
    const making::verdict verdict = co_await made;
    result.stopped = stop.stop_requested();
    if (result.stopped || verdict == making::verdict::not_spoken) break;
  }
  // There may be room for another one, or nobody that makes it.
  wake(destination, 1);
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

// Those that came first. What has stopped waiting counts for nothing.
void http2_client_pool::wake(const std::string& destination, std::size_t most, making::verdict verdict) noexcept {
  const auto at = places_.find(destination);
  if (at == places_.end() || at->second.being_made) return;
  auto& waiting = at->second.waiting;
  std::size_t looked_at = 0;
  for (; looked_at < waiting.size() && most > 0; ++looked_at) {
    if (waiting[looked_at].set_value(verdict)) --most;
  }
  waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(looked_at));
  forget_if_empty(destination);
}

// ----- The duty to make one

http2_client_pool::making::~making() { end(verdict::look_again, 1); }

void http2_client_pool::making::made(http2_client_connection& connection) {
  was_made_ = true;
  if (!of_) return;
  connection.join(of_, destination_);
  // One place is for who has made it; the one behind the last makes the next.
  end(verdict::look_again, connection.room());
}

void http2_client_pool::making::end(verdict what, std::size_t most) noexcept {
  const std::shared_ptr<http2_client_pool> of = std::exchange(of_, nullptr);
  if (!of) return;
  of->places_[destination_].being_made = false;
  of->wake(destination_, most, what);
}

}  // namespace windhover::http
