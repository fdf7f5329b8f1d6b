#include "load/histogram.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>

namespace windhover::load {

// Below `parts` every nanosecond has its place. Above, a value's highest bits say which one: 7 of them behind the
// first.
std::size_t histogram::place_of(std::uint64_t nanoseconds) noexcept {
  if (nanoseconds < parts) return nanoseconds;
  const auto height = static_cast<unsigned>(std::bit_width(nanoseconds)) - 1 - part_bits;
  const std::size_t place = (height + 1) * parts + ((nanoseconds >> height) & (parts - 1));
  return std::min(place, places - 1);
}

std::uint64_t histogram::largest_at(std::size_t place) noexcept {
  if (place < parts) return place;
  const std::size_t height = place / parts - 1;
  return ((parts + place % parts + 1) << height) - 1;
}

void histogram::add(net::duration value) noexcept {
  value = std::max(value, net::duration::zero());
  const auto nanoseconds = static_cast<std::uint64_t>(std::chrono::nanoseconds(value).count());
  ++counts_[place_of(nanoseconds)];
  ++count_;
  minimum_ = std::min(minimum_, value);
  maximum_ = std::max(maximum_, value);
  sum_ += static_cast<long double>(nanoseconds);
}

void histogram::add(const histogram& other) noexcept {
  for (std::size_t i = 0; i < places; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  minimum_ = std::min(minimum_, other.minimum_);
  maximum_ = std::max(maximum_, other.maximum_);
  sum_ += other.sum_;
}

net::duration histogram::mean() const noexcept {
  if (count_ == 0) return {};
  return std::chrono::nanoseconds(std::llround(sum_ / static_cast<long double>(count_)));
}

net::duration histogram::percentile(double percent) const noexcept {
  // A hair less: 99.9 % of a thousand are 999, and not what rounding makes of it.
  const double below = std::nextafter(std::clamp(percent, 0.0, 100.0), 0.0);
  const double rank = std::max(std::ceil(below * static_cast<double>(count_) / 100), 1.0);
  std::uint64_t passed = 0;
  for (std::size_t i = 0; i < places; ++i) {
    passed += counts_[i];
    if (static_cast<double>(passed) < rank) continue;
    const net::duration at = std::chrono::nanoseconds(largest_at(i));
    return std::clamp(at, minimum_, maximum_);
  }
  return maximum_;
}

}  // namespace windhover::load
