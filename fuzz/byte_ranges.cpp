// Ranges and conditions (RFC 9110, sections 13 and 14) against their rules written down a second time. Input: the size
// of a file, a Range field, header fields with conditions.
#include "http/byte_ranges.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <string>

#include "base/text.hpp"
#include "fields.hpp"
#include "http/preconditions.hpp"
#include "input.hpp"
#include "wire/http_date.hpp"

namespace windhover::fuzz {

namespace {

using http::precondition;
using http::range_selection;
using number = unsigned __int128;

// Digits as a number; so large ones that they would not fit stand for the largest.
std::optional<number> digits(std::string_view text) {
  constexpr number most = std::numeric_limits<std::uint64_t>::max();
  if (text.empty()) return std::nullopt;
  number value = 0;
  for (const char each : text) {
    if (each < '0' || each > '9') return std::nullopt;
    value = std::min(most, value * 10 + static_cast<unsigned>(each - '0'));
  }
  return value;
}

// The one range of "bytes=...": without blanks, commas and quotes.
std::string_view only_range(std::string_view field) {
  constexpr std::string_view unit = "bytes=";
  if (!base::equals_ignoring_case(field.substr(0, unit.size()), unit)) return {};
  field.remove_prefix(unit.size());
  const auto is_blank = [](char each) { return each == ' ' || each == '\t' || each == ','; };
  while (!field.empty() && is_blank(field.front())) field.remove_prefix(1);
  while (!field.empty() && is_blank(field.back())) field.remove_suffix(1);
  return field;
}

range_selection select_slowly(std::string_view field, std::uint64_t size) {
  const std::string_view range = only_range(field);
  const std::size_t dash = range.find('-');
  if (dash == std::string_view::npos) return {};
  const auto first = digits(range.substr(0, dash));
  const auto last = digits(range.substr(dash + 1));
  const auto part = [](number from, number length) {
    return range_selection{range_selection::kind::part,
                           {static_cast<std::uint64_t>(from), static_cast<std::uint64_t>(length)}};
  };
  const range_selection unsatisfiable{range_selection::kind::unsatisfiable, {}};
  if (dash == 0) {
    if (!last || (size == 0 && *last != 0)) return {};
    const number taken = std::min<number>(*last, size);
    return *last == 0 ? unsatisfiable : part(size - taken, taken);
  }
  const bool open = dash + 1 == range.size();
  if (!first || (!last && !open) || (last && *last < *first)) return {};
  if (*first >= size) return unsatisfiable;
  const number end = open ? size : std::min<number>(*last + 1, size);
  return part(*first, end - *first);
}

void try_range(std::string_view field, std::uint64_t size) {
  const range_selection selected = http::select_range(field, size);
  require(selected == select_slowly(field, size), "a range is what the standard says");
  if (selected.what != range_selection::kind::part) return;
  const auto& [first, length] = selected.part;
  require(length > 0 && length <= size && first <= size - length, "a part lies within the file");
  const std::string said = "bytes=" + std::to_string(first) + "-" + std::to_string(first + length - 1);
  require(http::select_range(said, size) == selected, "asked for by its ends it is the same part");
  require("bytes=" + http::content_range(selected.part, size).substr(6) == said + "/" + std::to_string(size),
          "and is announced by them");
}

// What must hold of every outcome, by the fields that decide it.
void try_conditions(const headers& request) {
  const auto modified = std::chrono::sys_seconds(std::chrono::seconds(784'111'777));
  const http::validators current{"\"a\"", modified};
  const precondition outcome = http::evaluate(request, current);
  const auto holds = [&request](std::string_view name, std::string_view text) {
    return request.joined(name).find(text) != std::string::npos;
  };
  const bool matches = holds("If-Match", "\"a\"") || holds("If-Match", "*");
  if (request.contains("If-Match") && !matches)
    require(outcome == precondition::failed, "another state fails If-Match");
  if (outcome == precondition::failed)
    require(request.contains("If-Match") || request.contains("If-Unmodified-Since"), "only a condition fails");
  const bool has_tags = request.contains("If-None-Match");
  if (outcome == precondition::not_modified)
    require(has_tags ? holds("If-None-Match", "\"a\"") || holds("If-None-Match", "*")
                     : request.contains("If-Modified-Since"),
            "only the state that the client has is not modified");

  http::validators other{"\"\xff\"", std::nullopt};
  if (!request.contains("If-Match") && !holds("If-None-Match", "*") && !holds("If-None-Match", other.entity_tag))
    require(http::evaluate(request, other) == precondition::proceed, "without a date only tags count");

  const bool applies = http::range_applies(request, current);
  if (!request.contains("If-Range")) require(applies, "a range without a condition counts");
  if (applies && request.contains("If-Range"))
    require(base::trim(*request.find("If-Range")) == "\"a\"" ||
                wire::parse_http_date(base::trim(*request.find("If-Range"))) == modified,
            "a range counts for exactly this state");
}

}  // namespace

void try_input(input in) {
  const std::uint64_t size = in.number(8);
  try_range(in.line(), size);
  headers request = take_fields(in);
  try_conditions(request);
}

}  // namespace windhover::fuzz
