#include "http/preconditions.hpp"

#include "base/text.hpp"
#include "wire/http_date.hpp"

namespace windhover::http {
namespace {

struct entity_tag {
  bool weak = false;
  std::string_view opaque;  // with its quotes
};

// Takes the next member off the front of a list of entity tags (RFC 9110, section 8.8.3). Other than a quoted string,
// an opaque tag has no escapes. Nothing at the end, or when what follows is malformed.
std::optional<entity_tag> take_entity_tag(std::string_view& list) {
  const std::size_t start = list.find_first_not_of(" \t,");
  if (start == std::string_view::npos) return std::nullopt;
  list.remove_prefix(start);
  entity_tag tag;
  tag.weak = list.starts_with("W/");
  if (tag.weak) list.remove_prefix(2);
  if (!list.starts_with('"')) return std::nullopt;
  const std::size_t end = list.find('"', 1);
  if (end == std::string_view::npos) return std::nullopt;
  tag.opaque = list.substr(0, end + 1);
  list.remove_prefix(end + 1);
  return tag;
}

// Whether the list names the current state. "*" stands for any state, and there is one.
bool names(std::string_view list, const validators& current, bool weak_comparison) {
  if (base::trim(list) == "*") return true;
  while (const auto tag = take_entity_tag(list)) {
    if (tag->opaque == current.entity_tag && (weak_comparison || !tag->weak)) return true;
  }
  return false;
}

// The date of a field that is there once and well-formed.
std::optional<std::chrono::sys_seconds> date_of(const headers& request, std::string_view name) {
  const auto field = request.find(name);
  if (!field || request.count(name) > 1) return std::nullopt;
  return wire::parse_http_date(base::trim(*field));
}

}  // namespace

precondition evaluate(const headers& request, const validators& current) {
  if (request.contains("If-Match")) {
    // Section 13.1.1: the strong comparison.
    if (!names(request.joined("If-Match"), current, false)) return precondition::failed;
  } else if (const auto date = date_of(request, "If-Unmodified-Since"); date && current.last_modified) {
    if (*current.last_modified > *date) return precondition::failed;
  }
  if (request.contains("If-None-Match")) {
    // Section 13.1.2: the weak comparison.
    if (names(request.joined("If-None-Match"), current, true)) return precondition::not_modified;
  } else if (const auto date = date_of(request, "If-Modified-Since"); date && current.last_modified) {
    if (*current.last_modified <= *date) return precondition::not_modified;
  }
  return precondition::proceed;
}

bool range_applies(const headers& request, const validators& current) {
  const auto field = request.find("If-Range");
  if (!field) return true;
  std::string_view value = base::trim(*field);
  if (value.starts_with('"') || value.starts_with("W/")) {
    const auto tag = take_entity_tag(value);
    return tag && value.empty() && !tag->weak && tag->opaque == current.entity_tag;
  }
  const auto date = date_of(request, "If-Range");
  return date && current.last_modified && *date == *current.last_modified;
}

}  // namespace windhover::http
