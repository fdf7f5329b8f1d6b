// Messages that leave in several frames because one must not be longer (RFC 6455, section 5.4).
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/compressed_peer.hpp"
#include "support/websocket_peer.hpp"

namespace windhover {
namespace {

using test::client_frame;
using test::opcode;
using test::pattern;
using test::seen_frame;
using test::websocket_peers;
using frames = std::vector<seen_frame>;

websocket_settings at_most(std::uint32_t frame_size) {
  websocket_settings settings;
  settings.max_frame_size = frame_size;
  return settings;
}

// What a server sends with frames of at most so many bytes.
frames sent(std::uint32_t frame_size, std::size_t expected, const test::websocket_handler& handler) {
  websocket_peers peers;
  peers.serve(handler, at_most(frame_size));
  peers.run_until_frames(expected + 1);  // and the close
  frames found = peers.peer.frames();
  EXPECT_EQ(found.size(), expected + 1);
  found.resize(expected, {opcode::close, ""});
  return found;
}

// `text` in pieces of so many bytes.
frames in_pieces(opcode code, std::string_view text, std::size_t size) {
  frames found;
  for (;; code = opcode::continuation) {
    const bool last = text.size() <= size;
    found.push_back({code, std::string(text.substr(0, size)), last});
    if (last) return found;
    text.remove_prefix(size);
  }
}

TEST(WebsocketFrameSize, MessagesUpToItLeaveInOneFrame) {
  for (const std::size_t size : {0U, 1U, 16U}) {
    const std::string text = pattern(size);
    EXPECT_EQ(sent(16, 1, [&](websocket& socket) -> task<> { co_await socket.send(text); }),
              in_pieces(opcode::text, text, 16));
  }
}

TEST(WebsocketFrameSize, LongerOnesLeaveInSeveral) {
  for (const std::size_t size : {17U, 32U, 33U, 1000U}) {
    const std::string text = pattern(size);
    const frames expected = in_pieces(opcode::text, text, 16);
    EXPECT_EQ(sent(16, expected.size(), [&](websocket& socket) -> task<> { co_await socket.send(text); }), expected);
  }
}

// Payloads that are kept by reference: messages and prepared ones, large and small pieces.
TEST(WebsocketFrameSize, MessagesThatAreKeptByReferenceAreCutToo) {
  for (const std::size_t size : {5000U, 9000U, 100'000U}) {
    for (const std::uint32_t most : {600U, 4096U}) {
      const std::string text = pattern(size);
      const frames expected = in_pieces(opcode::text, text, most);
      EXPECT_EQ(sent(most, expected.size(),
                     [&](websocket& socket) -> task<> {
                       const message whole = message::from_text(text);
                       co_await socket.send(whole);
                     }),
                expected);
      EXPECT_EQ(sent(most, expected.size(),
                     [&](websocket& socket) -> task<> {
                       const auto prepared = prepared_message::from_text(text);
                       co_await socket.send(prepared);
                     }),
                expected);
    }
  }
}

TEST(WebsocketFrameSize, AnEchoComesBackWhole) {
  for (const std::size_t cut : test::all_cuts) {
    websocket_peers peers(cut);
    peers.serve(test::echo, at_most(700));
    peers.send_text(pattern(3000));
    peers.send(client_frame(opcode::ping, "after"));
    frames expected = in_pieces(opcode::text, pattern(3000), 700);
    expected.push_back({opcode::pong, "after"});
    peers.run_until_frames(expected.size());
    EXPECT_EQ(peers.peer.frames(), expected);
    peers.send_close(1000);
    peers.finish();
  }
}

TEST(WebsocketFrameSize, FragmentsOfAHandlerAreCutAndGoOn) {
  const frames expected{{opcode::binary, "aaaa", false},
                        {opcode::continuation, "aa", false},
                        {opcode::continuation, "bbbb", false},
                        {opcode::continuation, "b", true}};
  EXPECT_EQ(sent(4, expected.size(),
                 [](websocket& socket) -> task<> {
                   co_await socket.send(std::as_bytes(std::span(std::string_view("aaaaaa"))), end_of_message::no);
                   co_await socket.send(std::as_bytes(std::span(std::string_view("bbbbb"))), end_of_message::yes);
                 }),
            expected);
}

TEST(WebsocketFrameSize, TheEndOfAFragmentedMessageThatIsKeptByReferenceIsCutToo) {
  const std::string large = pattern(2500);
  frames expected{{opcode::text, "begin", false}};
  for (seen_frame& each : in_pieces(opcode::continuation, large, 1100)) expected.push_back(std::move(each));
  EXPECT_EQ(sent(1100, expected.size(),
                 [&](websocket& socket) -> task<> {
                   const message whole = message::from_text(large);
                   co_await socket.send("begin", end_of_message::no);
                   co_await socket.send(whole);
                 }),
            expected);
}

// The compressed octets are cut, and only the first frame says that they are (RFC 7692, section 6.1).
TEST(WebsocketFrameSize, ACompressedMessageIsCutBehindItsCompression) {
  const std::string text = pattern(20'000);
  websocket_peers peers;
  peers.compression = wire::deflate_parameters{};
  peers.serve([&](websocket& socket) -> task<> { co_await socket.send(text); }, at_most(50));
  peers.run_handler();
  peers.run_until([&] { return !peers.peer.frames().empty() && peers.peer.frames().back().code == opcode::close; });
  const frames found = peers.peer.frames();
  ASSERT_GT(found.size(), 3U);
  for (std::size_t i = 0; i + 1 < found.size(); ++i) {
    EXPECT_EQ(found[i].rsv1, i == 0);
    EXPECT_EQ(found[i].fin, i + 2 == found.size());
    EXPECT_LE(found[i].payload.size(), 50U);
  }
  test::peer_inflater inflater;
  EXPECT_EQ(inflater.messages(found), (std::vector<std::string>{"text " + text + "*"}));
}

TEST(WebsocketFrameSize, AClientCutsAndMasksItsFrames) {
  const std::string text = pattern(100);
  websocket_peers peers;
  peers.serve_as_client([&](websocket& socket) -> task<> { co_await socket.send(text); }, at_most(30));
  peers.run_handler();
  const frames expected = in_pieces(opcode::text, text, 30);
  peers.run_until([&] { return peers.peer.frames(wire::role::server).size() == expected.size() + 1; });
  frames found = peers.peer.frames(wire::role::server);
  found.pop_back();
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace windhover
