// How often which duration was measured, from a nanosecond to eighteen minutes, with an error of less than one percent:
// the layout of an HDR histogram, in which every power of two is divided into parts of the same size.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "net/time.hpp"

namespace windhover::load {

class histogram {
 public:
  // Negative ones count as 0. Of those beyond eighteen minutes only count, maximum and mean are exact.
  void add(net::duration value) noexcept;
  // All that the other one has.
  void add(const histogram& other) noexcept;

  std::uint64_t count() const noexcept { return count_; }
  // Of nothing: 0.
  net::duration minimum() const noexcept { return count_ == 0 ? net::duration::zero() : minimum_; }
  net::duration maximum() const noexcept { return maximum_; }
  net::duration mean() const noexcept;
  // The duration that so many percent, 0 to 100, of all did not exceed.
  net::duration percentile(double percent) const noexcept;

 private:
  static constexpr unsigned part_bits = 7;
  static constexpr std::size_t parts = std::size_t{1} << part_bits;
  static constexpr unsigned longest_bits = 40;  // of nanoseconds
  static constexpr std::size_t places = (longest_bits - part_bits + 1) * parts;

  static std::size_t place_of(std::uint64_t nanoseconds) noexcept;
  static std::uint64_t largest_at(std::size_t place) noexcept;

  std::array<std::uint64_t, places> counts_{};
  std::uint64_t count_ = 0;
  net::duration minimum_ = net::duration::max();
  net::duration maximum_{};
  long double sum_ = 0;  // nanoseconds
};

}  // namespace windhover::load
