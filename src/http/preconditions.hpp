// Conditional requests (RFC 9110, section 13): whether the client has the file already, or asks for another one than
// there is. Pure functions; nothing here reads a clock.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <windhover/headers.hpp>

namespace windhover::http {

// What tells one state of a file from another.
struct validators {
  std::string entity_tag;  // strong, with its quotes
  std::optional<std::chrono::sys_seconds> last_modified;
};

enum class precondition { proceed, not_modified, failed };

// The outcome for GET and HEAD of the request's conditions, in the order of section 13.2.2. Dates that are malformed
// are ignored.
precondition evaluate(const headers& request, const validators& current);

// Whether a Range field counts: without an If-Range field, or when that names exactly the current state
// (section 13.1.5).
bool range_applies(const headers& request, const validators& current);

}  // namespace windhover::http
