// The subscribers of one topics object on one event loop.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/counter.hpp"
#include "net/mailbox.hpp"
#include "websocket/publisher_hold.hpp"
#include "websocket/sending_watch.hpp"
#include "websocket/topic_tree.hpp"
#include <windhover/prepared_message.hpp>
#include <windhover/topics.hpp>

namespace windhover {

class topic_subscriber;
class websocket_connection;

// How many sockets are subscribed to each filter, on all loops. Any thread.
class topic_census {
 public:
  // Throws std::bad_alloc.
  void add(std::string_view filter);
  void subtract(std::string_view filter) noexcept;
  std::size_t count(std::string_view filter) const noexcept;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::size_t, std::less<>> filters_;
};

// Where nothing else is said: on the loop's thread.
class topic_board {
 public:
  // Any thread.
  topic_board(std::shared_ptr<net::mailbox> home, std::shared_ptr<topic_census> census, const topics_options& options)
      : home_(std::move(home)), census_(std::move(census)), options_(options) {}

  // Any thread.
  const std::shared_ptr<net::mailbox>& home() const noexcept { return home_; }

  struct counters {
    base::counter subscribers;
    base::counter subscriptions;
    base::counter delivered;
    base::counter dropped;
    base::counter closed;
  };
  counters counted;

  // To all that match, but for one connection, if any.
  void deliver(std::string_view topic, const prepared_message& message, const publisher_hold& hold,
               const websocket_connection* but_for = nullptr) noexcept;

  // What a message costs to be kept, beside its bytes, about.
  static constexpr std::size_t cost_of_a_message = 256;

  // What other threads have published and this one has not seen: charged there, discharged here. False: too much.
  bool may_charge() const noexcept {
    return undelivered_.load(std::memory_order_relaxed) <= options_.max_undelivered_bytes;
  }
  void charge(std::size_t bytes) noexcept { undelivered_.fetch_add(bytes, std::memory_order_relaxed); }
  void discharge(std::size_t bytes) noexcept { undelivered_.fetch_sub(bytes, std::memory_order_relaxed); }

 private:
  friend class topic_subscriber;

  std::shared_ptr<net::mailbox> home_;
  std::shared_ptr<topic_census> census_;
  topics_options options_;
  std::atomic<std::size_t> undelivered_{0};
  topic_tree tree_;
  std::vector<topic_subscriber*> matched_;  // has room for all of them
  std::uint64_t deliveries_ = 0;
  std::size_t too_slow_ = 0;  // were closed during the delivery
};

// One socket that has subscribed.
class topic_subscriber final : public sending_watch {
 public:
  topic_subscriber(std::shared_ptr<topic_board> board, websocket_connection& connection);
  ~topic_subscriber() override;

  void set_options(const subscribe_options& options) noexcept { options_ = options; }
  // As topics says.
  bool subscribe(std::string_view filter);
  bool unsubscribe(std::string_view filter) noexcept;
  void unsubscribe() noexcept;

  // sending_watch
  void can_send_again() noexcept override;
  void sending_is_over() noexcept override;
  bool needed() const noexcept override { return !over_ && (!filters_.empty() || waiting_ != nullptr); }

 private:
  friend class topic_board;

  struct subscription : topic_tree::subscription {
    explicit subscription(topic_subscriber& whose) noexcept : of(whose) {}
    topic_subscriber& of;
  };
  using subscriptions = std::map<std::string, subscription, std::less<>>;

  void take(const prepared_message& message, const publisher_hold& hold) noexcept;
  void send(const prepared_message& message) noexcept;
  void keep(const prepared_message& message);
  void keep_or_not(const prepared_message& message, const publisher_hold& hold);
  bool may_wait(std::size_t messages, std::size_t bytes) const noexcept;
  bool has_room_for(const prepared_message& message) const noexcept;
  prepared_message take_oldest() noexcept;
  void close() noexcept;
  void end(subscriptions::iterator which) noexcept;

  std::shared_ptr<topic_board> board_;
  websocket_connection& connection_;
  subscribe_options options_;
  subscriptions filters_;
  std::unique_ptr<std::deque<prepared_message>> waiting_;  // null while nothing waits: an empty deque is large
  std::size_t waiting_bytes_ = 0;
  std::vector<publisher_hold> holds_;  // of publishers that wait for there being room
  std::uint64_t last_delivery_ = 0;
  bool over_ = false;
  bool draining_ = false;
};

}  // namespace windhover
