// The client of an HTTP/2 connection in tests: writes frames, whole or wrong, and reads what comes back. Fields go
// through nghttp2's HPACK; everything else is written and read here by hand.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "wire/http2/error_code.hpp"
#include "wire/http2/preface.hpp"

namespace windhover::test {

enum class frame_type : std::uint8_t {
  data,
  headers,
  priority,
  rst_stream,
  settings,
  push_promise,
  ping,
  goaway,
  window_update,
  continuation
};
inline constexpr std::uint8_t end_stream = 1;
inline constexpr std::uint8_t acknowledges = 1;
inline constexpr std::uint8_t end_headers = 4;

using field_list = std::vector<std::pair<std::string, std::string>>;

inline std::string octets(std::uint32_t value, int count = 4) {
  std::string text;
  for (int i = count - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}
inline std::uint32_t number(std::string_view text) {
  std::uint32_t value = 0;
  for (const char each : text) value = value << 8 | static_cast<std::uint8_t>(each);
  return value;
}

inline std::string frame(frame_type type, std::uint8_t flags, std::uint32_t stream, std::string_view payload = {}) {
  std::string text = octets(static_cast<std::uint32_t>(payload.size()), 3);
  text += static_cast<char>(type);
  text += static_cast<char>(flags);
  return text.append(octets(stream)).append(payload);
}
inline std::string data_frame(std::uint32_t stream, std::string_view payload, std::uint8_t flags = 0) {
  return frame(frame_type::data, flags, stream, payload);
}
inline std::string rst_stream(std::uint32_t stream, wire::http2::error_code why = wire::http2::error_code::cancel) {
  return frame(frame_type::rst_stream, 0, stream, octets(static_cast<std::uint32_t>(why)));
}
inline std::string window_update(std::uint32_t stream, std::uint32_t increment) {
  return frame(frame_type::window_update, 0, stream, octets(increment));
}
inline std::string setting(std::uint16_t id, std::uint32_t value) { return octets(id, 2) + octets(value); }
inline std::string settings_frame(std::string_view settings = {}) {
  return frame(frame_type::settings, 0, 0, settings);
}
inline std::string ping(std::string_view opaque = "01234567") { return frame(frame_type::ping, 0, 0, opaque); }

struct received_frame {
  frame_type type;
  std::uint8_t flags;
  std::uint32_t stream;
  std::string payload;
};

// What has come back on one stream.
struct received_answer {
  std::vector<std::string> informed;  // the statuses of interim answers
  std::string status;
  field_list fields;
  std::string body;
  bool ended = false;
  bool ended_with_head = false;
  std::optional<wire::http2::error_code> reset;

  std::optional<std::string> field(std::string_view name) const {
    for (const auto& each : fields) {
      if (each.first == name) return each.second;
    }
    return std::nullopt;
  }
};

class http2_peer {
 public:
  http2_peer() {
    if (nghttp2_hd_deflate_new(&deflater_, 4096) != 0 || nghttp2_hd_inflate_new(&inflater_) != 0) {
      throw std::bad_alloc();
    }
  }
  http2_peer(const http2_peer&) = delete;
  http2_peer& operator=(const http2_peer&) = delete;
  ~http2_peer() {
    nghttp2_hd_deflate_del(deflater_);
    nghttp2_hd_inflate_del(inflater_);
  }

  // ----- Writing

  // The client's preface and settings, and the acknowledgement of the server's.
  static std::string begin(std::string_view settings = {}) {
    return std::string(wire::http2::client_preface) + settings_frame(settings) +
           frame(frame_type::settings, acknowledges, 0);
  }
  std::string field_block(const field_list& fields) {
    std::vector<nghttp2_nv> list;
    for (const auto& each : fields) {
      // Not remembered for later ones, so that frames may be sent in another order than they were made in.
      list.push_back({octets_of(each.first), octets_of(each.second), each.first.size(), each.second.size(),
                      NGHTTP2_NV_FLAG_NO_INDEX});
    }
    std::string block(nghttp2_hd_deflate_bound(deflater_, list.data(), list.size()), '\0');
    const auto size = nghttp2_hd_deflate_hd(deflater_, octets_of(block), block.size(), list.data(), list.size());
    if (size < 0) throw std::runtime_error("the fields cannot be compressed");
    block.resize(static_cast<std::size_t>(size));
    return block;
  }
  std::string headers_frame(std::uint32_t stream, const field_list& fields, std::uint8_t flags = end_stream) {
    return frame(frame_type::headers, static_cast<std::uint8_t>(flags | end_headers), stream, field_block(fields));
  }
  static field_list request_fields(std::string_view method, std::string_view path, const field_list& further = {}) {
    field_list fields{{":method", std::string(method)},
                      {":scheme", "http"},
                      {":path", std::string(path)},
                      {":authority", "example.com"}};
    fields.insert(fields.end(), further.begin(), further.end());
    return fields;
  }
  std::string get(std::uint32_t stream, std::string_view path = "/", const field_list& further = {}) {
    return headers_frame(stream, request_fields("GET", path, further));
  }
  std::string post(std::uint32_t stream, std::string_view path, std::string_view body, const field_list& further = {}) {
    return headers_frame(stream, request_fields("POST", path, further), 0) + data_frame(stream, body, end_stream);
  }
  // Asks for a WebSocket (RFC 8441).
  std::string connect(std::uint32_t stream, std::string_view path = "/ws", const field_list& further = {}) {
    field_list fields = request_fields("CONNECT", path, {{":protocol", "websocket"}});
    fields.emplace_back("sec-websocket-version", "13");
    fields.insert(fields.end(), further.begin(), further.end());
    return headers_frame(stream, fields, 0);
  }

  // ----- Reading

  void take(std::string_view bytes) {
    unread_ += bytes;
    while (unread_.size() >= 9) {
      const std::size_t size = number(std::string_view(unread_).substr(0, 3));
      if (unread_.size() < 9 + size) return;
      received_frame one{static_cast<frame_type>(unread_[3]), static_cast<std::uint8_t>(unread_[4]),
                         number(std::string_view(unread_).substr(5, 4)) & 0x7FFFFFFF, unread_.substr(9, size)};
      unread_.erase(0, 9 + size);
      note(one);
      frames.push_back(std::move(one));
    }
  }
  // Bytes of a frame that is not complete.
  std::size_t unread() const noexcept { return unread_.size(); }

  std::size_t count(frame_type type) const {
    std::size_t found = 0;
    for (const received_frame& each : frames) found += each.type == type ? 1 : 0;
    return found;
  }
  received_answer& answer(std::uint32_t stream) { return answers[stream]; }

  std::vector<received_frame> frames;
  std::map<std::uint32_t, received_answer> answers;
  std::map<std::uint16_t, std::uint32_t> settings;
  struct goaway {
    std::uint32_t last_stream;
    wire::http2::error_code why;
  };
  std::vector<goaway> goaways;
  std::map<std::uint32_t, std::uint64_t> windows;  // what WINDOW_UPDATE frames have added, for each stream

 private:
  static std::uint8_t* octets_of(const std::string& text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  }

  void note(const received_frame& one) {
    const std::string_view payload = one.payload;
    received_answer* const to = one.stream == 0 ? nullptr : &answers[one.stream];
    switch (one.type) {
      case frame_type::headers:
      case frame_type::continuation:
        block_ += payload;
        if (one.type == frame_type::headers) block_ends_stream_ = (one.flags & end_stream) != 0;
        if ((one.flags & end_headers) != 0) read_fields(*to);
        return;
      case frame_type::data:
        to->body += payload;
        to->ended = to->ended || (one.flags & end_stream) != 0;
        return;
      case frame_type::rst_stream:
        to->reset = static_cast<wire::http2::error_code>(number(payload));
        return;
      case frame_type::settings:
        for (std::size_t at = 0; at + 6 <= payload.size(); at += 6) {
          settings[static_cast<std::uint16_t>(number(payload.substr(at, 2)))] = number(payload.substr(at + 2, 4));
        }
        return;
      case frame_type::goaway:
        goaways.push_back(
            {number(payload.substr(0, 4)), static_cast<wire::http2::error_code>(number(payload.substr(4, 4)))});
        return;
      case frame_type::window_update:
        windows[one.stream] += number(payload);
        return;
      default:
        return;
    }
  }

  void read_fields(received_answer& to) {
    field_list fields;
    const std::string block = std::exchange(block_, {});
    const std::uint8_t* at = octets_of(block);
    std::size_t left = block.size();
    for (;;) {
      nghttp2_nv one;
      int flags = 0;
      const auto used = nghttp2_hd_inflate_hd2(inflater_, &one, &flags, at, left, 1);
      if (used < 0) throw std::runtime_error("the server's fields cannot be decompressed");
      at += used;
      left -= static_cast<std::size_t>(used);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        fields.emplace_back(std::string(reinterpret_cast<const char*>(one.name), one.namelen),
                            std::string(reinterpret_cast<const char*>(one.value), one.valuelen));
      }
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_);
    const std::string status = fields.empty() ? "" : fields.front().second;
    if (status.starts_with('1')) {
      to.informed.push_back(status);
      return;
    }
    to.status = status;
    to.fields.assign(fields.begin() + 1, fields.end());
    to.ended = to.ended_with_head = block_ends_stream_;
  }

  nghttp2_hd_deflater* deflater_ = nullptr;
  nghttp2_hd_inflater* inflater_ = nullptr;
  std::string unread_;
  std::string block_;
  bool block_ends_stream_ = false;
};

}  // namespace windhover::test
