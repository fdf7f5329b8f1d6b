// How many of a kind there may be at a time, on all loops together: connections, connections of one address, and
// whatever else takes a place for as long as a connection lasts.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "net/transport.hpp"
#include <windhover/endpoint.hpp>

namespace windhover::net {

// A place that was taken, given back when it is destroyed, by whichever thread. Null where none is needed.
using place = std::unique_ptr<kept>;

class limit {
 public:
  explicit limit(std::size_t most) noexcept : most_(most) {}
  limit(const limit&) = delete;
  limit& operator=(const limit&) = delete;

  std::size_t most() const noexcept { return most_; }

  // Nothing when all places are taken. Without a limit (null) there is always one. Any thread. Throws std::bad_alloc.
  static std::optional<place> enter(const std::shared_ptr<limit>& of);

 private:
  struct taken;
  void leave() noexcept;

  const std::size_t most_;
  std::mutex mutex_;
  std::size_t count_ = 0;
  std::shared_ptr<limit> itself_;  // while a place is taken: one reference for all of them, not one in each
};

// The same for each address apart. An IPv6 address counts as its network of 64 bits, which a host has to itself. Peers
// without an address, on Unix sockets, are not counted.
class address_limit {
 public:
  explicit address_limit(std::size_t most) noexcept : most_(most) {}
  address_limit(const address_limit&) = delete;
  address_limit& operator=(const address_limit&) = delete;

  static std::optional<place> enter(const std::shared_ptr<address_limit>& of, const endpoint& from);

 private:
  struct taken;

  const std::size_t most_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::size_t> counts_;  // never walked through
};

}  // namespace windhover::net
