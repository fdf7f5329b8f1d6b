// Decoding of paths and queries.
#include "wire/http1/target.hpp"

#include <algorithm>
#include <cstddef>

#include "base/text.hpp"
#include "wire/http1/grammar.hpp"

namespace windhover::wire::http1 {
namespace {

// The byte that the escape at the beginning of the text stands for, or -1 when there is no well-formed one.
int escaped_byte(std::string_view text) noexcept {
  if (text.size() < 3 || text[0] != '%') return -1;
  const int high = hexadecimal_value(text[1]);
  const int low = hexadecimal_value(text[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// RFC 3986, section 5.2.4, for a path that begins with '/'.
std::string remove_dot_segments(std::string_view path) {
  std::string result;
  result.reserve(path.size());
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, end);
    path.remove_prefix(end);
    const bool up = segment == "/..";
    if (!up && segment != "/.") {
      result += segment;
      continue;
    }
    if (up && !result.empty()) result.resize(result.rfind('/'));
    if (path.empty()) result += '/';
  }
  return result;
}

void decode_query(std::string_view text, std::string& out) {
  out.clear();
  for (std::size_t at = 0; at != text.size(); ++at) {
    const int byte = escaped_byte(text.substr(at));
    if (byte >= 0) {
      out += static_cast<char>(byte);
      at += 2;
    } else {
      out += text[at] == '+' ? ' ' : text[at];
    }
  }
}

}  // namespace

target_parts split_target(std::string_view target) noexcept {
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return {target, {}};
  return {target.substr(0, mark), target.substr(mark + 1)};
}

std::optional<std::string> percent_decode_path(std::string_view path) {
  std::string decoded;
  decoded.reserve(path.size());
  for (std::size_t at = 0; at != path.size(); ++at) {
    if (path[at] != '%') {
      decoded += path[at];
      continue;
    }
    const std::string_view escape = path.substr(at, 3);
    const int byte = escaped_byte(escape);
    if (byte <= 0) return std::nullopt;
    if (byte == '/')
      decoded += escape;
    else
      decoded += static_cast<char>(byte);
    at += 2;
  }
  if (!decoded.starts_with('/') || decoded.find("/.") == std::string::npos) return decoded;
  return remove_dot_segments(decoded);
}

bool next_query_parameter(std::string_view& query, std::string& name, std::string& value) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view parameter = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (parameter.empty()) continue;
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    decode_query(parameter.substr(0, equals), name);
    decode_query(parameter.substr(std::min(equals + 1, parameter.size())), value);
    return true;
  }
  return false;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  std::string each;
  std::string value;
  while (next_query_parameter(query, each, value))
    if (base::equals_ignoring_case(each, name)) return value;
  return std::nullopt;
}

}  // namespace windhover::wire::http1
