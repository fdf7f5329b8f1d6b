#include "http/byte_ranges.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>

#include "base/text.hpp"

namespace windhover::http {
namespace {

constexpr std::string_view unit = "bytes";

// 1*DIGIT. A number that is too large for the type is larger than every file, so the largest one stands for it.
std::optional<std::uint64_t> position_of(std::string_view text) {
  std::uint64_t position = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), position);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
  return error == std::errc() ? position : std::numeric_limits<std::uint64_t>::max();
}

// suffix-range: the last so many bytes (RFC 9110, section 14.1.2).
range_selection select_suffix(std::string_view text, std::uint64_t size) {
  const auto length = position_of(text);
  if (!length) return {};
  if (*length == 0) return {range_selection::kind::unsatisfiable, {}};
  // Satisfiable, but an empty part has no Content-Range.
  if (size == 0) return {};
  const std::uint64_t taken = std::min(*length, size);
  return {range_selection::kind::part, {size - taken, taken}};
}

}  // namespace

range_selection select_range(std::string_view field, std::uint64_t size) {
  const std::size_t equals = field.find('=');
  // Names of units have no case (section 14.1).
  if (equals == std::string_view::npos || !base::equals_ignoring_case(field.substr(0, equals), unit)) return {};
  std::string_view ranges = field.substr(equals + 1);
  const auto only = base::take_list_member(ranges);
  if (!only || base::take_list_member(ranges)) return {};

  const std::size_t dash = only->find('-');
  if (dash == std::string_view::npos) return {};
  if (dash == 0) return select_suffix(only->substr(1), size);
  const auto first = position_of(only->substr(0, dash));
  const std::string_view behind = only->substr(dash + 1);
  const auto last = behind.empty() ? std::numeric_limits<std::uint64_t>::max() : position_of(behind);
  if (!first || !last || *last < *first) return {};
  if (*first >= size) return {range_selection::kind::unsatisfiable, {}};
  return {range_selection::kind::part, {*first, std::min(*last, size - 1) - *first + 1}};
}

std::string content_range(const byte_range& part, std::uint64_t size) {
  return "bytes " + std::to_string(part.first) + "-" + std::to_string(part.first + part.length - 1) + "/" +
         std::to_string(size);
}

std::string unsatisfied_content_range(std::uint64_t size) { return "bytes */" + std::to_string(size); }

}  // namespace windhover::http
