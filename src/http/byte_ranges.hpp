// Range requests for bytes (RFC 9110, section 14). Pure functions of header values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace windhover::http {

// A part of a file: never empty.
struct byte_range {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
  friend bool operator==(const byte_range&, const byte_range&) = default;
};

struct range_selection {
  enum class kind { whole, part, unsatisfiable };
  kind what = kind::whole;
  byte_range part;
  friend bool operator==(const range_selection&, const range_selection&) = default;
};

// What a Range field asks for of a file of that size. The whole file is the answer to what is malformed, counts in
// other units, or names several ranges: a server may ignore the field (section 14.2), and a response in several parts
// serves hardly anybody but attackers (section 14.6).
range_selection select_range(std::string_view field, std::uint64_t size);

// "bytes 0-499/1234" (section 14.4).
std::string content_range(const byte_range& part, std::uint64_t size);
// "bytes */1234", for a range that cannot be satisfied.
std::string unsatisfied_content_range(std::uint64_t size);

}  // namespace windhover::http
