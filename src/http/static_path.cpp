#include "http/static_path.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace windhover::http {
namespace {

using namespace std::string_view_literals;

bool is_servable_segment(std::string_view segment) noexcept {
  return !segment.empty() && segment.front() != '.' && segment.find_first_of("\0\\"sv) == std::string_view::npos;
}

// "%2F" stays encoded in a decoded path, so that it does not separate segments; it names no file either.
bool has_encoded_slash(std::string_view path) noexcept {
  for (std::size_t at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1)) {
    if (base::equals_ignoring_case(path.substr(at, 3), "%2f")) return true;
  }
  return false;
}

// pchar and the slash, without the percent sign.
bool stands_for_itself(char character) noexcept {
  const char lower = base::to_lower(character);
  if ((lower >= 'a' && lower <= 'z') || (character >= '0' && character <= '9')) return true;
  return character != '\0' && "-._~!$&'()*+,;=:@/"sv.find(character) != std::string_view::npos;
}

}  // namespace

std::optional<static_path> to_static_path(std::string_view path, std::string_view prefix) noexcept {
  if (!path.starts_with(prefix)) return std::nullopt;
  path.remove_prefix(prefix.size());
  if (path.empty() && !prefix.empty()) return static_path{path, false};
  if (!path.starts_with('/') || has_encoded_slash(path)) return std::nullopt;
  path.remove_prefix(1);
  if (path.empty()) return static_path{path, true};
  const bool names_folder = path.ends_with('/');
  if (names_folder) path.remove_suffix(1);
  for (std::string_view rest = path;;) {
    const std::size_t end = std::min(rest.find('/'), rest.size());
    if (!is_servable_segment(rest.substr(0, end))) return std::nullopt;
    if (end == rest.size()) return static_path{path, names_folder};
    rest.remove_prefix(end + 1);
  }
}

std::string encode_path(std::string_view path) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(path.size());
  for (const char each : path) {
    if (stands_for_itself(each)) {
      encoded += each;
      continue;
    }
    const auto byte = static_cast<unsigned char>(each);
    encoded += '%';
    encoded += digits[byte >> 4];
    encoded += digits[byte & 15];
  }
  return encoded;
}

}  // namespace windhover::http
