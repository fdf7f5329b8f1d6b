// The frames of tests/fixtures, against a whole server end: what the handler gets, what the peer gets. Where Windhover
// differs from a vector on purpose the difference is listed here by its name, and each listed name must occur.
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/websocket_peer.hpp"

namespace windhover {
namespace {

using nlohmann::json;
using test::client_frame;
using test::from_hex;
using test::opcode;
using test::seen_close;
using test::seen_frame;
using test::websocket_peers;
using notes = std::vector<std::string>;

// By value: what a range-based for loop walks must outlive the expression that it comes from.
json rows_of(const char* part) {
  std::ifstream file(std::string(WINDHOVER_FIXTURES) + "/websocket-frames.json");
  EXPECT_TRUE(file);
  json rows = json::parse(file).at(part).at("rows");
  EXPECT_FALSE(rows.empty());
  return rows;
}

std::string text_of(const json& row, const char* name) { return row.at(name).get<std::string>(); }

struct outcome {
  notes seen;
  std::vector<seen_frame> answers;
};

// The same for every way to cut the stream.
template <class Check>
void for_each_outcome(const std::string& stream, const Check& check) {
  for (const std::size_t cut : test::all_cuts) {
    SCOPED_TRACE("in pieces of " + std::to_string(cut) + " bytes");
    outcome result;
    websocket_peers peers(cut);
    peers.serve(test::note_messages(result.seen));
    peers.send(stream);
    peers.finish();
    result.answers = peers.peer.frames();
    ASSERT_FALSE(result.answers.empty());
    ASSERT_FALSE(result.seen.empty());
    check(result);
  }
}

TEST(WebsocketFrameVectors, Invalid) {
  // RFC 6455, section 8.1, where the original answers 1002.
  std::map<std::string, int> ours{{"close reason not utf-8", 1007}};
  for (const json& row : rows_of("invalid")) {
    SCOPED_TRACE(text_of(row, "name"));
    const auto difference = ours.extract(text_of(row, "name"));
    const int code = difference ? difference.mapped() : row.at("close_code").get<int>();
    const std::string before = client_frame(opcode::text, "before");
    for_each_outcome(before + from_hex(text_of(row, "client_to_server_hex")), [&](const outcome& result) {
      ASSERT_EQ(result.answers.size(), 1U);
      const seen_frame& close = result.answers[0];
      EXPECT_EQ(close.code, opcode::close);
      EXPECT_EQ(close.payload.substr(0, 2), test::closing(code));
      ASSERT_EQ(result.seen.size(), 2U);
      EXPECT_EQ(result.seen[0], "text before") << "it was complete before the fault";
      EXPECT_EQ(result.seen[1], std::to_string(code) + " " + close.payload.substr(2));
    });
  }
  EXPECT_TRUE(ours.empty()) << "no such vector: " << ours.begin()->first;
}

TEST(WebsocketFrameVectors, Valid) {
  constexpr std::string_view without_code = "empty close: reported as 1000 with empty description by .NET";
  constexpr std::string_view not_minimal = "non-minimal 16-bit length is accepted by .NET";
  std::set<std::string_view> ours{without_code, not_minimal};
  for (const json& row : rows_of("valid")) {
    const std::string name = text_of(row, "name");
    SCOPED_TRACE(name);
    ours.erase(name);
    std::string stream = from_hex(text_of(row, "client_to_server_hex"));
    const bool closes = row.contains("code");
    if (!closes) stream += test::client_close(1000);
    for_each_outcome(stream, [&](const outcome& result) {
      const seen_frame& last = result.answers.back();
      if (name == without_code) {
        EXPECT_EQ(result.seen, (notes{"1005"}));
        EXPECT_EQ(last, (seen_frame{opcode::close, ""})) << "the echo has no code either";
      } else if (name == not_minimal) {
        EXPECT_EQ(result.seen, (notes{"1002 the payload length is not in its shortest form"}));
      } else if (closes) {
        const std::string reason = row.value("reason", "");
        const int code = row.at("code").get<int>();
        EXPECT_EQ(result.seen, (notes{std::to_string(code) + (reason.empty() ? "" : " " + reason)}));
        EXPECT_EQ(last, seen_close(code, reason));
      } else if (name == "ping inside fragmented message") {
        EXPECT_EQ(result.seen, (notes{"text Hello", "1000"}));
        EXPECT_EQ(result.answers.front(), (seen_frame{opcode::pong, "p"}));
      } else {
        EXPECT_EQ(result.seen, (notes{"text " + text_of(row, "payload_utf8"), "1000"}));
      }
    });
  }
  EXPECT_TRUE(ours.empty()) << "no such vector: " << *ours.begin();
}

TEST(WebsocketFrameVectors, ExamplesOfTheStandardFromAClient) {
  for (const json& row : rows_of("rfc6455_5_7")) {
    SCOPED_TRACE(text_of(row, "name"));
    if (!row.contains("frames_hex")) continue;
    std::string stream;
    for (const json& frame : row.at("frames_hex")) stream += from_hex(frame.get<std::string>());
    const bool masked = (static_cast<unsigned char>(stream.at(1)) & 0x80) != 0;
    if (!masked) continue;  // a server's: below
    const bool is_text = row.value("opcode", 1) == 1;
    for_each_outcome(stream + test::client_close(1000), [&](const outcome& result) {
      EXPECT_EQ(result.seen, is_text ? (notes{"text " + text_of(row, "payload_utf8"), "1000"}) : (notes{"1000"}));
    });
  }
}

TEST(WebsocketFrameVectors, ExamplesOfTheStandardFromAServer) {
  for (const json& row : rows_of("rfc6455_5_7")) {
    SCOPED_TRACE(text_of(row, "name"));
    if (!row.contains("frames_hex")) continue;
    std::string stream;
    for (const json& frame : row.at("frames_hex")) stream += from_hex(frame.get<std::string>());
    const bool masked = (static_cast<unsigned char>(stream.at(1)) & 0x80) != 0;
    if (masked) continue;
    const bool is_ping = row.value("opcode", 1) == 9;
    notes seen;
    websocket_peers peers;
    peers.serve_as_client(test::note_messages(seen));
    peers.send(stream + test::server_frame(opcode::close, test::closing(1000)));
    peers.run_handler();
    peers.peer_end->close();
    peers.run_until_gone();
    EXPECT_EQ(seen, is_ping ? (notes{"1000"}) : (notes{"text " + text_of(row, "payload_utf8"), "1000"}));
    const auto answers = peers.peer.frames(wire::role::server);
    std::vector<seen_frame> expected;
    if (is_ping) expected.push_back({opcode::pong, "Hello"});
    expected.push_back(seen_close(1000));
    EXPECT_EQ(answers, expected);
  }
}

}  // namespace
}  // namespace windhover
