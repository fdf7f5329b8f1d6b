#include "hosting/websocket_endpoint.hpp"

#include <utility>
#include <vector>

#include "hosting/pipeline.hpp"
#include "hosting/websocket_feature.hpp"
#include "websocket/accept.hpp"
#include "wire/websocket/handshake.hpp"

namespace windhover::hosting {
namespace {

// RFC 6455, section 4.4; a 426 says what to upgrade to (RFC 9110, section 15.5.22).
void answer_no_websocket(http_context& context) {
  http_response& response = context.response();
  if (wire::names_unsupported_version(context.request().headers())) {
    response.status(426);
    response.header("Upgrade", "websocket");
    response.header("Sec-WebSocket-Version", "13");
  } else {
    response.status(400);
  }
}

// The first sub-protocol of the endpoint that the client offers.
std::string_view choose_protocol(const http_context& context, const std::vector<std::string>& spoken) {
  if (spoken.empty()) return {};
  const auto offered = context.websockets().requested_protocols();
  for (const std::string& each : spoken) {
    if (wire::select_protocol(offered, each)) return each;
  }
  return {};
}

// Throws std::invalid_argument, when the endpoint is mapped and not at the first request.
void check(const websocket_endpoint_options& options) {
  websocket_options checked;
  checked.keep_alive_interval = options.keep_alive_interval.value_or(checked.keep_alive_interval);
  checked.keep_alive_timeout = options.keep_alive_timeout.value_or(checked.keep_alive_timeout);
  checked.server_max_window_bits = options.server_max_window_bits.value_or(checked.server_max_window_bits);
  checked.client_max_window_bits = options.client_max_window_bits.value_or(checked.client_max_window_bits);
  static_cast<void>(checked_settings(checked));
  static_cast<void>(checked_compression(checked));
}

}  // namespace

websocket_endpoint::websocket_endpoint(std::string pattern, websocket_endpoint_options options,
                                       websocket_handler with_context,
                                       std::function<task<>(websocket&)> without_context, logger*& log)
    : pattern_(std::move(pattern)),
      options_(std::move(options)),
      with_context_(std::move(with_context)),
      without_context_(std::move(without_context)),
      log_(log) {
  check(options_);
}

bool websocket_endpoint::may_open(http_context& context, std::string_view& protocol) const {
  if (!context.websockets().is_websocket_request()) {
    answer_no_websocket(context);
    return false;
  }
  protocol = choose_protocol(context, options_.sub_protocols);
  if (!protocol.empty() || !options_.requires_sub_protocol) return true;
  context.response().status(400);
  return false;
}

websocket_accept_options websocket_endpoint::accept_options(std::string_view protocol) const {
  websocket_accept_options accept;
  accept.sub_protocol = protocol;
  accept.keep_alive_interval = options_.keep_alive_interval;
  accept.keep_alive_timeout = options_.keep_alive_timeout;
  accept.max_message_size = options_.max_message_size;
  accept.dangerous_enable_compression = options_.dangerous_enable_compression;
  accept.disable_server_context_takeover = options_.disable_server_context_takeover;
  accept.disable_client_context_takeover = options_.disable_client_context_takeover;
  accept.server_max_window_bits = options_.server_max_window_bits;
  accept.client_max_window_bits = options_.client_max_window_bits;
  return accept;
}

// Accepting never waits. These are plain functions, so that the options are gone while the socket is open.
websocket websocket_endpoint::accept(http_context& context, std::string_view protocol) const {
  return context.websockets().accept(accept_options(protocol)).await_resume();
}

void websocket_endpoint::open(http_context& context, std::string_view protocol) const {
  const websocket_feature& feature = *context.websockets_.feature_;
  open_websocket(context.exchange_, feature.settings, false, accept_options(protocol), feature.compression)
      .run(without_context_, pattern_);
}

task<> websocket_endpoint::handle(websocket& socket, const http_context& context) const {
  return with_context_ ? with_context_(socket, context) : without_context_(socket);
}

void websocket_endpoint::end_failed_handler(websocket& socket, const http_context& context,
                                            std::string_view what) const {
  log_->write(log_level::error, "websocket",
              "the WebSocket handler of " + std::string(context.request().path()) + " failed: " + std::string(what));
  socket.close_output(close_code::internal_error);
}

task<> websocket_endpoint::serve(http_context& context) const {
  std::string_view protocol;
  if (!may_open(context, protocol)) co_return;
  if (options_.before_accept) {
    co_await options_.before_accept(context);
    if (context.response().started() || context.response().status() >= 300) co_return;
  }
  const bool outermost = co_await is_outermost(context);
  if (outermost && without_context_) {
    open(context, protocol);
    co_return;
  }
  websocket socket = accept(context, protocol);
  try {
    co_await handle(socket, context);
  } catch (const std::exception& error) {
    end_failed_handler(socket, context, error.what());
  } catch (...) {
    end_failed_handler(socket, context, "an exception that is no std::exception");
  }
}

}  // namespace windhover::hosting
