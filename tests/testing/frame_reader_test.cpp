// Frames of a server as a client in memory reads them, wherever the stream is cut.
#include "testing/frame_reader.hpp"

#include <string>

#include <gtest/gtest.h>

#include "support/fragment_sweep.hpp"
#include "support/websocket_peer.hpp"

namespace windhover::testing {
namespace {

using test::server_frame;
using wire::opcode;

TEST(FrameReader, ReadsFramesAndFragments) {
  const std::string stream = server_frame(opcode::text, "whole") + server_frame(opcode::binary, "be", false) +
                             server_frame(opcode::ping, "") + server_frame(opcode::continuation, "gun");
  for_each_cut(stream, [](const byte_pieces& pieces) {
    frame_reader reader(1000);
    std::string seen;
    for (const auto& piece : pieces) {
      std::span<const std::byte> in = piece;
      while (auto frame = reader.next(in)) {
        seen += std::to_string(static_cast<int>(frame->code)) + (frame->first ? "!" : "") + frame->payload +
                (frame->fin ? ". " : "+ ");
      }
    }
    EXPECT_EQ(seen, "1!whole. 2!be+ 9. 2gun. ");
    EXPECT_EQ(reader.error(), wire::websocket_error::none);
  });
}

TEST(FrameReader, AMaskedFrameIsAnError) {
  const std::string stream = test::client_frame(opcode::text, "masked");
  frame_reader reader(1000);
  std::span<const std::byte> in = std::as_bytes(std::span(stream));
  EXPECT_FALSE(reader.next(in));
  EXPECT_NE(reader.error(), wire::websocket_error::none);
  EXPECT_FALSE(reader.next(in)) << "nothing can be read after an error";
}

}  // namespace
}  // namespace windhover::testing
