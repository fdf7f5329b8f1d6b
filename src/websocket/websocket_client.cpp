// The public client: settings, and the awaiter that runs the connecting.
#include <optional>

#include "websocket/connect.hpp"
#include "wire/websocket/url.hpp"
#include <windhover/websocket_client.hpp>

namespace windhover {

struct websocket_client::connect_awaiter::state {
  task<opened_websocket> opening;
  std::coroutine_handle<> waiter;
  bool started = false;
  bool ended = false;

  static std::coroutine_handle<> opening_ended(void* self) noexcept {
    state& here = *static_cast<state*>(self);
    here.ended = true;
    // Still within await_suspend: the waiter goes on by itself.
    return here.started ? here.waiter : std::noop_coroutine();
  }
};

websocket_client::websocket_client(websocket_client_options options)
    : settings_(std::make_shared<const websocket_client_settings>(checked_settings(options))) {}

websocket_client::connect_awaiter websocket_client::connect(std::string_view url, std::stop_token stop) const {
  return connect_noting(url, nullptr, std::move(stop));
}

websocket_client::connect_awaiter websocket_client::connect(std::string_view url, http_response_details& details,
                                                            std::stop_token stop) const {
  return connect_noting(url, &details, std::move(stop));
}

websocket_client::connect_awaiter websocket_client::connect_noting(std::string_view url, http_response_details* details,
                                                                   std::stop_token stop) const {
  auto made = std::make_unique<connect_awaiter::state>();
  made->opening = open_websocket(settings_, wire::parse_websocket_url(url), details, std::move(stop));
  return connect_awaiter(std::move(made));
}

websocket_client::connect_awaiter::connect_awaiter(std::unique_ptr<state> with) noexcept : state_(std::move(with)) {}
websocket_client::connect_awaiter::~connect_awaiter() = default;

bool websocket_client::connect_awaiter::await_suspend(std::coroutine_handle<> waiter) {
  state_->waiter = waiter;
  state_->opening.start(state_.get(), &state::opening_ended);
  state_->started = true;
  return !state_->ended;
}

websocket websocket_client::connect_awaiter::await_resume() { return state_->opening.take().make_websocket(); }

}  // namespace windhover
