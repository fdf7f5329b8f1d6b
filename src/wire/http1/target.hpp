// The parts of a request target in origin form: its path, made safe for routing, and the values of its query.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace windhover::wire::http1 {

struct target_parts {
  std::string_view path;
  // Without the '?'.
  std::string_view query;
};

// Splits at the first '?'. The parts are views of the target.
target_parts split_target(std::string_view target) noexcept;

// The path as routes and files are looked up by: percent-decoded once, dot segments then resolved (RFC 3986, section
// 5.2.4), never above the root. "%2F" stays as it is, so that it does not become a separator. Nothing when an escape
// is malformed or stands for NUL. The result is a string of bytes; that these are UTF-8 is not checked.
std::optional<std::string> percent_decode_path(std::string_view path);

// The value of the first parameter of that name, with "+" as a space and percent-encoded bytes decoded; empty for a
// parameter without '='. Names are compared without regard to ASCII case, as in ASP.NET Core. A malformed escape
// stands for itself.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

// Takes the next parameter off the beginning of `query`, decoded; false when there is none.
bool next_query_parameter(std::string_view& query, std::string& name, std::string& value);

// Calls function(const std::string& name, const std::string& value) for each parameter in order, decoded as in
// query_value(). Parameters that are empty ("a=1&&b=2") are skipped.
template <typename Function>
void for_each_query(std::string_view query, Function&& function) {
  std::string name;
  std::string value;
  while (next_query_parameter(query, name, value)) function(std::as_const(name), std::as_const(value));
}

}  // namespace windhover::wire::http1
