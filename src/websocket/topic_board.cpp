#include "websocket/topic_board.hpp"

#include <algorithm>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "net/event_loop.hpp"
#include "websocket/websocket_connection.hpp"

namespace windhover {

// ----- How many there are

void topic_census::add(std::string_view filter) {
  const std::lock_guard lock(mutex_);
  const auto found = filters_.find(filter);
  if (found != filters_.end()) {
    ++found->second;
  } else {
    filters_.emplace(filter, 1);
  }
}

void topic_census::subtract(std::string_view filter) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = filters_.find(filter);
  if (--found->second == 0) filters_.erase(found);
}

std::size_t topic_census::count(std::string_view filter) const noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = filters_.find(filter);
  return found == filters_.end() ? 0 : found->second;
}

// ----- The board

// Sending resumes nobody, so the board stays as it is meanwhile, but for subscribers that end. They live on until their
// connections are destroyed, at the end of the iteration.
void topic_board::deliver(std::string_view topic, const prepared_message& message, const publisher_hold& hold,
                          const websocket_connection* but_for) noexcept {
  ++deliveries_;
  tree_.match(topic, [this](topic_tree::subscription& each) {
    topic_subscriber& matching = static_cast<topic_subscriber::subscription&>(each).of;
    if (std::exchange(matching.last_delivery_, deliveries_) != deliveries_) matched_.push_back(&matching);
  });
  for (topic_subscriber* each : matched_) {
    if (&each->connection_ != but_for) each->take(message, hold);
  }
  matched_.clear();
  // Said at the end: a logger may publish too.
  const std::size_t too_slow = std::exchange(too_slow_, 0);
  if (too_slow == 0) return;
  net::event_loop::current()->log_line(log_level::debug, "websocket", [&] {
    return "closed with 1013, because they take too little of what they have subscribed to: " +
           std::to_string(too_slow) + " of the subscribers of '" + std::string(topic) + "'";
  });
}

// ----- Subscriptions

topic_subscriber::topic_subscriber(std::shared_ptr<topic_board> board, websocket_connection& connection)
    : sending_watch(board.get()), board_(std::move(board)), connection_(connection) {}

topic_subscriber::~topic_subscriber() { unsubscribe(); }

bool topic_subscriber::subscribe(std::string_view filter) {
  if (over_ || filters_.find(filter) != filters_.end()) return false;
  if (filters_.size() >= board_->options_.max_subscriptions) {
    throw std::length_error("the socket has " + std::to_string(filters_.size()) +
                            " subscriptions already, which is max_subscriptions");
  }
  std::vector<topic_subscriber*>& matched = board_->matched_;
  if (board_->counted.subscribers.value() == matched.capacity()) {
    matched.reserve(std::max<std::size_t>(16, 2 * matched.capacity()));
  }
  const auto [added, is_new] = filters_.try_emplace(std::string(filter), *this);
  try {
    board_->tree_.insert(filter, added->second);
    try {
      board_->census_->add(filter);
    } catch (...) {
      board_->tree_.remove(added->second);
      throw;
    }
  } catch (...) {
    filters_.erase(added);
    throw;
  }
  ++board_->counted.subscriptions;
  if (filters_.size() == 1) ++board_->counted.subscribers;
  return true;
}

bool topic_subscriber::unsubscribe(std::string_view filter) noexcept {
  const auto found = filters_.find(filter);
  if (found == filters_.end()) return false;
  end(found);
  return true;
}

void topic_subscriber::unsubscribe() noexcept {
  while (!filters_.empty()) end(filters_.begin());
}

void topic_subscriber::end(subscriptions::iterator which) noexcept {
  board_->tree_.remove(which->second);
  board_->census_->subtract(which->first);
  filters_.erase(which);
  --board_->counted.subscriptions;
  if (filters_.empty()) --board_->counted.subscribers;
}

// ----- Messages

void topic_subscriber::take(const prepared_message& message, const publisher_hold& hold) noexcept {
  if (over_) return;
  if (!waiting_ && connection_.may_take_message()) return send(message);
  try {
    if (has_room_for(message)) return keep(message);
    keep_or_not(message, hold);
  } catch (const std::bad_alloc&) {
    connection_.abort();
  }
}

// There is no room for it.
void topic_subscriber::keep_or_not(const prepared_message& message, const publisher_hold& hold) {
  switch (options_.full) {
    case when_full::wait:
      if (waiting_bytes_ + waiting_->size() * topic_board::cost_of_a_message + message.size() >
          board_->options_.max_unsent_bytes) {
        return close();
      }
      if (hold) holds_.push_back(hold);
      return keep(message);
    case when_full::drop_newest:
      ++board_->counted.dropped;
      return;
    case when_full::drop_oldest:
      while (!has_room_for(message)) {
        static_cast<void>(take_oldest());
        ++board_->counted.dropped;
      }
      return keep(message);
    case when_full::close:
      return close();
  }
}

bool topic_subscriber::may_wait(std::size_t messages, std::size_t bytes) const noexcept {
  return messages <= options_.max_waiting_messages && bytes <= options_.max_waiting_bytes;
}

bool topic_subscriber::has_room_for(const prepared_message& message) const noexcept {
  return !waiting_ || may_wait(waiting_->size() + 1, waiting_bytes_ + message.size());
}

void topic_subscriber::keep(const prepared_message& message) {
  if (!waiting_) waiting_ = std::make_unique<std::deque<prepared_message>>();
  waiting_->push_back(message);
  waiting_bytes_ += message.size();
}

prepared_message topic_subscriber::take_oldest() noexcept {
  prepared_message oldest = std::move(waiting_->front());
  waiting_->pop_front();
  waiting_bytes_ -= oldest.size();
  if (waiting_->empty()) waiting_.reset();
  return oldest;
}

// What there is no memory for must not just be missing.
void topic_subscriber::send(const prepared_message& message) noexcept {
  try {
    if (connection_.send(message)) ++board_->counted.delivered;
  } catch (const std::bad_alloc&) {
    connection_.abort();
  }
}

void topic_subscriber::close() noexcept {
  ++board_->counted.closed;
  ++board_->too_slow_;
  connection_.start_close(close_code::try_again_later, "too slow for what it has subscribed to");
}

void topic_subscriber::can_send_again() noexcept {
  if (draining_) return;
  draining_ = true;
  while (waiting_ && connection_.may_take_message()) send(take_oldest());
  draining_ = false;
  if (!waiting_ || may_wait(waiting_->size() + 1, waiting_bytes_)) holds_.clear();
}

void topic_subscriber::sending_is_over() noexcept {
  over_ = true;
  if (waiting_) board_->counted.dropped.add(waiting_->size());
  waiting_.reset();
  waiting_bytes_ = 0;
  holds_.clear();
  unsubscribe();
}

}  // namespace windhover
