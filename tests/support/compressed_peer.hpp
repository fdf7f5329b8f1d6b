// The other end of a WebSocket with permessage-deflate: what it sends, and what it makes of what it gets.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "support/websocket_peer.hpp"
#include "wire/websocket/deflate.hpp"

namespace windhover::test {

// Compresses what a peer sends. Each call gives the payload of one frame.
class peer_deflater {
 public:
  explicit peer_deflater(int window_bits = 15, bool context_takeover = true) : engine_(window_bits, context_takeover) {}

  std::string frame_payload(std::string_view content, bool fin = true) {
    std::string payload(wire::deflate_bound(content.size()), '\0');
    std::span<const std::byte> in = bytes_of(content);
    const auto [produced, complete] =
        engine_.deflate(in, std::as_writable_bytes(std::span(payload)),
                        fin ? wire::deflater::boundary::message : wire::deflater::boundary::fragment);
    EXPECT_TRUE(complete);
    payload.resize(produced);
    return payload;
  }

 private:
  wire::deflater engine_;
};

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
    std::string content;
    std::span<const std::byte> in = bytes_of(frame.payload);
    drain(content, [&](std::span<std::byte> room) { return engine_.inflate(in, room); });
    if (frame.fin) drain(content, [&](std::span<std::byte> room) { return engine_.end_of_message(room); });
    return content;
  }
  template <class Work>
  static void drain(std::string& content, const Work& work) {
    for (;;) {
      std::vector<std::byte> room(4096);
      const auto [next, produced] = work(std::span(room));
      content += text_of(std::span(room).first(produced));
      ASSERT_NE(next, wire::inflater::step::error);
      if (next != wire::inflater::step::needs_room) return;
    }
  }

  wire::inflater engine_;
};

}  // namespace windhover::test
