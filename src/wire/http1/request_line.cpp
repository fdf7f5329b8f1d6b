// Parsing of the request line and of the forms of its target.
#include "wire/http1/request_line.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

#include "base/text.hpp"
#include "wire/http1/grammar.hpp"

namespace windhover::wire::http1 {
namespace {

std::optional<request_error> parse_version(std::string_view text, http_version& version) {
  const auto is_digit = [](char each) { return each >= '0' && each <= '9'; };
  const auto is_letter = [](char each) { return base::to_lower(each) >= 'a' && base::to_lower(each) <= 'z'; };
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_letter)) return request_error::no_version;
  if (text.size() != 8 || !text.starts_with("HTTP/") || text[6] != '.' || !is_digit(text[5]) || !is_digit(text[7]))
    return request_error::malformed_request_line;
  if (text[5] != '1') return request_error::unsupported_version;
  version = text[7] == '0' ? http_version::http_1_0 : http_version::http_1_1;
  return std::nullopt;
}

struct absolute_form {
  std::string_view authority;
  std::string_view path_and_query;
};

std::optional<absolute_form> split_absolute_form(std::string_view target) {
  for (const std::string_view scheme : {std::string_view("http://"), std::string_view("https://")}) {
    if (!base::equals_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    const std::string_view rest = target.substr(scheme.size());
    const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
    return absolute_form{rest.substr(0, end), rest.substr(end)};
  }
  return std::nullopt;
}

std::optional<request_error> check_target(std::string_view method, std::string_view target) {
  if (method == "CONNECT") return request_error::connect_not_supported;
  if (!is_request_target(target)) return request_error::malformed_target;
  if (target.starts_with('/') || (target == "*" && method == "OPTIONS")) return std::nullopt;
  const auto absolute = split_absolute_form(target);
  if (!absolute || absolute->authority.empty() || !is_host(absolute->authority)) return request_error::malformed_target;
  return std::nullopt;
}

}  // namespace

std::optional<request_error> parse_request_line(std::string_view line, request_head& head) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == last) return request_error::malformed_request_line;
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (!base::is_token(method)) return request_error::malformed_request_line;
  if (const auto error = parse_version(line.substr(last + 1), head.version)) return error;
  if (const auto error = check_target(method, target)) return error;
  head.method = method;
  head.target = target;
  return std::nullopt;
}

void reduce_absolute_form(request_head& head) {
  const auto absolute = split_absolute_form(head.target);
  if (!absolute) return;
  head.fields.set("Host", absolute->authority);
  // An OPTIONS request for the server as a whole has no path in this form (RFC 9112, section 3.2.4).
  std::string target = absolute->path_and_query.empty() && head.method == "OPTIONS" ? "*" : "/";
  target += absolute->path_and_query.substr(absolute->path_and_query.starts_with('/') ? 1 : 0);
  head.target = std::move(target);
}

}  // namespace windhover::wire::http1
