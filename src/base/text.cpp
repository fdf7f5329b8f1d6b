// Comparing, trimming and splitting of the text in header fields.
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace windhover::base {
namespace {

constexpr std::string_view token_characters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~";

constexpr std::array<bool, 256> mark_token_characters() {
  std::array<bool, 256> marked{};
  for (const char character : token_characters) marked[static_cast<unsigned char>(character)] = true;
  return marked;
}

bool is_token_character(char character) {
  static constexpr std::array<bool, 256> marked = mark_token_characters();
  return marked[static_cast<unsigned char>(character)];
}

// Where the first member of `list` ends: at the first comma that is not quoted, or at the end.
std::size_t end_of_member(std::string_view list) {
  bool quoted = false;
  for (std::size_t position = 0; position < list.size(); ++position) {
    const char character = list[position];
    if (character == '"') quoted = !quoted;
    if (character == '\\' && quoted) ++position;  // the next character stands for itself
    if (character == ',' && !quoted) return position;
  }
  return list.size();
}

}  // namespace

bool equals_ignoring_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char one, char other) { return one == other || to_lower(one) == to_lower(other); });
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view white_space = " \t";
  const std::size_t first = text.find_first_not_of(white_space);
  if (first == std::string_view::npos) return {};
  const std::size_t last = text.find_last_not_of(white_space);
  return text.substr(first, last - first + 1);
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

std::optional<std::string_view> take_list_member(std::string_view& list) {
  while (!list.empty()) {
    const std::size_t end = end_of_member(list);
    const std::string_view member = trim(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    if (!member.empty()) return member;
  }
  return std::nullopt;
}

bool list_contains(std::string_view list, std::string_view member) {
  while (const auto candidate = take_list_member(list)) {
    if (equals_ignoring_case(*candidate, member)) return true;
  }
  return false;
}

}  // namespace windhover::base
