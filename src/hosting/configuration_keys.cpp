#include "hosting/configuration_keys.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace windhover::hosting {
namespace {

int compare_ignoring_case(std::string_view left, std::string_view right) noexcept {
  const std::size_t common = std::min(left.size(), right.size());
  for (std::size_t i = 0; i < common; ++i) {
    const auto a = static_cast<unsigned char>(base::to_lower(left[i]));
    const auto b = static_cast<unsigned char>(base::to_lower(right[i]));
    if (a != b) return a < b ? -1 : 1;
  }
  if (left.size() == right.size()) return 0;
  return left.size() < right.size() ? -1 : 1;
}

std::string_view without_leading_zeros(std::string_view digits) noexcept {
  const std::size_t first = digits.find_first_not_of('0');
  return first == std::string_view::npos ? std::string_view() : digits.substr(first);
}

int compare_levels(std::string_view left, std::string_view right) noexcept {
  const bool left_is_number = is_list_index(left);
  if (left_is_number != is_list_index(right)) return left_is_number ? -1 : 1;
  if (left_is_number) {
    const std::string_view a = without_leading_zeros(left);
    const std::string_view b = without_leading_zeros(right);
    if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
    if (const int order = a.compare(b); order != 0) return order;
  }
  // "1" and "01" are equal numbers but different keys.
  return compare_ignoring_case(left, right);
}

// Cuts the first level off the key. `more` tells whether a level follows, which may be empty.
std::string_view take_level(std::string_view& key, bool& more) noexcept {
  const std::size_t colon = key.find(':');
  more = colon != std::string_view::npos;
  const std::string_view level = key.substr(0, colon);
  key = more ? key.substr(colon + 1) : std::string_view();
  return level;
}

}  // namespace

bool configuration_key_less::operator()(std::string_view left, std::string_view right) const noexcept {
  bool left_has_more = true;
  bool right_has_more = true;
  while (left_has_more && right_has_more) {
    const std::string_view left_level = take_level(left, left_has_more);
    const std::string_view right_level = take_level(right, right_has_more);
    if (const int order = compare_levels(left_level, right_level); order != 0) return order < 0;
  }
  return right_has_more && !left_has_more;
}

bool is_below(std::string_view key, std::string_view section) noexcept {
  if (section.empty()) return !key.empty();
  return key.size() > section.size() && key[section.size()] == ':' &&
         base::equals_ignoring_case(key.substr(0, section.size()), section);
}

std::string_view relative_key(std::string_view key, std::string_view section) noexcept {
  return section.empty() ? key : key.substr(section.size() + 1);
}

std::string join_keys(std::string_view section, std::string_view key) {
  std::string joined(section);
  if (!section.empty() && !key.empty()) joined += ':';
  joined += key;
  return joined;
}

bool is_list_index(std::string_view level) noexcept {
  return !level.empty() && level.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace windhover::hosting
