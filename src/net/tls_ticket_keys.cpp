#include "net/tls_ticket_keys.hpp"

#include <algorithm>

#include <openssl/rand.h>

namespace windhover::net {

std::optional<tls_ticket_keys::key> tls_ticket_keys::newest(time_point now) {
  const std::lock_guard locked(lock_);
  if (!keys_.empty() && is_newest(keys_.back(), now)) return keys_.back();
  std::erase_if(keys_, [now](const key& each) { return now >= each.made + renewed_after + good_for; });
  key made{.name = {}, .cipher = {}, .mac = {}, .made = now};
  const auto filled = [](auto& bytes) { return RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1; };
  if (!filled(made.name) || !filled(made.cipher) || !filled(made.mac)) return std::nullopt;
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
