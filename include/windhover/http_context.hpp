// http_context: everything about one request, as it goes through the pipeline.
#pragma once

#include <any>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <windhover/endpoint.hpp>
#include <windhover/http_request.hpp>
#include <windhover/http_response.hpp>
#include <windhover/task.hpp>
#include <windhover/tls_info.hpp>
#include <windhover/websocket.hpp>
#include <windhover/websocket_options.hpp>

namespace windhover {

namespace http {
class exchange;
}
class http_context;
namespace hosting {
struct pipeline_counters;
pipeline_counters& counters_of(http_context& context);
struct websocket_feature;
class is_outermost;
class pipeline;
class websocket_endpoint;
}  // namespace hosting

// The WebSocket side of a request. It exists on every request; without use_websockets no request is a WebSocket
// request.
class websocket_manager {
 public:
  websocket_manager(const websocket_manager&) = delete;
  websocket_manager& operator=(const websocket_manager&) = delete;

  // Whether the client asks for a WebSocket that can be accepted: GET over HTTP/1.1 without a body, with Upgrade,
  // Connection, Sec-WebSocket-Version 13 and a valid Sec-WebSocket-Key (RFC 6455, section 4.2.1), and the middleware is
  // in front and switched on.
  bool is_websocket_request() const;
  // The sub-protocols that the client offers, in its order of preference. Views of the request's headers.
  std::vector<std::string_view> requested_protocols() const;

  class [[nodiscard("accept does nothing until it is awaited")]] accept_awaiter {
   public:
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    // The socket, made in place.
    websocket await_resume() const;

   private:
    friend class websocket_manager;
    accept_awaiter(const websocket_manager& from, const websocket_accept_options& options) noexcept
        : from_(from), options_(options) {}
    const websocket_manager& from_;
    websocket_accept_options options_;
  };
  // Completes the opening handshake with what the response's headers hold so far. Throws std::logic_error when the
  // request is no WebSocket request, was accepted before, has been answered, or use_websockets is missing;
  // std::invalid_argument for a sub-protocol that the client did not offer; bad_http_request (499), which needs no
  // answer, when the client has gone, and (503) when there are as many upgraded connections as there may be.
  accept_awaiter accept() const { return {*this, {}}; }
  accept_awaiter accept(std::string_view sub_protocol) const {
    websocket_accept_options options;
    options.sub_protocol = sub_protocol;
    return {*this, options};
  }
  accept_awaiter accept(const websocket_accept_options& options) const { return {*this, options}; }

 private:
  friend class hosting::websocket_endpoint;
  friend class http_context;
  friend class web_application;
  explicit websocket_manager(http::exchange& exchange) noexcept : exchange_(exchange) {}

  http::exchange& exchange_;
  const hosting::websocket_feature* feature_ = nullptr;  // set by the middleware, the first one wins
};

// One request on its way. It belongs to the server and lives until the pipeline has unwound. Thread: the request's
// event loop.
class http_context {
 public:
  http_context(const http_context&) = delete;
  http_context& operator=(const http_context&) = delete;

  http_request& request() noexcept;
  const http_request& request() const noexcept;
  http_response& response() noexcept;
  const websocket_manager& websockets() const noexcept { return websockets_; }

  // The part of the path that a route named: "id" of "/rooms/{id}". Empty when there is no such part.
  std::string_view route_value(std::string_view name) const noexcept;

  // What middleware leaves for those behind it: the user, a tenant, a stopwatch.
  std::map<std::string, std::any, std::less<>>& items();
  // Null when there is no such item, or it has another type.
  template <class T>
  const T* item(std::string_view name) const {
    if (!items_) return nullptr;
    const auto found = items_->find(name);
    return found == items_->end() ? nullptr : std::any_cast<T>(&found->second);
  }

  // The addresses of the connection. Behind a proxy the remote one is the proxy's.
  const endpoint& remote_endpoint() const;
  const endpoint& local_endpoint() const;
  // What the handshake has agreed on, and the certificate that the client has shown; null without TLS. Valid as long as
  // the connection.
  const tls_info* tls() const noexcept;
  // Stopped when the client has gone: the connection was reset, aborted or ended before the response. Not by a
  // WebSocket that closes cleanly.
  std::stop_token request_aborted() const;
  // Ends the connection at once.
  void abort();

 private:
  friend class hosting::is_outermost;
  friend class hosting::pipeline;
  friend class hosting::websocket_endpoint;
  friend class web_application;
  friend hosting::pipeline_counters& hosting::counters_of(http_context&);
  explicit http_context(http::exchange& exchange) noexcept : exchange_(exchange), websockets_(exchange) {}

  http::exchange& exchange_;
  websocket_manager websockets_;
  std::unique_ptr<std::map<std::string, std::any, std::less<>>> items_;
  std::vector<std::pair<std::string_view, std::string>> route_values_;
  const void* outermost_frame_ = nullptr;  // of the task that the whole pipeline has become
};

}  // namespace windhover
