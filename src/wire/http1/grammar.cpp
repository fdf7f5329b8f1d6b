// HTTP's character classes as one table, and the syntax of a host.
#include "wire/http1/grammar.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace windhover::wire::http1 {
namespace {

enum character_class : unsigned char {
  field_value = 1,
  request_target = 2,
  registered_name = 4,
  ipv6_address = 8,
};

constexpr std::array<unsigned char, 256> classes = [] {
  std::array<unsigned char, 256> table{};
  const auto mark = [&table](std::string_view characters, unsigned classes_of_them) {
    for (const char each : characters) {
      unsigned char& entry = table[static_cast<unsigned char>(each)];
      entry = static_cast<unsigned char>(entry | classes_of_them);
    }
  };
  for (std::size_t each = 0; each != table.size(); ++each) {
    if (each == '\t' || (each >= ' ' && each != 0x7F)) table[each] = field_value;
    if (each > ' ' && each < 0x7F && each != '#') table[each] = field_value | request_target;
  }
  mark("0123456789ABCDEFabcdef", registered_name | ipv6_address);
  mark("GHIJKLMNOPQRSTUVWXYZghijklmnopqrstuvwxyz-._~!$&'()*+,;=", registered_name);
  mark(":.", ipv6_address);
  return table;
}();

bool is(char character, character_class wanted) noexcept {
  return (classes[static_cast<unsigned char>(character)] & wanted) != 0;
}

bool all(std::string_view text, character_class wanted) noexcept {
  return std::all_of(text.begin(), text.end(), [wanted](char each) { return is(each, wanted); });
}

bool is_port(std::string_view text) noexcept {
  unsigned value = 0;
  for (const char each : text) {
    if (each < '0' || each > '9') return false;
    value = value * 10 + static_cast<unsigned>(each - '0');
    if (value > 65535) return false;
  }
  return true;
}

// reg-name: unreserved, sub-delims and percent-encoded bytes. An IPv4 address is one as well.
bool is_registered_name(std::string_view text) noexcept {
  for (std::size_t at = 0; at != text.size(); ++at) {
    if (is(text[at], registered_name)) continue;
    if (text[at] != '%' || text.size() - at < 3) return false;
    if (hexadecimal_value(text[at + 1]) < 0 || hexadecimal_value(text[at + 2]) < 0) return false;
    at += 2;
  }
  return true;
}

}  // namespace

int hexadecimal_value(char character) noexcept {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

bool is_field_value(std::string_view text) noexcept { return all(text, field_value); }

bool is_request_target(std::string_view text) noexcept { return !text.empty() && all(text, request_target); }

bool is_host(std::string_view text) noexcept {
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return false;
    const std::string_view address = text.substr(1, bracket - 1);
    port = text.substr(bracket + 1);
    if (!port.empty() && !port.starts_with(':')) return false;
    if (!all(address, ipv6_address) || std::count(address.begin(), address.end(), ':') < 2) return false;
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    port = text.substr(colon);
    if (!is_registered_name(text.substr(0, colon))) return false;
    if (colon == 0 && !port.empty()) return false;
  }
  return port.empty() || is_port(port.substr(1));
}

}  // namespace windhover::wire::http1
