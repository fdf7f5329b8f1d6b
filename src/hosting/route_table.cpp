#include "hosting/route_table.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/text.hpp"

namespace windhover::hosting {
namespace {

// Takes the first segment off "/a/b": "a", leaving "/b".
std::string_view take_segment(std::string_view& path) noexcept {
  path.remove_prefix(1);
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string_view taken = path.substr(0, end);
  path.remove_prefix(end);
  return taken;
}

[[noreturn]] void refuse(std::string_view pattern, std::string_view why) {
  throw std::invalid_argument("the route pattern '" + std::string(pattern) + "' " + std::string(why));
}

}  // namespace

std::vector<route_table::segment> route_table::parse(std::string_view pattern) {
  if (pattern.empty() || pattern.front() != '/') refuse(pattern, "must begin with a slash");
  std::vector<segment> segments;
  std::string_view left = pattern;
  if (left.ends_with('/')) left.remove_suffix(1);
  while (!left.empty()) {
    const std::string_view text = take_segment(left);
    if (!segments.empty() && segments.back().kind == segment_kind::rest) refuse(pattern, "goes on after {*...}");
    if (text.starts_with('{')) {
      if (!text.ends_with('}')) refuse(pattern, "has a { without its } in the same segment");
      std::string_view name = text.substr(1, text.size() - 2);
      const bool rest = name.starts_with('*');
      if (rest) name.remove_prefix(1);
      if (name.empty() || name.find_first_of("{}*") != name.npos) refuse(pattern, "has a part without a proper name");
      const auto same = [name](const segment& each) {
        return each.kind != segment_kind::literal && base::equals_ignoring_case(each.text, name);
      };
      if (std::any_of(segments.begin(), segments.end(), same)) refuse(pattern, "has two parts of the same name");
      segments.push_back({rest ? segment_kind::rest : segment_kind::parameter, std::string(name)});
    } else {
      if (text.find_first_of("{}") != text.npos) refuse(pattern, "mixes text and { } in one segment");
      if (text.find('?') != text.npos) refuse(pattern, "has a query; read it with query_value()");
      segments.push_back({segment_kind::literal, std::string(text)});
    }
  }
  return segments;
}

bool route_table::more_literal(const route& left, const route& right) noexcept {
  return std::lexicographical_compare(left.segments.begin(), left.segments.end(), right.segments.begin(),
                                      right.segments.end(),
                                      [](const segment& a, const segment& b) { return a.kind < b.kind; });
}

// The names of the parts make no difference.
bool route_table::same_paths(const route& left, const route& right) noexcept {
  return std::equal(left.segments.begin(), left.segments.end(), right.segments.begin(), right.segments.end(),
                    [](const segment& a, const segment& b) {
                      if (a.kind != b.kind) return false;
                      return a.kind != segment_kind::literal || base::equals_ignoring_case(a.text, b.text);
                    });
}

bool route_table::share_a_method(const route& left, const route& right) noexcept {
  return left.methods.empty() || right.methods.empty() ||
         std::any_of(left.methods.begin(), left.methods.end(), [&right](const std::string& method) {
           return std::find(right.methods.begin(), right.methods.end(), method) != right.methods.end();
         });
}

void route_table::add(std::vector<std::string> methods, std::string_view pattern, handler endpoint) {
  if (!endpoint) refuse(pattern, "has no handler");
  route added{std::move(methods), parse(pattern), std::move(endpoint)};
  for (const route& each : routes_) {
    if (same_paths(each, added) && share_a_method(each, added)) refuse(pattern, "is mapped already");
  }
  const auto place = std::upper_bound(routes_.begin(), routes_.end(), added, more_literal);
  routes_.insert(place, std::move(added));
}

bool route_table::fits(const route& candidate, std::string_view path, values& found) {
  for (const segment& each : candidate.segments) {
    if (each.kind == segment_kind::rest) {
      found.emplace_back(each.text, path.empty() ? std::string() : std::string(path.substr(1)));
      return true;
    }
    if (path.empty()) return false;
    const std::string_view text = take_segment(path);
    if (each.kind == segment_kind::literal) {
      if (!base::equals_ignoring_case(each.text, text)) return false;
    } else {
      if (text.empty()) return false;
      found.emplace_back(each.text, std::string(text));
    }
  }
  return path.empty() || path == "/";
}

route_table::match route_table::find(std::string_view method, std::string_view path) const {
  match result;
  if (!path.starts_with('/')) return result;  // OPTIONS *
  std::vector<std::string_view> allowed;
  for (const route& each : routes_) {
    values found;
    if (!fits(each, path, found)) continue;
    if (each.methods.empty() || std::find(each.methods.begin(), each.methods.end(), method) != each.methods.end()) {
      result.endpoint = &each.endpoint;
      result.route_values = std::move(found);
      return result;
    }
    for (const std::string& other : each.methods) {
      if (std::find(allowed.begin(), allowed.end(), other) != allowed.end()) continue;
      allowed.push_back(other);
      if (!result.allowed.empty()) result.allowed += ", ";
      result.allowed += other;
    }
  }
  return result;
}

}  // namespace windhover::hosting
