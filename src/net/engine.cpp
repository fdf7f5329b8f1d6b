#include "net/engine.hpp"

#include <cerrno>

#include <netinet/tcp.h>
#include <unistd.h>

#include "base/system_error.hpp"
#include "net/address.hpp"

namespace windhover::net {

bool send_operation::advance(std::size_t sent) noexcept {
  while (first < pieces.size()) {
    iovec& piece = pieces[first];
    if (sent < piece.iov_len) {
      piece.iov_base = static_cast<std::byte*>(piece.iov_base) + sent;
      piece.iov_len -= sent;
      return false;
    }
    sent -= piece.iov_len;
    ++first;
  }
  return true;
}

int engine::make_socket(sa_family_t family) noexcept {
  const int made = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (made < 0) return -errno;
  if (family != AF_UNIX) {
    const int one = 1;
    ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  return made;
}
int engine::accept_pending(int listening) noexcept {
  const int accepted = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  return accepted < 0 ? -errno : accepted;
}
void engine::stop_listening(int listening) noexcept { ::shutdown(listening, SHUT_RDWR); }
void engine::discard(int descriptor) noexcept { ::close(descriptor); }
endpoint engine::local_endpoint(int descriptor) const { return local_endpoint_of(descriptor); }
endpoint engine::remote_endpoint(int descriptor) const { return remote_endpoint_of(descriptor); }

chosen_engine make_engine(engine_kind wanted, duration busy_poll) {
  if (wanted == engine_kind::epoll) return {make_epoll_engine(busy_poll), "asked for"};
  const io_uring_features features = probe_io_uring();
  if (wanted == engine_kind::io_uring) {
    if (!features.available) {
      base::throw_system_error(ENOSYS,
                               "the io_uring engine was asked for, but " + features.reason + "; use --engine epoll");
    }
    return {make_io_uring_engine(features, busy_poll),
            features.incremental_buffers ? "asked for" : "asked for; " + features.reason};
  }
  if (!features.incremental_buffers) return {make_epoll_engine(busy_poll), features.reason};
  return {make_io_uring_engine(features, busy_poll), "the kernel has incremental provided-buffer rings"};
}

}  // namespace windhover::net
