#include "net/limit.hpp"

#include <utility>

#include "net/address.hpp"

namespace windhover::net {

struct limit::taken final : kept {
  explicit taken(limit& of) noexcept : from(of) {}
  ~taken() override { from.leave(); }
  limit& from;
};

std::optional<place> limit::enter(const std::shared_ptr<limit>& of) {
  if (!of) return place();
  {
    const std::lock_guard lock(of->mutex_);
    if (of->count_ >= of->most_) return std::nullopt;
    if (++of->count_ == 1) of->itself_ = of;
  }
  try {
    return std::make_unique<taken>(*of);
  } catch (...) {
    of->leave();
    throw;
  }
}

void limit::leave() noexcept {
  std::shared_ptr<limit> last;  // let go when the lock is
  const std::lock_guard lock(mutex_);
  if (--count_ == 0) last = std::move(itself_);
}

namespace {

// Empty for a peer that is not counted.
std::string counted_address(const endpoint& from) {
  if (from.type == endpoint::kind::ipv4) return from.address;
  if (from.type != endpoint::kind::ipv6) return {};
  constexpr std::size_t network = 8;
  const address parsed = make_ip_address(from.address, 0);
  return std::string(reinterpret_cast<const char*>(parsed.value.ipv6.sin6_addr.s6_addr), network);
}

}  // namespace

struct address_limit::taken final : kept {
  taken(std::shared_ptr<address_limit> of, std::string where) noexcept : from(std::move(of)), key(std::move(where)) {}
  ~taken() override {
    const std::lock_guard lock(from->mutex_);
    const auto found = from->counts_.find(key);
    if (--found->second == 0) from->counts_.erase(found);
  }
  std::shared_ptr<address_limit> from;
  std::string key;
};

std::optional<place> address_limit::enter(const std::shared_ptr<address_limit>& of, const endpoint& from) {
  if (!of) return place();
  std::string key = counted_address(from);
  if (key.empty()) return place();
  {
    const std::lock_guard lock(of->mutex_);
    std::size_t& count = of->counts_[key];
    if (count >= of->most_) return std::nullopt;
    ++count;
  }
  try {
    return std::make_unique<taken>(of, key);
  } catch (...) {
    const std::lock_guard lock(of->mutex_);
    if (--of->counts_[key] == 0) of->counts_.erase(key);
    throw;
  }
}

}  // namespace windhover::net
