// The pipeline: middleware in order, then the endpoints.
#pragma once

#include <cstddef>
#include <vector>

#include "hosting/route_table.hpp"
#include "http/exchange.hpp"
#include <windhover/logger.hpp>
#include <windhover/web_application.hpp>

namespace windhover::hosting {

class pipeline {
 public:
  // Throws std::invalid_argument for a middleware that is none.
  void add(middleware added);
  route_table& routes() noexcept { return routes_; }
  // Whether there is an endpoint for the request, should it come to the end of the pipeline.
  bool has_endpoint(const http_request& request) const;

  // Serves one request. An exception becomes 500 and a line in the log; what is wrong with the request itself,
  // bad_http_request, is thrown on, for the connection to answer. Both arguments must live until the task has ended.
  task<> serve(http::exchange& exchange, logger& log) const;

  // What comes from `index` on. The middleware's own task, without a frame between.
  task<> run(http_context& context, std::size_t index) const;

 private:
  task<> dispatch(http_context& context) const;

  std::vector<middleware> middleware_;
  route_table routes_;
};

// A task that has nothing to do.
task<> done();

}  // namespace windhover::hosting
