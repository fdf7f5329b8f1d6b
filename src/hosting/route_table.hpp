// Endpoints by the path of the request.
//
// A pattern is a path of literal segments, "{name}" (one segment, not empty) and, at its end, "{*name}" (the rest,
// which may be empty). Literals compare without regard to ASCII case, and a slash at the end does not count, as in
// ASP.NET Core. Where several patterns fit, the one that is more literal, from the left, wins.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <windhover/http_context.hpp>
#include <windhover/task.hpp>

namespace windhover::hosting {

class route_table {
 public:
  using handler = std::function<task<>(http_context&)>;
  using values = std::vector<std::pair<std::string_view, std::string>>;  // names are views of the table's

  // No methods: every method. Throws std::invalid_argument for a pattern that is none, or for one that fits the same
  // paths as another, for a method that both have.
  void add(std::vector<std::string> methods, std::string_view pattern, handler endpoint);

  struct match {
    const handler* endpoint = nullptr;  // null: no endpoint
    values route_values;
    std::string allowed;  // "GET, HEAD" when the path fits but the method does not
  };
  match find(std::string_view method, std::string_view path) const;

 private:
  enum class segment_kind { literal, parameter, rest };  // in the order of precedence
  struct segment {
    segment_kind kind;
    std::string text;  // the literal, or the name
  };
  struct route {
    std::vector<std::string> methods;
    std::vector<segment> segments;
    handler endpoint;
  };

  static std::vector<segment> parse(std::string_view pattern);
  static bool more_literal(const route& left, const route& right) noexcept;
  static bool same_paths(const route& left, const route& right) noexcept;
  static bool share_a_method(const route& left, const route& right) noexcept;
  static bool fits(const route& candidate, std::string_view path, values& found);

  std::vector<route> routes_;  // the most literal first
};

}  // namespace windhover::hosting
