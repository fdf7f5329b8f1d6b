// What every fuzzer is made of: a function that takes an input, the input itself, and the check that ends the process.
//
// An input is read from its front. Its first octets choose roles, limits and cuts, and what follows is what the code
// under test is fed with. Behind its end an input goes on with zeros, which choose the plain case everywhere: so a seed
// may be as short as it likes, and a short mutation is still an input.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

namespace windhover::fuzz {

class input;

// Defined by each fuzzer. Whatever it is given, it returns; that it ends the process is what a fuzzer looks for.
void try_input(input in);

[[noreturn]] inline void fail(std::string_view what) {
  std::fprintf(stderr, "This does not hold: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

inline void require(bool holds, std::string_view what) {
  if (!holds) fail(what);
}

class input {
 public:
  explicit input(std::span<const std::byte> bytes) noexcept : rest_(bytes) {}

  std::uint8_t octet() noexcept {
    if (rest_.empty()) return 0;
    const auto value = std::to_integer<std::uint8_t>(rest_.front());
    rest_ = rest_.subspan(1);
    return value;
  }

  // So many octets as a number in network byte order.
  std::uint64_t number(int octets) noexcept {
    std::uint64_t value = 0;
    for (; octets > 0; --octets) value = value << 8 | octet();
    return value;
  }

  template <typename Value, std::size_t Count>
  Value one_of(const std::array<Value, Count>& values) noexcept {
    return values[octet() % Count];
  }

  // The text up to the next line feed, which is taken off as well, or up to the end.
  std::string_view line() noexcept {
    const std::string_view all = text();
    const std::size_t end = all.find('\n');
    rest_ = end == std::string_view::npos ? std::span<const std::byte>() : rest_.subspan(end + 1);
    return all.substr(0, end);
  }

  // At most so many octets.
  std::string_view piece(std::size_t most) noexcept {
    const std::string_view taken = text().substr(0, most);
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

  bool empty() const noexcept { return rest_.empty(); }
  // All that is left.
  std::span<const std::byte> bytes() const noexcept { return rest_; }
  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(rest_.data()), rest_.size()}; }

 private:
  std::span<const std::byte> rest_;
};

}  // namespace windhover::fuzz
