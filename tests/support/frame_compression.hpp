// The payloads of a peer with permessage-deflate: whole frames, compressed and decompressed.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "wire/websocket/deflate.hpp"

namespace windhover::test {

// Compresses what a peer sends. Each call gives the payload of one frame.
class peer_deflater {
 public:
  explicit peer_deflater(int window_bits = 15, bool context_takeover = true) : engine_(window_bits, context_takeover) {}

  std::string frame_payload(std::string_view content, bool fin = true) {
    std::string payload(wire::deflate_bound(content.size()), '\0');
    std::span<const std::byte> in = std::as_bytes(std::span(content));
    const auto [produced, complete] =
        engine_.deflate(in, std::as_writable_bytes(std::span(payload)),
                        fin ? wire::deflater::boundary::message : wire::deflater::boundary::fragment);
    if (!complete) throw std::logic_error("a compressed frame is larger than the largest one");
    payload.resize(produced);
    return payload;
  }

 private:
  wire::deflater engine_;
};

// Decompresses what a peer gets, frame by frame.
class frame_inflater {
 public:
  explicit frame_inflater(int window_bits = 15, bool context_takeover = true)
      : engine_(window_bits, context_takeover) {}

  // None: it is not compressed.
  std::optional<std::string> content(std::string_view payload, bool fin = true) {
    std::string content;
    std::span<const std::byte> in = std::as_bytes(std::span(payload));
    bool good = drain(content, [&](std::span<std::byte> room) { return engine_.inflate(in, room); });
    if (good && fin) good = drain(content, [&](std::span<std::byte> room) { return engine_.end_of_message(room); });
    if (!good) return std::nullopt;
    return content;
  }

 private:
  template <class Work>
  static bool drain(std::string& content, const Work& work) {
    std::array<std::byte, 4096> room;
    for (;;) {
      const auto [next, produced] = work(std::span(room));
      content.append(reinterpret_cast<const char*>(room.data()), produced);
      if (next == wire::inflater::step::error) return false;
      if (next != wire::inflater::step::needs_room) return true;
    }
  }

  wire::inflater engine_;
};

}  // namespace windhover::test
