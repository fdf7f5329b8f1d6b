// Where messages lie between their arrival and their receiver: what is read, how, and what it costs.
#include "websocket/inbound_messages.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "support/websocket_peer.hpp"
#include "websocket/message_access.hpp"

namespace windhover {
namespace {

constexpr std::size_t chunk = 4096;

// The writer's side: frames of one message after the other.
class InboundMessages : public ::testing::Test {
 protected:
  void begin(std::string_view payload, message_type type = message_type::text) {
    inbound.begin_message(type);
    go_on(payload);
  }
  void go_on(std::string_view payload) {
    inbound.begin_frame();
    write(payload);
  }
  // Part of a frame.
  void write(std::string_view payload, bool ends_message = false) {
    while (!payload.empty()) {
      const auto into = inbound.room({payload.size(), payload.size(), ends_message}, chunk);
      ASSERT_FALSE(into.empty());
      ASSERT_LE(into.size(), payload.size());
      std::memcpy(into.data(), payload.data(), into.size());
      inbound.wrote(into.size());
      payload.remove_prefix(into.size());
    }
  }
  void end(bool final_frame) { inbound.end_frame(final_frame); }

  void message_of(std::initializer_list<std::string_view> frames) {
    bool first = true;
    std::size_t left = frames.size();
    for (const std::string_view each : frames) {
      first ? begin(each) : go_on(each);
      first = false;
      end(--left == 0);
    }
  }
  // "Hel+" and so on; "..." when more has to arrive, "" when there is no frame.
  std::string read(std::size_t size) {
    std::string buffer(size, '\0');
    const auto piece = inbound.read(std::as_writable_bytes(std::span(buffer)));
    if (!piece) return "";
    buffer.resize(piece->count);
    return buffer + (!piece->done ? "..." : piece->ends_message ? "." : "+");
  }
  std::string take() {
    const message taken = inbound.take_message();
    return std::string(taken.text());
  }

  inbound_messages inbound;
};

TEST_F(InboundMessages, HasNothingInTheBeginning) {
  EXPECT_FALSE(inbound.has_message());
  EXPECT_EQ(inbound.held_bytes(), 0U);
  EXPECT_EQ(read(10), "");
  EXPECT_EQ(read(0), "");
  EXPECT_FALSE(inbound.drained_within_frame());
}

TEST_F(InboundMessages, GivesWholeMessagesInTheirOrder) {
  message_of({"one"});
  message_of({"tw", "o"});
  message_of({""});
  EXPECT_EQ(take(), "one");
  EXPECT_EQ(take(), "two");
  EXPECT_EQ(take(), "");
  EXPECT_FALSE(inbound.has_message());
}

TEST_F(InboundMessages, AMessageIsNotThereBeforeItsLastFrameHasEnded) {
  begin("one");
  EXPECT_FALSE(inbound.has_message());
  end(false);
  EXPECT_FALSE(inbound.has_message());
  go_on("two");
  EXPECT_FALSE(inbound.has_message());
  end(true);
  EXPECT_TRUE(inbound.has_message());
  EXPECT_EQ(take(), "onetwo");
}

TEST_F(InboundMessages, KeepsTheType) {
  begin("a", message_type::binary);
  end(false);
  go_on("b");
  end(true);
  begin("c", message_type::text);
  end(true);
  EXPECT_EQ(inbound.take_message().type(), message_type::binary);
  EXPECT_EQ(inbound.take_message().type(), message_type::text);
}

TEST_F(InboundMessages, ReadsPiecesUpToTheEndOfAFrame) {
  message_of({"Hello"});
  EXPECT_EQ(read(3), "Hel+");
  EXPECT_EQ(read(3), "lo.");
  message_of({"Hello"});
  EXPECT_EQ(read(5), "Hello.");
  message_of({"Hello"});
  EXPECT_EQ(read(6), "Hello.");
  EXPECT_EQ(read(6), "");
}

TEST_F(InboundMessages, KeepsTheBoundariesOfFramesThatCameBefore) {
  message_of({"ab", "cd", "efghijk"});
  EXPECT_EQ(read(20), "ab+");
  EXPECT_EQ(read(20), "cd+");
  EXPECT_EQ(read(20), "efghijk.");
}

TEST_F(InboundMessages, ReadsFramesOfNothing) {
  message_of({"", "", "ab", ""});
  EXPECT_EQ(read(20), "+");
  EXPECT_EQ(read(20), "+");
  EXPECT_EQ(read(20), "ab+");
  EXPECT_EQ(read(20), ".");
  EXPECT_EQ(read(20), "");
}

TEST_F(InboundMessages, AnEmptyBufferSeesTheFrameAndTakesNothingOfIt) {
  message_of({"ab", ""});
  EXPECT_EQ(read(0), "+");
  EXPECT_EQ(read(0), "+");
  EXPECT_EQ(read(20), "ab+");
  EXPECT_EQ(read(0), ".");
  EXPECT_EQ(read(0), "");
}

TEST_F(InboundMessages, AFrameThatIsArrivingIsReadAsItComes) {
  begin("Hel");
  EXPECT_EQ(read(2), "He+");
  EXPECT_EQ(read(20), "l...");
  EXPECT_TRUE(inbound.drained_within_frame());
  EXPECT_EQ(read(20), "...");
  write("lo");
  EXPECT_FALSE(inbound.drained_within_frame());
  EXPECT_EQ(read(20), "lo...");
  end(false);
  EXPECT_EQ(read(20), "+");
  EXPECT_FALSE(inbound.drained_within_frame());
  EXPECT_EQ(read(20), "") << "between two frames";
  go_on("!");
  end(true);
  EXPECT_EQ(read(20), "!.");
}

TEST_F(InboundMessages, TheRestOfAMessageThatWasReadInPartIsTaken) {
  message_of({"ab", "cd", "ef"});
  EXPECT_EQ(read(1), "a+");
  EXPECT_EQ(take(), "bcdef");

  message_of({"ab", "cd", "ef"});
  EXPECT_EQ(read(2), "ab+");
  EXPECT_EQ(read(1), "c+");
  EXPECT_EQ(take(), "def");

  begin("ab");
  EXPECT_EQ(read(20), "ab...");
  write("cd");
  end(true);
  EXPECT_EQ(take(), "cd");

  begin("ab");
  EXPECT_EQ(read(20), "ab...");
  end(true);
  EXPECT_EQ(take(), "");
  EXPECT_EQ(inbound.held_bytes(), 0U);
}

TEST_F(InboundMessages, FramesThatAreReadInPartAndGoOnKeepTheirBoundaries) {
  begin("abc");
  end(false);
  go_on("de");
  EXPECT_EQ(read(1), "a+");
  end(false);
  go_on("f");
  end(true);
  EXPECT_EQ(read(20), "bc+");
  EXPECT_EQ(read(1), "d+");
  EXPECT_EQ(read(20), "e+");
  EXPECT_EQ(read(20), "f.");
}

TEST_F(InboundMessages, TheNextMessageIsReadWhenTheOneBeforeIsDone) {
  message_of({"one"});
  message_of({"two"});
  begin("thr");
  EXPECT_EQ(read(20), "one.");
  EXPECT_EQ(read(20), "two.");
  EXPECT_EQ(read(20), "thr...");
  EXPECT_FALSE(inbound.has_message());
}

TEST_F(InboundMessages, ClearForgetsEverything) {
  message_of({"one"});
  begin("tw");
  inbound.clear();
  EXPECT_FALSE(inbound.has_message());
  EXPECT_EQ(inbound.held_bytes(), 0U);
  EXPECT_EQ(read(20), "");
}

// ----- What it costs

TEST_F(InboundMessages, HoldsNothingOnceEverythingWasReadOrTaken) {
  const std::array<std::size_t, 5> sizes{1, 2, 3, 7, 100};
  for (const std::size_t size : sizes) {
    SCOPED_TRACE(size);
    message_of({"ab", "", "cdefghi", ""});
    message_of({"one"});
    begin("abc");
    EXPECT_GT(inbound.held_bytes(), 15U);
    while (inbound.has_message()) read(size);
    while (!read(size).ends_with("...")) {
    }
    end(false);
    read(size);
    go_on("d");
    end(true);
    take();
    EXPECT_EQ(inbound.held_bytes(), 0U);
  }
}

TEST_F(InboundMessages, CountsWhatMessagesAndFramesOfNothingCost) {
  for (int i = 0; i < 1000; ++i) message_of({""});
  EXPECT_GE(inbound.held_bytes(), 1000 * sizeof(void*));
  while (inbound.has_message()) take();
  EXPECT_EQ(inbound.held_bytes(), 0U);
  begin("");
  end(false);
  for (int i = 0; i < 1000; ++i) {
    go_on("");
    end(false);
  }
  EXPECT_GE(inbound.held_bytes(), 1000 * sizeof(std::size_t)) << "where each frame ends is kept";
}

TEST_F(InboundMessages, AMessageOfKnownLengthHasABufferOfItsOwnSize) {
  inbound.begin_message(message_type::binary);
  inbound.begin_frame();
  EXPECT_EQ(inbound.room({10, 10, true}, chunk).size(), 10U);
  inbound.wrote(10);
  inbound.end_frame(true);
  const message taken = inbound.take_message();
  EXPECT_LT(message_access::owner(taken)->capacity(), 100U);
}

TEST_F(InboundMessages, AnAnnouncementAloneCostsLittle) {
  inbound.begin_message(message_type::binary);
  inbound.begin_frame();
  EXPECT_EQ(inbound.room({std::uint64_t{1} << 40, 1, true}, chunk).size() / chunk, 1U);
}

TEST_F(InboundMessages, ABufferDoublesWhileTheLengthIsNotKnown) {
  std::size_t size = 0;
  int buffers = 0;
  const std::byte* place = nullptr;
  inbound.begin_message(message_type::binary);
  inbound.begin_frame();
  constexpr std::uint64_t whole = 1 << 20;
  while (size < whole) {
    const auto into = inbound.room({whole - size, std::min<std::size_t>(1000, whole - size), true}, chunk);
    if (into.data() != place) ++buffers;
    const std::size_t count = std::min<std::size_t>(into.size(), 1000);
    for (std::size_t i = 0; i < count; ++i) into[i] = static_cast<std::byte>((size + i) % 251);
    inbound.wrote(count);
    size += count;
    place = into.data() + count;
  }
  inbound.end_frame(true);
  EXPECT_LE(buffers, 10);
  const message taken = inbound.take_message();
  ASSERT_EQ(taken.size(), whole);
  for (std::size_t i = 0; i < whole; ++i) ASSERT_EQ(taken.bytes()[i], static_cast<std::byte>(i % 251)) << i;
}

TEST_F(InboundMessages, WhatHasArrivedGetsRoomAtOnce) {
  inbound.begin_message(message_type::binary);
  inbound.begin_frame();
  EXPECT_GE(inbound.room({std::uint64_t{1} << 30, 300'000, true}, chunk).size(), 300'000U);
}

TEST_F(InboundMessages, FragmentsShareABuffer) {
  begin("ab");
  end(false);
  const std::byte* const place = inbound.room({1, 1, false}, chunk).data();
  go_on("c");
  end(false);
  EXPECT_EQ(inbound.room({1, 1, false}, chunk).data(), place + 1);
}

}  // namespace
}  // namespace windhover
