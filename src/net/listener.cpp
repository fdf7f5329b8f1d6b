#include "net/listener.hpp"

#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/system_error.hpp"

namespace windhover::net {
namespace {

constexpr int backlog = 4096;
constexpr duration retry_after = std::chrono::milliseconds(100);
constexpr duration said_again_after = std::chrono::minutes(1);

void set(int descriptor, int level, int option, int value) {
  if (::setsockopt(descriptor, level, option, &value, sizeof value) != 0) base::throw_system_error(errno, "setsockopt");
}

// A socket file that a process left behind refuses connections: it may go.
void remove_stale_socket(const address& at) {
  struct stat found {};
  if (::lstat(at.value.unix_path.sun_path, &found) != 0 || !S_ISSOCK(found.st_mode)) return;
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return;
  if (::connect(probe, &at.value.any, at.size) != 0 && errno == ECONNREFUSED) ::unlink(at.value.unix_path.sun_path);
  ::close(probe);
}

}  // namespace

listening_socket listening_socket::bind(const address& at, bool shared) {
  const int family = at.value.any.sa_family;
  listening_socket made(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (made.descriptor_ < 0) base::throw_system_error(errno, "socket");
  if (family == AF_UNIX) {
    remove_stale_socket(at);
  } else {
    set(made.descriptor_, SOL_SOCKET, SO_REUSEADDR, 1);
    set(made.descriptor_, IPPROTO_TCP, TCP_NODELAY, 1);  // inherited by what is accepted
    if (family == AF_INET6) {
      const bool any = IN6_IS_ADDR_UNSPECIFIED(&at.value.ipv6.sin6_addr);
      set(made.descriptor_, IPPROTO_IPV6, IPV6_V6ONLY, any ? 0 : 1);
    }
  }
  if (::bind(made.descriptor_, &at.value.any, at.size) != 0) base::throw_system_error(errno, "bind");
  // Only now: the first bind was exclusive, so a port in use is still an error.
  if (shared && family != AF_UNIX) set(made.descriptor_, SOL_SOCKET, SO_REUSEPORT, 1);
  if (::listen(made.descriptor_, backlog) != 0) base::throw_system_error(errno, "listen");
  return made;
}

listening_socket listening_socket::sibling() const {
  address at;
  at.size = sizeof at.value;
  if (::getsockname(descriptor_, &at.value.any, &at.size) != 0) base::throw_system_error(errno, "getsockname");
  const int family = at.value.any.sa_family;
  if (family == AF_UNIX) {
    const int duplicate = ::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
    if (duplicate < 0) base::throw_system_error(errno, "dup");
    return listening_socket(duplicate);
  }
  listening_socket made(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (made.descriptor_ < 0) base::throw_system_error(errno, "socket");
  set(made.descriptor_, SOL_SOCKET, SO_REUSEADDR, 1);
  set(made.descriptor_, SOL_SOCKET, SO_REUSEPORT, 1);
  set(made.descriptor_, IPPROTO_TCP, TCP_NODELAY, 1);
  if (family == AF_INET6) {
    int only = 0;
    socklen_t size = sizeof only;
    ::getsockopt(descriptor_, IPPROTO_IPV6, IPV6_V6ONLY, &only, &size);
    set(made.descriptor_, IPPROTO_IPV6, IPV6_V6ONLY, only);
  }
  if (::bind(made.descriptor_, &at.value.any, at.size) != 0) base::throw_system_error(errno, "bind");
  if (::listen(made.descriptor_, backlog) != 0) base::throw_system_error(errno, "listen");
  return made;
}

listening_socket::listening_socket(listening_socket&& other) noexcept : descriptor_(other.take()) {}
listening_socket::~listening_socket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}
int listening_socket::take() noexcept { return std::exchange(descriptor_, -1); }

listener::listener(event_loop& loop, int descriptor, event_loop::driver_factory make_driver, const options& with)
    : loop_(loop),
      descriptor_(descriptor),
      local_(loop.kernel().local_endpoint(descriptor)),
      make_driver_(std::move(make_driver)),
      options_(with),
      retry_(this, [](void* self) noexcept {
        listener& here = *static_cast<listener*>(self);
        here.loop_.kernel().set_accepting(here.token_, true);
      }) {}

listener& listener::add_to(event_loop& loop, listening_socket socket, event_loop::driver_factory make_driver,
                           const options& with) {
  return add_to(loop, socket.take(), std::move(make_driver), with);
}

listener& listener::add_to(event_loop& loop, int descriptor, event_loop::driver_factory make_driver,
                           const options& with) {
  listener* added = nullptr;
  try {
    auto made = std::make_unique<listener>(loop, descriptor, std::move(make_driver), with);
    listener& listening = *made;
    listening.token_ = loop.add(std::move(made));
    added = &listening;
    loop.kernel().listen(listening.token_, descriptor);
  } catch (...) {
    loop.kernel().discard(descriptor);
    if (added != nullptr) added->on_closed();
    throw;
  }
  return *added;
}

void listener::on_accepted(int descriptor_or_error) noexcept {
  if (descriptor_or_error < 0) return pause_after(-descriptor_or_error);
  try {
    take(descriptor_or_error);
  } catch (const std::exception& error) {
    ++loop_.counters().accept_failures;
    loop_.log_line(log_level::error, "net",
                   [&] { return std::string("a connection could not be taken: ") + error.what(); });
  }
}

// Takes the descriptor, whatever happens.
void listener::take(int descriptor) {
  loop_counters& counters = loop_.counters();
  std::optional<place> among_all;
  std::optional<place> of_address;
  try {
    among_all = limit::enter(options_.connections);
    if (among_all) of_address = address_limit::enter(options_.connections_of_address, remote_of(descriptor));
  } catch (...) {
    loop_.kernel().discard(descriptor);
    throw;
  }
  if (!of_address) {
    ++(among_all ? counters.refused_by_address : counters.refused);
    if (!among_all) say_that_there_are_too_many();
    loop_.kernel().discard(descriptor);
    return;
  }
  transport& added = loop_.add_connection(descriptor, make_driver_);
  added.keep(std::move(*among_all));
  added.keep(std::move(*of_address));
  ++counters.accepted;
}

// What a peer can cause at will is not said each time.
bool listener::may_say(std::optional<time_point>& said) const noexcept {
  if (said && loop_.now() - *said < said_again_after) return false;
  said = loop_.now();
  return true;
}

void listener::say_that_there_are_too_many() noexcept {
  if (!may_say(refusal_said_)) return;
  loop_.log_line(log_level::warning, "net", [this] {
    return "connections are refused: there are " + std::to_string(options_.connections->most()) +
           " already, which is their limit";
  });
}

// Looked for only where it is wanted.
endpoint listener::remote_of(int descriptor) const {
  return options_.connections_of_address ? loop_.kernel().remote_endpoint(descriptor) : endpoint{};
}

// Without descriptors or memory accepting would fail again at once: it rests for a while. Not said for every try, nor
// each time that one descriptor was to be had.
void listener::pause_after(int error) noexcept {
  if (stopping_) return;
  ++loop_.counters().accept_failures;
  if (may_say(failure_said_)) {
    loop_.log_line(log_level::error, "net", [&] {
      return "accepting connections failed (" + std::generic_category().message(error) + "); trying again every 100 ms";
    });
  }
  loop_.kernel().set_accepting(token_, false);
  loop_.arm(retry_, retry_after);
}

void listener::stop() noexcept {
  if (std::exchange(stopping_, true)) return;
  retry_.cancel();
  for (;;) {
    const int accepted = loop_.kernel().accept_pending(descriptor_);
    if (accepted < 0) break;
    on_accepted(accepted);
  }
  // The engine may have to cancel an operation before it can close the descriptor; nobody is to connect until then.
  loop_.kernel().stop_listening(descriptor_);
  if (local_.type == endpoint::kind::unix_socket && !local_.address.empty()) ::unlink(local_.address.c_str());
  loop_.kernel().close(token_, false);
}

void listener::on_closed() noexcept {
  closed_ = true;
  loop_.consider_destroying(token_);
}

}  // namespace windhover::net
