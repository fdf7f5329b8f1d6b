// Targets of requests: percent-decoding, dot segments and queries, against RFC 3986 done step by step. Input: a target.
#include "wire/http1/target.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "input.hpp"

namespace windhover::fuzz {

namespace {

namespace http1 = wire::http1;

std::optional<unsigned> hexadecimal(char character) {
  constexpr std::string_view digits = "0123456789abcdef";
  const std::size_t value = digits.find(base::to_lower(character));
  return value == std::string_view::npos ? std::nullopt : std::optional(static_cast<unsigned>(value));
}

std::optional<unsigned> escape_at(std::string_view text, std::size_t at) {
  if (text[at] != '%' || at + 2 >= text.size()) return std::nullopt;
  const auto high = hexadecimal(text[at + 1]);
  const auto low = hexadecimal(text[at + 2]);
  return high && low ? std::optional(*high * 16 + *low) : std::nullopt;
}

// The segments behind each slash, climbing resolved on a stack.
std::string resolve(const std::string& path) {
  if (!path.starts_with('/')) return path;
  std::vector<std::string> stack;
  bool ends_in_folder = false;
  for (std::size_t at = 1; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    std::string segment = path.substr(at, end - at);
    at = end + 1;
    ends_in_folder = segment == "." || segment == "..";
    if (segment == ".." && !stack.empty()) stack.pop_back();
    if (!ends_in_folder) stack.push_back(std::move(segment));
  }
  std::string result;
  for (const std::string& each : stack) result += "/" + each;
  return ends_in_folder || result.empty() ? result + "/" : result;
}

std::optional<std::string> decode_slowly(std::string_view path) {
  std::string decoded;
  for (std::size_t at = 0; at < path.size(); ++at) {
    if (path[at] != '%') {
      decoded += path[at];
      continue;
    }
    const auto byte = escape_at(path, at);
    if (!byte || *byte == 0) return std::nullopt;
    decoded += *byte == '/' ? std::string(path.substr(at, 3)) : std::string(1, static_cast<char>(*byte));
    at += 2;
  }
  return resolve(decoded);
}

std::string decode_parameter(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = escape_at(text, at);
    decoded += byte ? static_cast<char>(*byte) : text[at] == '+' ? ' ' : text[at];
    if (byte) at += 2;
  }
  return decoded;
}

void try_path(std::string_view path) {
  const auto decoded = http1::percent_decode_path(path);
  require(decoded == decode_slowly(path), "a path is decoded as the standard says");
  if (!decoded || !path.starts_with('/')) return;
  require(decoded->starts_with('/'), "a decoded path begins with a slash");
  const std::string framed = *decoded + "/";
  require(framed.find("/./") == std::string::npos && framed.find("/../") == std::string::npos,
          "a decoded path does not climb");
}

void try_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> expected;
  for (std::size_t at = 0; at < query.size();) {
    const std::size_t end = std::min(query.find('&', at), query.size());
    const std::string_view parameter = query.substr(at, end - at);
    at = end + 1;
    if (parameter.empty()) continue;
    const std::size_t equals = parameter.find('=');
    const bool has_value = equals != std::string_view::npos;
    expected.emplace_back(decode_parameter(parameter.substr(0, equals)),
                          has_value ? decode_parameter(parameter.substr(equals + 1)) : "");
  }
  std::vector<std::pair<std::string, std::string>> found;
  http1::for_each_query(
      query, [&found](const std::string& name, const std::string& value) { found.emplace_back(name, value); });
  require(found == expected, "a query has its parameters");
  for (const auto& [name, value] : expected) {
    const auto first = std::find_if(expected.begin(), expected.end(), [&name = name](const auto& each) {
      return base::equals_ignoring_case(each.first, name);
    });
    require(http1::query_value(query, name) == first->second, "the first parameter of a name is found");
  }
}

}  // namespace

void try_input(input in) {
  const std::string target(in.text());
  const auto parts = http1::split_target(target);
  const bool has_query = target.find('?') != std::string::npos;
  require(std::string(parts.path) + (has_query ? "?" : "") + std::string(parts.query) == target,
          "a target is its path and its query");
  require(parts.path.find('?') == std::string::npos, "split at the first question mark");
  try_path(parts.path);
  try_path(target);
  try_query(parts.query);
}

}  // namespace windhover::fuzz
