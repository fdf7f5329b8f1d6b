// What a WebSocket client in memory reads: the frames of a stream of bytes, however it is cut.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "wire/websocket/decoder.hpp"

namespace windhover::testing {

struct read_frame {
  wire::opcode code = wire::opcode::continuation;  // of a continuation: its message's
  bool first = false;
  bool fin = false;
  bool compressed = false;  // the payload is, as it came
  std::string payload;
};

class frame_reader {
 public:
  // Takes frames of a server, up to `message_size` bytes in a message; compressed ones where that was agreed.
  explicit frame_reader(std::uint64_t message_size, bool compression = false);

  // Takes bytes from the front of `in`, up to the end of the next frame. None: there is no whole one yet, or the stream
  // is no WebSocket's.
  std::optional<read_frame> next(std::span<const std::byte>& in);
  wire::websocket_error error() const noexcept { return decoder_.error(); }

 private:
  wire::frame_decoder decoder_;
  bool in_frame_ = false;
  std::string payload_;
  std::size_t done_ = 0;
};

}  // namespace windhover::testing
