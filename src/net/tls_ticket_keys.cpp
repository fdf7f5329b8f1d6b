#include "net/tls_ticket_keys.hpp"

#include <algorithm>

namespace windhover::net {

tls_ticket_keys::key tls_ticket_keys::newest(time_point now, base::random_source& random) {
  const std::lock_guard locked(lock_);
  if (!keys_.empty() && is_newest(keys_.back(), now)) return keys_.back();
  std::erase_if(keys_, [now](const key& each) { return now >= each.made + renewed_after + good_for; });
  key made{.name = {}, .cipher = {}, .mac = {}, .made = now};
  random.fill(std::as_writable_bytes(std::span(made.name)));
  random.fill(std::as_writable_bytes(std::span(made.cipher)));
  random.fill(std::as_writable_bytes(std::span(made.mac)));
  keys_.push_back(made);
  return made;
}

std::optional<tls_ticket_keys::key> tls_ticket_keys::find(std::span<const unsigned char, 16> name, time_point now) {
  const std::lock_guard locked(lock_);
  const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const key& each) {
    return std::equal(each.name.begin(), each.name.end(), name.begin()) && now < each.made + renewed_after + good_for;
  });
  if (found == keys_.end()) return std::nullopt;
  return *found;
}

}  // namespace windhover::net
