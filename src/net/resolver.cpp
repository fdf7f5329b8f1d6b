#include "net/resolver.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <netdb.h>

#include <windhover/completion.hpp>
#include <windhover/run_blocking.hpp>

namespace windhover::net {
namespace {

std::optional<address> numeric(const std::string& host, std::uint16_t port) {
  try {
    return make_ip_address(host, port);
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

std::optional<address> address_of(const addrinfo& found, std::uint16_t port) {
  address made;
  if (found.ai_addrlen > sizeof made.value) return std::nullopt;
  std::memcpy(&made.value, found.ai_addr, found.ai_addrlen);
  made.size = found.ai_addrlen;
  if (found.ai_family == AF_INET) {
    made.value.ipv4.sin_port = htons(port);
  } else if (found.ai_family == AF_INET6) {
    made.value.ipv6.sin6_port = htons(port);
  } else {
    return std::nullopt;
  }
  return made;
}

resolution look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  const std::unique_ptr<addrinfo, decltype([](addrinfo* list) { ::freeaddrinfo(list); })> owned(found);
  resolution made;
  if (error == EAI_SYSTEM) {
    made.failure = std::generic_category().message(errno);
  } else if (error != 0) {
    made.failure = ::gai_strerror(error);
  }
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    if (const auto at = address_of(*each, port)) made.addresses.push_back(*at);
  }
  if (made.addresses.empty() && made.failure.empty()) made.failure = "the name has no address";
  return made;
}

}  // namespace

task<resolution> resolve(event_loop&, std::string host, std::uint16_t port, std::stop_token stop) {
  resolution at_once;
  if (const auto known = numeric(host, port)) {
    at_once.addresses.push_back(*known);
    co_return at_once;
  }
  // Whoever is first, the worker or the stop, gives the outcome; what the other one has to say is dropped.
  const completion<resolution> done;
  post_to_worker_pool([done, host = std::move(host), port] {
    try {
      done.set_value(look_up(host, port));
    } catch (...) {
      done.set_exception(std::current_exception());
    }
  });
  const auto give_up = [done]() noexcept {
    resolution stopped;
    stopped.stopped = true;
    done.set_value(std::move(stopped));
  };
  const std::stop_callback stopping(std::move(stop), give_up);
  co_return co_await done;
}

}  // namespace windhover::net
