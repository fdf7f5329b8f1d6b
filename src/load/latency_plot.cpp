// The latencies of a load as a line over the percentiles. The horizontal scale is logarithmic in what is left above a
// percentile, so that 99, 99.9 and 99.99 % stand at even distances; the vertical one is logarithmic in time.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "load/report.hpp"

namespace windhover::load {
namespace {

constexpr double width = 760;
constexpr double height = 400;
constexpr double left = 80;
constexpr double right = 740;
constexpr double top = 50;
constexpr double bottom = 340;

// The logarithm to base ten of nanoseconds.
double log_of(net::duration time) {
  return std::log10(std::max(1.0, std::chrono::duration<double, std::nano>(time).count()));
}

std::string text_at(double x, double y, std::string_view anchor, std::string_view text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor, text);
}

std::string line_between(double x1, double y1, double x2, double y2) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", x1, y1, x2, y2);
}

// From the values of a plot to its places.
class scales {
 public:
  explicit scales(const histogram& of) {
    const double count = static_cast<double>(std::max<std::uint64_t>(of.count(), 10));
    decades_ = std::clamp(std::ceil(std::log10(count)), 1.0, 6.0);
    lowest_ = std::floor(log_of(of.minimum()));
    highest_ = std::max(std::ceil(log_of(of.maximum())), lowest_ + 1);
  }
  double decades() const noexcept { return decades_; }
  double lowest() const noexcept { return lowest_; }
  double highest() const noexcept { return highest_; }
  // `nines`: how often what is left has been divided by ten. 2 stands for 99 %.
  double x_of(double nines) const noexcept { return left + (right - left) * nines / decades_; }
  double y_of_log(double log) const noexcept {
    return bottom - (bottom - top) * (log - lowest_) / (highest_ - lowest_);
  }

 private:
  double decades_;
  double lowest_;  // powers of ten, of nanoseconds
  double highest_;
};

std::string percentile_name(int nines) {
  if (nines == 0) return "0 %";
  if (nines == 1) return "90 %";
  std::string name = "99";
  if (nines > 2) name += "." + std::string(static_cast<std::size_t>(nines - 2), '9');
  return name + " %";
}

std::string grid_of(const scales& on) {
  std::string made = "<g class=\"grid\">\n";
  for (int nines = 0; nines <= static_cast<int>(on.decades()); ++nines) {
    made += line_between(on.x_of(nines), top, on.x_of(nines), bottom);
  }
  for (double log = on.lowest(); log <= on.highest(); ++log) {
    made += line_between(left, on.y_of_log(log), right, on.y_of_log(log));
  }
  made += "</g>\n";
  for (int nines = 0; nines <= static_cast<int>(on.decades()); ++nines) {
    made += text_at(on.x_of(nines), bottom + 20, "middle", percentile_name(nines));
  }
  for (double log = on.lowest(); log <= on.highest(); ++log) {
    const std::chrono::duration<double, std::nano> time(std::pow(10, log));
    made += text_at(left - 8, on.y_of_log(log) + 4, "end", readable(std::chrono::duration_cast<net::duration>(time)));
  }
  return made;
}

std::string curve_of(const histogram& latencies, const scales& on) {
  constexpr int steps_in_a_decade = 40;
  std::string points;
  for (int i = 0; i <= static_cast<int>(on.decades()) * steps_in_a_decade; ++i) {
    const double nines = static_cast<double>(i) / steps_in_a_decade;
    const double percent = 100 * (1 - std::pow(10, -nines));
    points += fmt::format("{:.1f},{:.1f} ", on.x_of(nines), on.y_of_log(log_of(latencies.percentile(percent))));
  }
  return "<polyline class=\"curve\" points=\"" + points + "\"/>\n";
}

}  // namespace

std::string latency_plot_of(const load_result& result) {
  const scales on(result.latencies);
  const load_options& options = result.options;
  const std::string title =
      fmt::format("{}, {}: latency over percentiles", name_of(options.scenario), connections_of(options));
  const std::string head = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"13\" "
      "role=\"img\">\n<title>{}</title>\n",
      width, height, title);
  constexpr std::string_view style =
      "<style>\n"
      ".grid line { stroke: #8888; } .curve { fill: none; stroke: #0b76c5; stroke-width: 2; }\n"
      "text { fill: #444; } @media (prefers-color-scheme: dark) { text { fill: #ccc; } }\n"
      "</style>\n";
  return head + std::string(style) + text_at(left, 26, "start", title) + grid_of(on) + curve_of(result.latencies, on) +
         text_at((left + right) / 2, bottom + 46, "middle", "percentile") + "</svg>\n";
}

}  // namespace windhover::load
