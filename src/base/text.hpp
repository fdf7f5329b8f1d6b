// The small questions that every text protocol of the web asks: is it the same name, where does the white space end,
// what is in this list. ASCII only, as those protocols are; no locale changes an answer.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace windhover::base {

// `character` in lower case if it is one of A to Z, else unchanged.
[[nodiscard]] constexpr char to_lower(char character) {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a') : character;
}

// Whether both are the same but for the case of ASCII letters. All other octets count as they are.
[[nodiscard]] bool equals_ignoring_case(std::string_view left, std::string_view right);

// `text` without spaces and tabs at both ends: the optional white space of RFC 9110, section 5.6.3.
[[nodiscard]] std::string_view trim(std::string_view text);

// Whether `text` is a token: one or more of the characters that RFC 9110, section 5.6.2, allows in names.
[[nodiscard]] bool is_token(std::string_view text);

// Calls `function` with each part of `text`, in order: parts stand between separators and are trimmed, empty ones are
// skipped.
template <typename Function>
void for_each_part(std::string_view text, char separator, Function&& function) {
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    if (const std::string_view part = trim(text.substr(0, end)); !part.empty()) function(part);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
}

// Takes the next member from the front of `list`, a field value as in RFC 9110, section 5.6.1: members stand between
// commas and are trimmed, empty ones are skipped, and a comma inside a quoted string belongs to the member. Nothing
// when no member is left.
[[nodiscard]] std::optional<std::string_view> take_list_member(std::string_view& list);

// Calls `function` with each member of `list`, in order.
template <typename Function>
void for_each_list_member(std::string_view list, Function&& function) {
  while (const auto member = take_list_member(list)) function(*member);
}

// Whether one of the members of `list` is `member`, without regard to case.
[[nodiscard]] bool list_contains(std::string_view list, std::string_view member);

}  // namespace windhover::base
