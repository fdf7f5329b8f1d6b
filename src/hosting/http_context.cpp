#include <stdexcept>

#include "base/text.hpp"
#include "hosting/websocket_feature.hpp"
#include "http/exchange.hpp"
#include "websocket/accept.hpp"
#include <windhover/http_context.hpp>

namespace windhover {

bool websocket_manager::is_websocket_request() const {
  return feature_ != nullptr && feature_->enabled_for(exchange_.request().path()) &&
         windhover::is_websocket_request(exchange_);
}

std::vector<std::string_view> websocket_manager::requested_protocols() const {
  return windhover::requested_protocols(exchange_);
}

websocket websocket_manager::accept_awaiter::await_resume() const {
  if (from_.feature_ == nullptr) throw std::logic_error("WebSockets are not supported: call use_websockets() first");
  if (!from_.feature_->enabled_for(from_.exchange_.request().path())) {
    throw std::logic_error("not a WebSocket request: WebSockets are switched off here");
  }
  return accept_websocket(from_.exchange_, from_.feature_->settings, from_.feature_->options.retain_request_headers,
                          options_, from_.feature_->compression);
}

http_request& http_context::request() noexcept { return exchange_.request(); }
const http_request& http_context::request() const noexcept { return exchange_.request(); }
http_response& http_context::response() noexcept { return exchange_.response(); }

std::string_view http_context::route_value(std::string_view name) const noexcept {
  for (const auto& [each, value] : route_values_) {
    if (base::equals_ignoring_case(each, name)) return value;
  }
  return {};
}

std::map<std::string, std::any, std::less<>>& http_context::items() {
  if (!items_) items_ = std::make_unique<std::map<std::string, std::any, std::less<>>>();
  return *items_;
}

const endpoint& http_context::remote_endpoint() const { return exchange_.remote_endpoint(); }
const endpoint& http_context::local_endpoint() const { return exchange_.local_endpoint(); }
const tls_info* http_context::tls() const noexcept { return exchange_.transport().tls(); }
std::stop_token http_context::request_aborted() const { return exchange_.aborted(); }
void http_context::abort() { exchange_.abort(); }

}  // namespace windhover
