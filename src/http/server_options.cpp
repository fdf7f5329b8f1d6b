#include "http/server_options.hpp"

#include "wire/http_date.hpp"

namespace windhover::http {

std::string_view date_header::at(net::wall_time now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (second != second_ || text_.empty()) {
    second_ = second;
    text_ = wire::http_date(second);
  }
  return text_;
}

}  // namespace windhover::http
