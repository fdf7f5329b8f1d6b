// The test vectors of tests/fixtures that concern this room. Where Windhover differs from them on purpose, the
// difference is listed here by the name of its vector, and each listed name must occur.
#include <array>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "wire/websocket/close.hpp"
#include "wire/websocket/encoder.hpp"
#include "wire/websocket/frame_events.hpp"
#include "wire/websocket/handshake.hpp"
#include "wire/websocket/origin.hpp"

namespace windhover::wire {
namespace {

using nlohmann::json;
using testing::byte_pieces;
using testing::bytes;
using testing::decode_as;
using testing::decoding;
using testing::for_each_cut;
using testing::from_hex;
using testing::to_hex;
using testing::to_text;

json vectors(const std::string& file_name, const char* part) {
  std::ifstream file(std::string(WINDHOVER_FIXTURES) + "/" + file_name);
  EXPECT_TRUE(file) << file_name;
  const json document = json::parse(file);
  return document.at(part);
}

json frame_vectors(const char* part) { return vectors("websocket-frames.json", part); }

json handshake_vectors(const char* part) { return vectors("websocket-handshake.json", part); }

std::string text_of(const json& row, const char* name) { return row.at(name).get<std::string>(); }

// By value: what a range-based for loop walks must outlive the expression that it comes from.
json rows_of(const json& part) {
  EXPECT_FALSE(part.at("rows").empty());
  return part.at("rows");
}

// ----- Frames

struct reading {
  std::string text;       // of all data frames
  std::string pongs;      // the answers to pings, as a server sends them
  close_payload closing;  // of the last close frame
  bool closed = false;
  websocket_error error = websocket_error::none;
};

reading read_as_server(const decoding& decoded) {
  reading result;
  result.error = decoded.error;
  for (const auto& frame : decoded.frames) {
    if (frame.code == opcode::close) {
      result.closed = true;
      result.closing = parse_close_payload(frame.payload);
      if (result.closing.error != websocket_error::none) result.error = result.closing.error;
    } else if (frame.code == opcode::ping) {
      std::array<std::byte, maximum_control_frame> pong{};
      result.pongs += to_hex(std::span(pong).first(encode_control_frame(pong, opcode::pong, frame.payload)));
    } else {
      result.text += to_text(frame.payload);
    }
  }
  return result;
}

// Calls check(reading) for each cut of the row's stream.
template <typename Check>
void for_each_reading(const json& row, const Check& check) {
  SCOPED_TRACE(text_of(row, "name"));
  const bytes stream = from_hex(text_of(row, "client_to_server_hex"));
  for_each_cut(stream, [&](const byte_pieces& pieces) {
    const decoding decoded = decode_as(role::server, pieces);
    check(read_as_server(decoded));
  });
}

TEST(websocket_frames_vectors, rfc6455_5_7) {
  for (const json& row : rows_of(frame_vectors("rfc6455_5_7"))) {
    SCOPED_TRACE(text_of(row, "name"));
    if (row.contains("header_hex")) {
      std::array<std::byte, maximum_frame_header> out{};
      const std::size_t size =
          encode_frame_header(out.data(), {.code = static_cast<opcode>(row.at("opcode").get<int>())},
                              row.at("payload_length").get<std::uint64_t>());
      EXPECT_EQ(to_hex(std::span(out).first(size)), text_of(row, "header_hex"));
      continue;
    }
    bytes stream;
    for (const json& frame : row.at("frames_hex")) {
      const bytes octets = from_hex(frame.get<std::string>());
      stream.insert(stream.end(), octets.begin(), octets.end());
    }
    const bool masked = (stream.at(1) & std::byte{0x80}) != std::byte{0};
    for_each_cut(stream, [&](const byte_pieces& pieces) {
      const decoding decoded = decode_as(masked ? role::server : role::client, pieces);
      EXPECT_EQ(decoded.error, websocket_error::none);
      ASSERT_EQ(decoded.frames.size(), row.at("frames_hex").size());
      std::string payload;
      for (const auto& frame : decoded.frames) payload += to_text(frame.payload);
      EXPECT_EQ(payload, text_of(row, "payload_utf8"));
      EXPECT_TRUE(decoded.frames.back().fin);
      if (row.contains("opcode")) {
        EXPECT_EQ(static_cast<int>(decoded.frames[0].code), row.at("opcode"));
      }
    });
  }
}

TEST(websocket_frames_vectors, invalid) {
  // RFC 6455, section 8.1, where the original answers 1002.
  std::map<std::string, int> ours{{"close reason not utf-8", 1007}};
  for (const json& row : rows_of(frame_vectors("invalid"))) {
    const auto difference = ours.extract(text_of(row, "name"));
    const int expected = difference ? difference.mapped() : row.at("close_code").get<int>();
    for_each_reading(row, [&](const reading& result) {
      EXPECT_NE(result.error, websocket_error::none);
      EXPECT_EQ(static_cast<int>(close_code_of(result.error)), expected) << describe(result.error);
    });
  }
  EXPECT_TRUE(ours.empty()) << "no such vector: " << ours.begin()->first;
}

TEST(websocket_frames_vectors, valid) {
  constexpr std::string_view without_code = "empty close: reported as 1000 with empty description by .NET";
  constexpr std::string_view not_minimal = "non-minimal 16-bit length is accepted by .NET";
  std::set<std::string_view> ours{without_code, not_minimal};
  for (const json& row : rows_of(frame_vectors("valid"))) {
    const std::string name = text_of(row, "name");
    ours.erase(name);
    for_each_reading(row, [&](const reading& result) {
      if (name == not_minimal) {
        EXPECT_EQ(result.error, websocket_error::length_not_minimal);
        return;
      }
      EXPECT_EQ(result.error, websocket_error::none) << describe(result.error);
      EXPECT_EQ(result.closed, row.contains("code"));
      if (name == without_code) {
        EXPECT_EQ(result.closing.code, std::nullopt);
      } else if (row.contains("code")) {
        EXPECT_EQ(result.closing.code, static_cast<close_code>(row.at("code").get<int>()));
        EXPECT_EQ(result.closing.reason.size(), row.value("reason", "").size());
      } else if (name == "ping inside fragmented message") {
        EXPECT_EQ(result.pongs, "8a0170");
        EXPECT_EQ(result.text, "Hello");
      } else {
        EXPECT_EQ(result.text, text_of(row, "payload_utf8"));
      }
    });
  }
  EXPECT_TRUE(ours.empty()) << "no such vector: " << *ours.begin();
}

TEST(websocket_frames_vectors, keep_alive_ping_dotnet9) {
  const json part = frame_vectors("keep_alive_ping_dotnet9");
  std::array<std::byte, maximum_control_frame> out{};
  std::array<std::byte, 8> counter{};
  for (const json& row : rows_of(part)) {
    counter[7] = static_cast<std::byte>(std::to_integer<int>(counter[7]) + 1);
    EXPECT_EQ(to_hex(std::span(out).first(encode_control_frame(out, opcode::ping, counter))), text_of(row, "ping_hex"));
    if (!row.contains("pong_client_masked_hex")) continue;
    for_each_cut(from_hex(text_of(row, "pong_client_masked_hex")), [&](const byte_pieces& pieces) {
      const decoding decoded = decode_as(role::server, pieces);
      ASSERT_EQ(decoded.frames.size(), 1U);
      EXPECT_EQ(decoded.frames[0].code, opcode::pong);
      EXPECT_EQ(to_hex(decoded.frames[0].payload), to_hex(counter));
    });
  }
  EXPECT_EQ(to_hex(std::span(out).first(encode_control_frame(out, opcode::pong, {}))),
            text_of(part, "unsolicited_pong_hex_when_no_timeout"));
}

// ----- The opening handshake

struct parsed_head {
  std::string first_line;
  headers fields;
};

// Only for the well-formed heads of the vectors.
parsed_head parse_head(std::string_view text) {
  parsed_head head;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find("\r\n"));
    text.remove_prefix(line.size() + 2);
    const std::size_t colon = line.find(':');
    if (head.first_line.empty()) {
      head.first_line = line;
    } else if (colon != std::string_view::npos) {
      head.fields.add(line.substr(0, colon), base::trim(line.substr(colon + 1)));
    }
  }
  return head;
}

TEST(websocket_handshake_vectors, accept_key) {
  for (const json& row : rows_of(handshake_vectors("accept_key")))
    EXPECT_EQ(accept_key(text_of(row, "key")), text_of(row, "accept"));
}

TEST(websocket_handshake_vectors, key_validity) {
  for (const json& row : rows_of(handshake_vectors("key_validity")))
    EXPECT_EQ(is_handshake_key(text_of(row, "key")), row.at("valid").get<bool>()) << row;
}

TEST(websocket_handshake_vectors, rfc_exchange) {
  const json exchange = handshake_vectors("rfc_exchange");
  const parsed_head request = parse_head(text_of(exchange, "request"));
  const parsed_head response = parse_head(text_of(exchange, "response"));
  ASSERT_EQ(request.first_line, "GET /chat HTTP/1.1");
  ASSERT_EQ(response.first_line, "HTTP/1.1 101 Switching Protocols");
  EXPECT_TRUE(is_websocket_request({"GET", 1, 1, request.fields, false}));
  const auto offered = requested_protocols(request.fields);
  const auto outcome =
      verify_server_handshake(101, response.fields, *request.fields.find("Sec-WebSocket-Key"), offered);
  EXPECT_EQ(outcome.failure, handshake_failure::none) << describe(outcome.failure);
  EXPECT_EQ(outcome.protocol, "chat");

  // Our client's request for the same has the same fields with the same values.
  const headers origin{{"Origin", "http://example.com"}};
  const parsed_head written = parse_head(encode_client_handshake({.target = "/chat",
                                                                  .host = "server.example.com",
                                                                  .key = "dGhlIHNhbXBsZSBub25jZQ==",
                                                                  .protocols = offered,
                                                                  .further_fields = &origin}));
  EXPECT_EQ(written.first_line, request.first_line);
  EXPECT_EQ(written.fields.size(), request.fields.size());
  for (const headers::field field : request.fields)
    EXPECT_EQ(written.fields.find(field.name), field.value) << field.name;
}

TEST(websocket_handshake_vectors, rfc_version_negotiation) {
  std::string text;
  const json negotiation = handshake_vectors("rfc_version_negotiation");
  for (const json& line : negotiation.at("request_headers")) text += line.get<std::string>() + "\r\n";
  const parsed_head request = parse_head(text);
  EXPECT_FALSE(is_websocket_request({"GET", 1, 1, request.fields, false}));
  EXPECT_TRUE(names_unsupported_version(request.fields));
}

// One row of the matrix says in prose how its request differs from the base; this is the same in code.
struct changed_request {
  headers fields{{"Host", "example.com"},
                 {"Connection", "Upgrade"},
                 {"Upgrade", "websocket"},
                 {"Sec-WebSocket-Version", "13"},
                 {"Sec-WebSocket-Key", "AQIDBAUGBwgJCgsMDQ4PEA=="}};
  std::string method = "GET";
  int major = 1;
  int minor = 1;
  bool has_body = false;
};

changed_request change(const std::string& prose) {
  changed_request request;
  if (prose == "none") return request;
  if (prose == "method POST without body") {
    request.method = "POST";
  } else if (prose == "GET with Content-Length: 5 and body") {
    request.fields.add("Content-Length", "5");
    request.has_body = true;
  } else if (prose == "GET with Transfer-Encoding: chunked") {
    request.fields.add("Transfer-Encoding", "chunked");
    request.has_body = true;
  } else if (prose == "two Sec-WebSocket-Key headers") {
    request.fields.add("Sec-WebSocket-Key", "AQIDBAUGBwgJCgsMDQ4PEA==");
  } else if (prose == "HTTP/1.0") {
    request.minor = 0;
  } else if (prose == "HTTP/2 GET") {
    request.major = 2;
    request.minor = 0;
  } else if (prose.starts_with("no ")) {
    const std::string name = prose.substr(3, prose.find(' ', 3) - 3);
    EXPECT_EQ(request.fields.erase(name), 1U) << prose;
  } else {
    const std::size_t colon = prose.find(": ");
    if (colon == std::string::npos || !request.fields.contains(prose.substr(0, colon))) {
      ADD_FAILURE() << "a change that this test does not know: " << prose;
      return request;
    }
    request.fields.set(prose.substr(0, colon), prose.substr(colon + 2));
  }
  return request;
}

TEST(websocket_handshake_vectors, request_matrix) {
  for (const json& row : rows_of(handshake_vectors("request_matrix"))) {
    const std::string prose = text_of(row, "change");
    const changed_request request = change(prose);
    EXPECT_EQ(is_websocket_request({request.method, request.major, request.minor, request.fields, request.has_body}),
              row.at("is_websocket_request").get<bool>())
        << prose;
  }
}

TEST(websocket_handshake_vectors, origin_matrix) {
  const json matrix = handshake_vectors("origin_matrix");
  json rows = matrix.at("rows");
  for (const json& row : matrix.at("derived_rows")) rows.push_back(row);
  bool letter_case_seen = false;
  bool empty_entry_seen = false;
  for (const json& row : rows) {
    if (!row.value("websocket_request", true)) continue;  // not checked: the application's business
    std::vector<std::string> allowed;
    if (row.at("allowedOrigins").is_array()) allowed = row.at("allowedOrigins").get<std::vector<std::string>>();
    const json origin = row.contains("origin") ? row.at("origin") : matrix.at("request_origin");
    const std::string value = origin.is_null() ? "" : origin.get<std::string>();
    bool expected = row.at("status") != 403;
    if (value == "http://EXAMPLE.com") {  // ours: origins compare without regard to case
      letter_case_seen = true;
      EXPECT_FALSE(expected);
      expected = true;
    }
    if (allowed == std::vector<std::string>{""}) {  // ours: allows nothing either, but is a configuration error
      empty_entry_seen = true;
      EXPECT_FALSE(is_origin_entry(""));
    }
    EXPECT_EQ(origin_allowed(value, allowed), expected) << row;
  }
  EXPECT_TRUE(letter_case_seen);
  EXPECT_TRUE(empty_entry_seen);
}

TEST(websocket_handshake_vectors, subprotocol) {
  // The application says "Bravo" where "bravo" was offered: ours answers in the client's spelling.
  std::map<std::string, std::string> ours{{"Bravo", "bravo"}};
  for (const json& row : rows_of(handshake_vectors("subprotocol"))) {
    const headers fields{{"Sec-WebSocket-Protocol", text_of(row, "requested")}};
    const auto requested = requested_protocols(fields);
    if (row.contains("requested_list")) {
      EXPECT_EQ(json(requested), row.at("requested_list"));
    }
    const std::string accepted = text_of(row, "accepted_by_app");
    const auto difference = ours.extract(accepted);
    const std::string expected = difference ? difference.mapped() : text_of(row, "response_header");
    EXPECT_EQ(select_protocol(requested, accepted), expected);
  }
  EXPECT_TRUE(ours.empty());
}

}  // namespace
}  // namespace windhover::wire
