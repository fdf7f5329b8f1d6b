// RFC 6455, section 5.3: octet i of the payload is combined with octet i modulo 4 of the key.
#include "wire/websocket/mask.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace windhover::wire {
namespace {

using bytes = std::vector<std::byte>;

constexpr masking_key some_key{{std::byte{0x37}, std::byte{0xfa}, std::byte{0x21}, std::byte{0x3d}}};

// Around every size at which the implementation changes its way, and some that take many rounds.
std::vector<std::size_t> sizes() {
  std::vector<std::size_t> all;
  for (std::size_t size = 0; size <= 400; ++size) all.push_back(size);
  for (const std::size_t size : {1000U, 1024U, 4093U, 16384U, 65539U}) all.push_back(size);
  return all;
}

bytes some_payload(std::size_t size) {
  bytes payload(size);
  for (std::size_t at = 0; at < size; ++at) payload[at] = static_cast<std::byte>(at * 7 + at / 251);
  return payload;
}

bytes masked_octet_by_octet(bytes payload, std::size_t offset) {
  for (std::size_t at = 0; at < payload.size(); ++at) payload[at] ^= some_key.bytes[(offset + at) % 4];
  return payload;
}

TEST(mask, copies_as_the_definition_says_for_every_size_and_offset) {
  for (const std::size_t size : sizes()) {
    const bytes payload = some_payload(size);
    for (std::size_t offset = 0; offset < 8; ++offset) {
      bytes out(size);
      unmask_copy(out.data(), payload.data(), size, some_key, offset);
      ASSERT_EQ(out, masked_octet_by_octet(payload, offset)) << size << " octets from offset " << offset;
    }
  }
}

TEST(mask, works_in_place_for_every_size_and_offset) {
  for (const std::size_t size : sizes()) {
    for (std::size_t offset = 0; offset < 4; ++offset) {
      bytes payload = some_payload(size);
      mask_in_place(payload.data(), size, some_key, offset);
      ASSERT_EQ(payload, masked_octet_by_octet(some_payload(size), offset)) << size << " octets, offset " << offset;
    }
  }
}

TEST(mask, needs_no_alignment_and_touches_nothing_around) {
  constexpr std::size_t margin = 64;
  for (const std::size_t size : {0U, 3U, 7U, 15U, 20U, 125U, 300U, 1024U}) {
    const bytes expected = masked_octet_by_octet(some_payload(size), 1);
    for (std::size_t from = 0; from < 32; from += 3) {
      for (std::size_t to = 0; to < 32; to += 5) {
        bytes source(margin + size);
        const bytes payload = some_payload(size);
        std::copy(payload.begin(), payload.end(), source.begin() + static_cast<std::ptrdiff_t>(from));
        bytes out(2 * margin + size, std::byte{0xee});
        unmask_copy(out.data() + to, source.data() + from, size, some_key, 1);

        bytes whole(2 * margin + size, std::byte{0xee});
        std::copy(expected.begin(), expected.end(), whole.begin() + static_cast<std::ptrdiff_t>(to));
        ASSERT_EQ(out, whole) << size << " octets from " << from << " to " << to;
      }
    }
  }
}

TEST(mask, gives_the_same_in_two_pieces_as_in_one) {
  constexpr std::size_t size = 700;
  const bytes payload = some_payload(size);
  const bytes expected = masked_octet_by_octet(payload, 0);
  for (std::size_t first = 0; first <= size; ++first) {
    bytes out(size);
    unmask_copy(out.data(), payload.data(), first, some_key, 0);
    unmask_copy(out.data() + first, payload.data() + first, size - first, some_key, first);
    ASSERT_EQ(out, expected) << "cut at " << first;
  }
}

}  // namespace
}  // namespace windhover::wire
