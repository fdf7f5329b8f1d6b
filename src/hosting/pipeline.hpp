// The pipeline: middleware in order, then the endpoints.
#pragma once

#include <coroutine>
#include <cstddef>
#include <vector>

#include "hosting/counter_board.hpp"
#include "hosting/route_table.hpp"
#include "http/exchange.hpp"
#include <windhover/logger.hpp>
#include <windhover/web_application.hpp>

namespace windhover::hosting {

class pipeline {
 public:
  // Throws std::invalid_argument for a middleware that is none.
  void add(middleware added);
  // Before those that are there.
  void add_first(middleware added);
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

// co_await is_outermost(context): whether the coroutine that asks is the task that the pipeline as a whole has become.
// Then the middleware in front of it, if any, were plain functions that handed on what next() gave them, and nobody
// waits for its end but the server.
class [[nodiscard]] is_outermost {
 public:
  explicit is_outermost(const http_context& context) noexcept : outermost_frame_(context.outermost_frame_) {}
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> asking) noexcept {
    result_ = asking.address() == outermost_frame_;
    return false;
  }
  bool await_resume() const noexcept { return result_; }

 private:
  const void* outermost_frame_;
  bool result_ = false;
};

// Of the loop that the request is on.
pipeline_counters& counters_of(http_context& context);

// A task that has nothing to do.
task<> done();

}  // namespace windhover::hosting
