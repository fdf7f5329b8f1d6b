#include <array>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "net/event_loop.hpp"
#include "websocket/websocket_connection.hpp"
#include "websocket/websocket_counters.hpp"
#include "websocket/websocket_handle_state.hpp"
#include "wire/websocket/close.hpp"
#include <windhover/websocket_handle.hpp>

namespace windhover {
namespace {

using outcome = websocket_handle::outcome;
using shared_state = websocket_handle::shared_state;

void look_at_queue(shared_state& state) noexcept {
  state.queued.store(state.connection == nullptr ? 0 : state.connection->queued_bytes(), std::memory_order_relaxed);
}

// Loop thread: what was `full` on any thread becomes part of the loop's count, which nobody else may write.
void count_full(shared_state& state) noexcept {
  net::event_loop::current()->local<websocket_counters>()->full_handles.add(state.full.exchange(0));
}

// The sender was told that it is queued: what there is no memory for must not just be missing.
template <class Send>
void send_or_abort(websocket_connection& to, Send& send) noexcept {
  try {
    send(to);
  } catch (const std::bad_alloc&) {
    to.abort();
  }
}

template <class Act>
struct waiting_act_of final : shared_state::waiting_act {
  explicit waiting_act_of(Act from) noexcept : act(std::move(from)) {}
  void run(websocket_connection& on) noexcept override { send_or_abort(on, act); }
  Act act;
};

// Between the fragments of the handler's message no other message may begin (RFC 6455, section 5.4): what comes then
// waits for its end. False: there is nothing to wait for.
template <class Act>
bool wait_behind_fragments(shared_state& state, std::size_t bytes, Act& act) noexcept {
  if (!state.connection->sending_fragments() && state.waiting.empty()) return false;
  try {
    auto made = std::make_unique<waiting_act_of<Act>>(std::move(act));
    made->bytes = bytes;
    state.waiting.push_back(std::move(made));
    static_cast<void>(state.charge(bytes));  // as it was before: it has been taken already
  } catch (const std::bad_alloc&) {
    state.connection->abort();
  }
  return true;
}

// Charges the bytes at the call, then posts what sends them.
template <class Send>
outcome post(const std::shared_ptr<shared_state>& state, std::size_t bytes, Send&& send) {
  if (!state || !state->open.load(std::memory_order_acquire)) return outcome::closed;
  if (!state->charge(bytes)) {
    state->discharge(bytes);
    state->full.fetch_add(1);
    // What is known of the queue may be out of date: the next call sees it anew. Whoever finds a look on its way has
    // counted before it.
    if (!state->looking.exchange(true)) {
      try {
        state->box->post([state] {
          state->looking.store(false);
          look_at_queue(*state);
          count_full(*state);
        });
      } catch (const std::bad_alloc&) {
        state->looking.store(false);
      }
    }
    return outcome::full;
  }
  bool posted = false;
  try {
    posted = state->box->post([state, bytes, send = std::forward<Send>(send)]() mutable {
      state->discharge(bytes);
      if (state->connection != nullptr && !wait_behind_fragments(*state, bytes, send))
        send_or_abort(*state->connection, send);
      look_at_queue(*state);
    });
  } catch (const std::bad_alloc&) {
    state->discharge(bytes);
    throw;
  }
  if (posted) return outcome::queued;
  state->discharge(bytes);
  return outcome::closed;
}

template <class Act>
outcome post_command(const std::shared_ptr<shared_state>& state, Act&& act) {
  if (!state || !state->open.load(std::memory_order_acquire)) return outcome::closed;
  const bool posted = state->box->post([state, act = std::forward<Act>(act)]() mutable {
    if (state->connection != nullptr) act(*state->connection);
  });
  return posted ? outcome::queued : outcome::closed;
}

}  // namespace

outcome websocket_handle::send(std::string_view text, disable_compression compression) const {
  return send(message::from_text(text), compression);
}

outcome websocket_handle::send(message whole, disable_compression compression) const {
  const std::size_t size = whole.size();
  return post(state_, size,
              [whole = std::move(whole), compression](websocket_connection& to) { to.send(whole, compression); });
}

outcome websocket_handle::send(const prepared_message& shared) const {
  return post(state_, shared.size(), [shared](websocket_connection& to) { to.send(shared); });
}

// Behind what was sent before it.
outcome websocket_handle::close(close_code code, std::string_view reason) const {
  std::array<std::byte, wire::maximum_control_payload> unused;
  if (wire::encode_close_payload(unused, code, reason).error != wire::websocket_error::none) {
    throw std::invalid_argument(
        "a close code must be one of 1000-1003, 1007-1014 and 3000-4999, and a reason at most 123 "
        "bytes of UTF-8");
  }
  auto start = [code, text = std::string(reason)](websocket_connection& to) { to.start_close(code, text); };
  return post_command(state_, [state = state_, start = std::move(start)](websocket_connection& to) mutable {
    if (state->waiting.empty() || !wait_behind_fragments(*state, 0, start)) start(to);
  });
}

outcome websocket_handle::abort() const {
  return post_command(state_, [](websocket_connection& to) { to.abort(); });
}

bool websocket_handle::open() const noexcept { return state_ && state_->open.load(std::memory_order_acquire); }

std::size_t websocket_handle::queued_bytes() const noexcept {
  if (!state_) return 0;
  return state_->posted.load(std::memory_order_relaxed) + state_->queued.load(std::memory_order_relaxed);
}

websocket_handle websocket_connection::handle() {
  if (!handle_) {
    handle_ = std::make_shared<websocket_handle::shared_state>(loop().mailbox(), *this, settings_->max_queued_bytes,
                                                               settings_->max_queued_messages);
    if (state_ != websocket_state::open) handle_->open.store(false);
  }
  return websocket_handle(handle_);
}

}  // namespace windhover
