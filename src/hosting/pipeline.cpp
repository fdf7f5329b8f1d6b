#include "hosting/pipeline.hpp"

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "net/event_loop.hpp"

namespace windhover {

task<> next_middleware::operator()() const { return pipeline_.run(context_, index_); }

}  // namespace windhover

namespace windhover::hosting {
namespace {

void answer_failure(http::exchange& exchange) {
  http_response& response = exchange.response();
  if (exchange.upgraded()) return;
  if (response.started()) {
    // It is too late for a status: the client must at least not take the response for a whole one.
    exchange.abort();
    return;
  }
  response.reset();
  response.status(500);
}

void log_failure(logger& log, const http::exchange& exchange, const char* what) {
  const http_request& request = exchange.request();
  log.write(log_level::error, "hosting",
            "an unhandled exception ended " + std::string(request.method()) + " " + std::string(request.path()) + ": " +
                what);
}

}  // namespace

pipeline_counters& counters_of(http_context& context) {
  return *context.exchange_.transport().loop().local<pipeline_counters>();
}

task<> done() { co_return; }

void pipeline::add(middleware added) {
  if (!added) throw std::invalid_argument("a middleware must be a function: this one is empty");
  middleware_.push_back(std::move(added));
}

void pipeline::add_first(middleware added) { middleware_.insert(middleware_.begin(), std::move(added)); }

bool pipeline::has_endpoint(const http_request& request) const {
  return routes_.find(request.method(), request.path()).endpoint != nullptr;
}

task<> pipeline::run(http_context& context, std::size_t index) const {
  if (index < middleware_.size()) return middleware_[index](context, next_middleware(*this, context, index + 1));
  return dispatch(context);
}

task<> pipeline::dispatch(http_context& context) const {
  route_table::match found = routes_.find(context.request().method(), context.request().path());
  if (found.endpoint != nullptr) {
    context.route_values_ = std::move(found.route_values);
    return (*found.endpoint)(context);
  }
  http_response& response = context.response();
  if (response.started()) return done();
  if (!found.allowed.empty()) {
    response.status(405);
    response.header("Allow", found.allowed);
  } else if (!response.touched()) {
    response.status(404);
  }
  return done();
}

task<> pipeline::serve(http::exchange& exchange, logger& log) const {
  http_context context(exchange);
  try {
    task<> rest = run(context, 0);
    context.outermost_frame_ = rest.frame_address();
    co_await std::move(rest);
  } catch (const bad_http_request& error) {
    if (!exchange.upgraded()) throw;
    log_failure(log, exchange, error.what());
  } catch (const std::exception& error) {
    log_failure(log, exchange, error.what());
    answer_failure(exchange);
  } catch (...) {
    log_failure(log, exchange, "an exception that is no std::exception");
    answer_failure(exchange);
  }
}

}  // namespace windhover::hosting
