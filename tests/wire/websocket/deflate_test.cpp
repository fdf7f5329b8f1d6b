// RFC 7692, section 7.2: the vectors, and both directions together.
#include "wire/websocket/deflate.hpp"

#include <cstddef>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "wire/websocket/compressed_messages.hpp"
#include "wire/websocket/deflate_negotiation.hpp"

namespace windhover::wire {
namespace {

using testing::below;
using boundary = deflater::boundary;
using nlohmann::json;
using testing::byte_pieces;
using testing::bytes;
using testing::cut;
using testing::cut_anywhere;
using testing::deflate_frame;
using testing::deflate_message;
using testing::for_each_cut;
using testing::from_hex;
using testing::from_text;
using testing::inflate_message;
using testing::inflation;
using testing::joined;
using testing::rooms;
using testing::some_content;
using step = inflater::step;
using testing::to_hex;
using testing::to_text;

// ----- Vectors

json vectors(const char* part) {
  std::ifstream file(std::string(WINDHOVER_FIXTURES) + "/permessage-deflate.json");
  EXPECT_TRUE(file);
  json rows = json::parse(file).at(part).at("rows");
  EXPECT_FALSE(rows.empty());
  return rows;
}

bytes hex_of(const json& row, const char* name) { return from_hex(row.at(name).get<std::string>()); }

TEST(permessage_deflate_vectors, payloads_inflate) {
  for (const json& row : vectors("rfc7692_7_2_3")) {
    SCOPED_TRACE(row.at("name").get<std::string>());
    std::vector<bytes> messages;
    for (const char* name : {"payload_hex", "first_payload_hex", "second_payload_hex"})
      if (row.contains(name)) messages.push_back(hex_of(row, name));
    for (const std::size_t room : rooms) {
      for (const std::size_t size : {1U, 2U, 3U, 5U, 100U}) {
        inflater engine(15, true);
        for (const bytes& payload : messages) {
          const inflation result = inflate_message(engine, cut(payload, size), room);
          EXPECT_EQ(result.verdict, step::end);
          EXPECT_EQ(to_text(result.message), row.at("text").get<std::string>());
        }
      }
    }
  }
}

TEST(permessage_deflate_vectors, frames_inflate) {
  std::size_t seen = 0;
  for (const json& row : vectors("rfc7692_7_2_3")) {
    SCOPED_TRACE(row.at("name").get<std::string>());
    std::vector<bytes> frames;
    if (row.contains("frame_unmasked_hex")) frames.push_back(hex_of(row, "frame_unmasked_hex"));
    if (row.contains("frames_unmasked_hex"))
      for (const json& frame : row.at("frames_unmasked_hex")) frames.push_back(from_hex(frame.get<std::string>()));
    if (frames.empty()) continue;
    ++seen;
    for_each_cut(joined(frames), [&](const byte_pieces& pieces) {
      const auto decoded = testing::decode(frame_decoder(role::client, testing::generous, true), pieces);
      ASSERT_EQ(decoded.error, websocket_error::none);
      ASSERT_EQ(decoded.frames.size(), frames.size());
      byte_pieces payloads;
      for (const auto& frame : decoded.frames) payloads.push_back(frame.payload);
      inflater engine(15, false);
      EXPECT_EQ(to_text(inflate_message(engine, payloads).message), row.at("text").get<std::string>());
    });
  }
  EXPECT_EQ(seen, 3U);
}

TEST(permessage_deflate_vectors, sync_flush_is_kept_within_a_message_and_cut_at_its_end) {
  deflater fragments(15, true);
  deflater messages(15, true);
  for (const json& row : vectors("zlib_sync_flush")) {
    const auto expected = row.at("output_hex").get<std::string>();
    EXPECT_EQ(to_hex(deflate_frame(fragments, from_text("Hello"), boundary::fragment)), expected);
    EXPECT_EQ(to_hex(deflate_message(messages, from_text("Hello"))) + "0000ffff", expected);
  }
}

// ----- Both together

// Sends messages of all kinds and sizes, in frames cut anywhere, each frame fed in pieces cut anywhere.
void expect_round_trips(std::mt19937& random, deflater& sender, inflater& receiver, int messages, std::size_t size) {
  for (int count = 0; count < messages; ++count) {
    const bytes message = some_content(random, below(random, below(random, 2) == 0 ? 20 : size));
    byte_pieces parts = cut_anywhere(random, message);
    if (below(random, 4) == 0) parts.emplace_back();  // an empty last frame
    bytes payload;
    for (const bytes& part : parts) {
      const boundary end = &part == &parts.back() ? boundary::message : boundary::fragment;
      const bytes frame = deflate_frame(sender, cut_anywhere(random, part), end, 1 + below(random, 2000));
      EXPECT_LE(frame.size(), deflate_bound(part.size()));
      payload.insert(payload.end(), frame.begin(), frame.end());
    }
    if (parts.empty()) payload = deflate_message(sender, {});
    const inflation result = inflate_message(receiver, cut_anywhere(random, payload), 1 + below(random, 2000));
    ASSERT_EQ(result, (inflation{step::end, message})) << "message " << count;
  }
}

TEST(deflater_and_inflater, agree_with_every_window_level_and_kind_of_context) {
  for (int bits = 9; bits <= 15; ++bits) {
    for (const bool takeover : {false, true}) {
      for (const int level : {1, 3, 4, 6, 9}) {
        for (const int memory_level : {1, 5, 9}) {
          const auto seed = static_cast<unsigned>(((bits * 2 + (takeover ? 1 : 0)) * 10 + level) * 10 + memory_level);
          SCOPED_TRACE("seed " + std::to_string(seed));
          std::mt19937 random(seed);
          deflater sender(bits, takeover, level, memory_level);
          inflater receiver(bits, takeover);
          expect_round_trips(random, sender, receiver, 6, 6000);
        }
      }
    }
  }
}

TEST(deflater_and_inflater, agree_on_messages_larger_than_the_window) {
  for (const int bits : {9, 15}) {
    std::mt19937 random(static_cast<unsigned>(bits));
    deflater sender(bits, true);
    inflater receiver(bits, true);
    expect_round_trips(random, sender, receiver, 6, 300'000);
  }
}

// Both directions of a connection, for every set of parameters that can be negotiated.
TEST(deflater_and_inflater, agree_with_all_negotiated_parameters) {
  std::mt19937 random(13);
  for (int server_bits = 9; server_bits <= 15; ++server_bits) {
    for (int client_bits = 9; client_bits <= 15; ++client_bits) {
      for (const bool server_takeover : {false, true}) {
        for (const bool client_takeover : {false, true}) {
          const deflate_options options{server_takeover, client_takeover, server_bits, client_bits};
          const std::string offer = offer_deflate(options);
          SCOPED_TRACE(offer);
          const auto agreement = negotiate_deflate(offer, {});
          ASSERT_TRUE(agreement);
          const deflate_parameters& agreed = agreement->parameters;
          ASSERT_EQ(accept_deflate_response(agreement->response, options), agreed);
          deflater server(agreed.server_max_window_bits, !agreed.server_no_context_takeover);
          inflater from_server(agreed.server_max_window_bits, !agreed.server_no_context_takeover);
          expect_round_trips(random, server, from_server, 3, 3000);
          deflater client(agreed.client_max_window_bits, !agreed.client_no_context_takeover);
          inflater from_client(agreed.client_max_window_bits, !agreed.client_no_context_takeover);
          expect_round_trips(random, client, from_client, 3, 3000);
        }
      }
    }
  }
}

}  // namespace
}  // namespace windhover::wire
