#include "http/http2_client_pool.hpp"

#include <algorithm>

#include "http/http2_client_connection.hpp"

namespace windhover::http {

std::shared_ptr<http2_client_pool> http2_client_pool::of(net::event_loop& loop) {
  return loop.local<http2_client_pool>();
}

task<http2_client_pool::found> http2_client_pool::find(std::string destination, std::stop_token stop) {
  for (;;) {
    found result;
    result.connection = with_room(destination);
    if (result.connection != nullptr) co_return result;
    place& here = places_[destination];
    if (!std::exchange(here.being_made, true)) {
      result.to_make.emplace(shared_from_this(), destination);
      co_return result;
    }
    const completion<making::verdict> made;
    here.waiting.push_back(made);
    const std::stop_callback when_stopped(stop, [made] { made.set_value(making::verdict::look_again); });
    const making::verdict verdict = co_await made;
    result.stopped = stop.stop_requested();
    if (result.stopped || verdict == making::verdict::not_spoken) co_return result;
  }
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
  if (at != places_.end() && at->second.connections.empty() && !at->second.being_made) places_.erase(at);
}

// ----- The duty to make one

http2_client_pool::making::~making() { end(verdict::look_again); }

void http2_client_pool::making::made(http2_client_connection& connection) {
  was_made_ = true;
  if (of_) connection.join(of_, destination_);
  end(verdict::look_again);
}

void http2_client_pool::making::end(verdict what) noexcept {
  const std::shared_ptr<http2_client_pool> of = std::exchange(of_, nullptr);
  if (!of) return;
  place& here = of->places_[destination_];
  here.being_made = false;
  const std::vector<completion<verdict>> waiting = std::exchange(here.waiting, {});
  of->forget_if_empty(destination_);
  for (const completion<verdict>& each : waiting) each.set_value(what);
}

}  // namespace windhover::http
