// Somebody who sends on a connection besides its handler, and wants to know when that is possible.
#pragma once

#include <memory>

namespace windhover {

// Called by the connection, on its loop; must not resume coroutines. Belongs to the connection, and lives as long.
class sending_watch {
 public:
  explicit sending_watch(const void* of) noexcept : owner(of) {}
  sending_watch(const sending_watch&) = delete;
  sending_watch& operator=(const sending_watch&) = delete;
  virtual ~sending_watch() = default;

  // Less waits for the kernel than may wait, or a message has been sent, the last of some fragments perhaps.
  virtual void can_send_again() noexcept = 0;
  // Nothing can be sent any more. May come more than once, and while the watch itself sends.
  virtual void sending_is_over() noexcept = 0;
  // False: it wants to know nothing any more, and may be destroyed.
  virtual bool needed() const noexcept = 0;

  const void* const owner;              // to find it again
  std::unique_ptr<sending_watch> next;  // of the same connection
};

}  // namespace windhover
