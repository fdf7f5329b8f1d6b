// The picture of the latencies: well-formed, and the line where it belongs.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "load/report.hpp"

namespace windhover::load {
namespace {

using std::chrono::microseconds;

load_result result_of(int count) {
  load_result made;
  made.options = {.url = "ws://localhost/<&>", .connections = 1};
  for (int i = 0; i < count; ++i) made.latencies.add(microseconds(10 + i));
  return made;
}

// The names of elements that were not closed, or closed in another order; "" for a well-formed document of elements
// whose texts and attributes have no markup of their own.
std::string malformed(std::string_view document) {
  std::vector<std::string> open;
  bool any = false;
  for (std::size_t at = 0; (at = document.find('<', at)) != std::string_view::npos;) {
    const std::size_t end = document.find('>', at);
    if (end == std::string_view::npos) return "a tag without an end";
    const std::string_view tag = document.substr(at + 1, end - at - 1);
    if (tag.find('<') != std::string_view::npos) return "a tag within " + std::string(tag);
    if (std::ranges::count(tag, '"') % 2 != 0) return "quotes of " + std::string(tag);
    if (tag.starts_with('/')) {
      if (open.empty() || open.back() != tag.substr(1)) return std::string(tag);
      open.pop_back();
    } else if (!tag.ends_with('/')) {
      if (open.empty() && any) return "two roots";
      any = true;
      open.emplace_back(tag.substr(0, tag.find(' ')));
    }
    at = end;
  }
  if (!open.empty()) return open.back();
  if (document.find('&') != std::string_view::npos) return "an entity";
  return any ? "" : "nothing";
}

struct point {
  double x;
  double y;
};

std::vector<point> curve_in(const std::string& svg) {
  const std::string_view marker = "class=\"curve\" points=\"";
  const std::size_t begin = svg.find(marker) + marker.size();
  std::istringstream text(svg.substr(begin, svg.find('"', begin) - begin));
  std::vector<point> found;
  point next{};
  char comma = 0;
  while (text >> next.x >> comma >> next.y) found.push_back(next);
  return found;
}

TEST(LatencyPlot, IsAWellFormedSvg) {
  for (const int count : {0, 1, 2, 10, 100'000}) {
    const std::string svg = latency_plot_of(result_of(count));
    EXPECT_TRUE(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 400\"")) << svg;
    EXPECT_EQ(malformed(svg), "") << svg;
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    EXPECT_EQ(svg.find("inf"), std::string::npos);
  }
}

TEST(LatencyPlot, SaysWhatItShows) {
  const std::string svg = latency_plot_of(result_of(10));
  EXPECT_NE(svg.find("<title>echo, 1 connection: latency over percentiles</title>"), std::string::npos) << svg;
}

TEST(LatencyPlot, ItsLineRunsToTheRightAndNeverDown) {
  const std::vector<point> curve = curve_in(latency_plot_of(result_of(5000)));
  ASSERT_GT(curve.size(), 100U);
  EXPECT_DOUBLE_EQ(curve.front().x, 80);
  EXPECT_DOUBLE_EQ(curve.back().x, 740);
  for (std::size_t i = 1; i < curve.size(); ++i) {
    EXPECT_GT(curve[i].x, curve[i - 1].x);
    EXPECT_LE(curve[i].y, curve[i - 1].y);  // up, in an SVG, is less
    EXPECT_GE(curve[i].y, 50);
    EXPECT_LE(curve[i].y, 340);
  }
  EXPECT_LT(curve.back().y, curve.front().y);
}

TEST(LatencyPlot, HasAsManyNinesAsTheMessagesAllow) {
  const std::string few = latency_plot_of(result_of(100));
  EXPECT_NE(few.find(">99 %<"), std::string::npos);
  EXPECT_EQ(few.find(">99.9 %<"), std::string::npos);
  const std::string many = latency_plot_of(result_of(10'000));
  EXPECT_NE(many.find(">99.99 %<"), std::string::npos);
  EXPECT_EQ(many.find(">99.999 %<"), std::string::npos);
}

}  // namespace
}  // namespace windhover::load
