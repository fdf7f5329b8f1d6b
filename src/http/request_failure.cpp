#include "http/request_failure.hpp"

#include "http/exchange.hpp"

namespace windhover::http {

request_failure describe(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const bad_http_request& error) {
    const bool is_status = error.status() >= 400 && error.status() <= 599;
    return {is_status ? error.status() : 500, error.what(), {}};
  } catch (const std::exception& error) {
    return {500, {}, error.what()};
  } catch (...) {
    return {500, {}, "something that is no std::exception was thrown"};
  }
}

bool answer(exchange& with, const request_failure& failure) {
  http_response& response = with.response();
  if (response.started() || failure.status == client_gone) return false;
  response.reset();
  response.status(failure.status);
  if (!failure.text.empty()) {
    response.content_type("text/plain; charset=utf-8");
    static_cast<void>(response.write(failure.text));
  }
  with.finish();
  return true;
}

}  // namespace windhover::http
