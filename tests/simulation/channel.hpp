// What stands between a client's script, which speaks HTTP/1.1 and WebSocket frames, and its connection.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace windhover::simulation {

class channel {
 public:
  virtual ~channel() = default;

  virtual void say(std::string_view plain) = 0;
  // The script has no more to say.
  virtual void finish() {}
  // Just before the connection's own end.
  virtual void end() = 0;
  // Takes what has arrived and appends what it means. broken: that was none of this protocol, or the end of everything
  // but the connection; ended: the server has no more to say.
  enum class heard : std::uint8_t { fine, ended, broken };
  virtual heard hear(std::string_view arrived, std::string& plain) = 0;
  // What is to be sent.
  virtual std::string take_output() = 0;
  // The connection must not be ended yet.
  virtual bool waits() const noexcept = 0;
};

}  // namespace windhover::simulation
