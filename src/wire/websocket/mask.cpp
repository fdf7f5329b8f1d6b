// Octets below four, two overlapping words up to 16, vectors above. Everything is loaded before anything that overlaps
// it is stored, so that the same code works in place. On x86-64 long payloads go through a loop that exists twice, and
// the processor is asked at run time; ifuncs (`target_clones`) would do the same, but their resolvers run before the
// sanitizers are set up. The vector type is the compilers' own: left to find vectors itself, g++ 12 does so only at
// -O3.
#include "wire/websocket/mask.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

namespace windhover::wire {

namespace {

// Below this size asking the processor costs more than wider vectors save.
constexpr std::size_t wide_threshold = 256;

template <std::size_t Size>
struct vector_of {
  using type [[gnu::vector_size(Size)]] = std::uint64_t;
};

using vector = vector_of<16>::type;

// The key as it applies to a word whose first octet has this position in the payload.
std::uint32_t turned(masking_key key, std::size_t position) noexcept {
  const auto word = std::bit_cast<std::uint32_t>(key.bytes);
  const auto bits = static_cast<int>(8 * (position % 4));
  return std::endian::native == std::endian::little ? std::rotr(word, bits) : std::rotl(word, bits);
}

std::uint64_t doubled(std::uint32_t key) noexcept { return (std::uint64_t{key} << 32) | key; }

template <typename Word>
Word load(const std::byte* from) noexcept {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

template <typename Word>
void store(std::byte* to, Word word) noexcept {
  std::memcpy(to, &word, sizeof word);
}

void unmask_octets(std::byte* to, const std::byte* from, std::size_t size, std::uint32_t key) noexcept {
  std::array<std::byte, 4> pattern;
  std::memcpy(pattern.data(), &key, sizeof key);
  for (std::size_t at = 0; at < size; ++at) to[at] = from[at] ^ pattern[at];
}

// Covers `sizeof(Word)` to twice as many octets with two words that may overlap.
template <typename Word>
void unmask_two_words(std::byte* to, const std::byte* from, std::size_t size, Word head_key, Word tail_key) noexcept {
  const auto head = static_cast<Word>(load<Word>(from) ^ head_key);
  const auto tail = static_cast<Word>(load<Word>(from + size - sizeof(Word)) ^ tail_key);
  store(to, head);
  store(to + size - sizeof(Word), tail);
}

// Two vectors at a time; returns how many octets that covered.
template <typename Vector>
[[gnu::always_inline]] inline std::size_t unmask_pairs(std::byte* to, const std::byte* from, std::size_t size,
                                                       std::uint64_t key) noexcept {
  const Vector pattern = Vector{} + key;
  std::size_t at = 0;
  for (; size - at >= 2 * sizeof(Vector); at += 2 * sizeof(Vector)) {
    Vector first;
    Vector second;
    std::memcpy(&first, from + at, sizeof first);
    std::memcpy(&second, from + at + sizeof first, sizeof second);
    first ^= pattern;
    second ^= pattern;
    std::memcpy(to + at, &first, sizeof first);
    std::memcpy(to + at + sizeof first, &second, sizeof second);
  }
  return at;
}

#if defined(__x86_64__)

[[gnu::target("avx2")]] std::size_t unmask_pairs_avx2(std::byte* to, const std::byte* from, std::size_t size,
                                                      std::uint64_t key) noexcept {
  return unmask_pairs<vector_of<32>::type>(to, from, size, key);
}

std::size_t unmask_wide(std::byte* to, const std::byte* from, std::size_t size, std::uint64_t key) noexcept {
  return __builtin_cpu_supports("avx2") ? unmask_pairs_avx2(to, from, size, key)
                                        : unmask_pairs<vector>(to, from, size, key);
}

#else

std::size_t unmask_wide(std::byte* to, const std::byte* from, std::size_t size, std::uint64_t key) noexcept {
  return unmask_pairs<vector>(to, from, size, key);
}

#endif

}  // namespace

void unmask_copy(std::byte* to, const std::byte* from, std::size_t size, masking_key key, std::size_t offset) noexcept {
  const std::uint32_t head_key = turned(key, offset);
  const std::uint32_t tail_key = turned(key, offset + size);
  if (size < 4) {
    unmask_octets(to, from, size, head_key);
    return;
  }
  if (size < 8) {
    unmask_two_words(to, from, size, head_key, tail_key);
    return;
  }
  const std::uint64_t head_word = doubled(head_key);
  const std::uint64_t tail_word = doubled(tail_key);
  if (size < 16) {
    unmask_two_words(to, from, size, head_word, tail_word);
    return;
  }
  const vector tail = load<vector>(from + size - sizeof(vector)) ^ tail_word;
  std::size_t at = size >= wide_threshold ? unmask_wide(to, from, size, head_word) : 0;
  for (; size - at > sizeof(vector); at += sizeof(vector)) store(to + at, load<vector>(from + at) ^ head_word);
  store(to + size - sizeof(vector), tail);
}

}  // namespace windhover::wire
