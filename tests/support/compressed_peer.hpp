// The other end of a WebSocket with permessage-deflate: what it sends, and what it makes of what it gets.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "support/frame_compression.hpp"
#include "support/websocket_peer.hpp"

namespace windhover::test {

inline std::string deflated(std::string_view content) { return peer_deflater().frame_payload(content); }

// A client's frame with RSV1.
inline std::string rsv1_frame(opcode code, std::string_view payload, bool fin = true) {
  return frame_on_wire(code, payload, fin, key_of_tests, true);
}
// A frame of a compressed message: only the first one has RSV1.
inline std::string compressed_fragment(opcode code, std::string_view payload, bool first, bool fin) {
  return frame_on_wire(first ? code : opcode::continuation, payload, fin, key_of_tests, first);
}
// A whole message, which nothing before it is needed for.
inline std::string compressed_message(opcode code, std::string_view content) {
  return rsv1_frame(code, deflated(content));
}

// What the frames of a server say, as "text Hello"; compressed ones with a "*" behind it. The messages of control
// frames are left out.
class peer_inflater {
 public:
  explicit peer_inflater(int window_bits = 15, bool context_takeover = true) : engine_(window_bits, context_takeover) {}

  std::vector<std::string> messages(const std::vector<seen_frame>& frames) {
    std::vector<std::string> found;
    std::string content;
    opcode code = opcode::text;
    bool compressed = false;
    for (const seen_frame& frame : frames) {
      if (is_control(frame.code)) continue;
      if (frame.code != opcode::continuation) {
        content.clear();
        code = frame.code;
        compressed = frame.rsv1;
      }
      content += compressed ? inflated(frame) : frame.payload;
      if (!frame.fin) continue;
      found.push_back((code == opcode::text ? "text " : "binary ") + content + (compressed ? "*" : ""));
    }
    return found;
  }

 private:
  std::string inflated(const seen_frame& frame) {
    const std::optional<std::string> content = engine_.content(frame.payload, frame.fin);
    EXPECT_TRUE(content);
    return content.value_or("");
  }

  frame_inflater engine_;
};

}  // namespace windhover::test
