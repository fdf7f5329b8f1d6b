#include <algorithm>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "net/event_loop.hpp"
#include "websocket/topic_board.hpp"
#include "websocket/websocket_connection.hpp"
#include <windhover/topics.hpp>

namespace windhover {

namespace {

void require(bool valid, std::string_view text, const topics_options& options, std::string_view what,
             std::string_view rules) {
  std::string why;
  const auto levels = static_cast<std::size_t>(std::count(text.begin(), text.end(), '/')) + 1;
  if (!valid) {
    why = rules;
  } else if (text.size() > options.max_topic_size) {
    why = "it has " + std::to_string(text.size()) + " bytes, and max_topic_size is " +
          std::to_string(options.max_topic_size);
  } else if (levels > options.max_levels) {
    why = "it has " + std::to_string(levels) + " levels, and max_levels is " + std::to_string(options.max_levels);
  } else {
    return;
  }
  throw std::invalid_argument("this is no " + std::string(what) + ": " + why);
}

void require_filter(std::string_view text, const topics_options& options) {
  require(is_topic_filter(text), text, options, "filter",
          "it must not be empty or hold octet 0, must be UTF-8, '+' a level of its own, and '#' the last level");
}

void require_topic(std::string_view text, const topics_options& options) {
  require(is_topic(text), text, options, "topic",
          "it must not be empty or hold '+', '#' or octet 0, and must be UTF-8");
}

}  // namespace

struct topics_core {
  // What becomes of a message for loops that are behind.
  enum class when_behind : bool { refuse, wait };

  explicit topics_core(const topics_options& with) : options(with), census(std::make_shared<topic_census>()) {}

  // On a loop's thread: its board. Makes it when there is none yet.
  std::shared_ptr<topic_board> board_of(const net::event_loop& loop);
  // Null when there is none.
  std::shared_ptr<topic_board> find_board(const net::event_loop& loop) const noexcept;

  bool publish(std::string_view topic, const prepared_message& message, const publisher_hold& hold,
               const websocket_connection* but_for, when_behind behind);
  topics_counters counters() const;

  const topics_options options;
  const std::shared_ptr<topic_census> census;

 private:
  struct letter {
    std::shared_ptr<topic_board> to;
    net::mailbox::prepared contents;
  };
  struct delivery {
    std::shared_ptr<topic_board> own;  // of this thread's loop; null when there is none
    std::vector<letter> letters;       // to the others
    std::size_t cost = 0;              // of each of them
  };
  delivery prepare(std::string_view topic, const prepared_message& message, const publisher_hold& hold) const;
  static void post(delivery& prepared) noexcept;
  static void add(topics_counters& to, const topic_board::counters& of) noexcept;

  std::atomic<std::uint64_t> published_{0};
  std::atomic<std::uint64_t> refused_{0};
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<topic_board>> boards_;
  topics_counters past_;  // of boards whose loops have gone; of the numbers since the beginning
};

std::shared_ptr<topic_board> topics_core::find_board(const net::event_loop& loop) const noexcept {
  const std::lock_guard lock(mutex_);
  const auto is_home = [&loop](const auto& each) { return each->home() == loop.mailbox(); };
  const auto found = std::find_if(boards_.begin(), boards_.end(), is_home);
  return found == boards_.end() ? nullptr : *found;
}

// Nobody else makes one for this loop meanwhile: that is done on its thread. Those of loops that have gone make place.
std::shared_ptr<topic_board> topics_core::board_of(const net::event_loop& loop) {
  if (auto found = find_board(loop)) return found;
  auto made = std::make_shared<topic_board>(loop.mailbox(), census, options);
  const std::lock_guard lock(mutex_);
  boards_.push_back(made);
  std::erase_if(boards_, [this](const auto& each) {
    if (!each->home()->closed()) return false;
    add(past_, each->counted);
    return true;
  });
  return made;
}

topics_core::delivery topics_core::prepare(std::string_view topic, const prepared_message& message,
                                           const publisher_hold& hold) const {
  struct publication {
    std::string topic;
    prepared_message message;
    publisher_hold hold;
    std::size_t cost;
  };
  delivery made;
  made.cost = topic.size() + message.size() + topic_board::cost_of_a_message;
  std::shared_ptr<const publication> shared;
  const net::event_loop* const current = net::event_loop::current();
  const std::lock_guard lock(mutex_);
  for (const std::shared_ptr<topic_board>& each : boards_) {
    if (current != nullptr && each->home() == current->mailbox()) {
      made.own = each;
      continue;
    }
    if (each->counted.subscribers.value() == 0 || each->home()->closed()) continue;
    if (!shared)
      shared = std::make_shared<const publication>(publication{std::string(topic), message, hold, made.cost});
    made.letters.push_back({each, net::mailbox::prepare([board = each, shared] {
                              board->discharge(shared->cost);
                              board->deliver(shared->topic, shared->message, shared->hold);
                            })});
  }
  return made;
}

// What comes to a loop that has gone is for nobody.
void topics_core::post(delivery& prepared) noexcept {
  for (letter& each : prepared.letters) {
    each.to->charge(prepared.cost);
    if (!each.to->home()->post_prepared(std::move(each.contents))) each.to->discharge(prepared.cost);
  }
}

// All memory that is needed is there before anybody gets anything.
bool topics_core::publish(std::string_view topic, const prepared_message& message, const publisher_hold& hold,
                          const websocket_connection* but_for, when_behind behind) {
  delivery prepared = prepare(topic, message, hold);
  const auto is_far_behind = [](const letter& each) { return !each.to->may_charge(); };
  if (behind == when_behind::refuse && std::any_of(prepared.letters.begin(), prepared.letters.end(), is_far_behind)) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  published_.fetch_add(1, std::memory_order_relaxed);
  post(prepared);
  if (prepared.own) prepared.own->deliver(topic, message, hold, but_for);
  return true;
}

void topics_core::add(topics_counters& to, const topic_board::counters& of) noexcept {
  to.delivered += of.delivered.value();
  to.dropped += of.dropped.value();
  to.closed += of.closed.value();
}

topics_counters topics_core::counters() const {
  const std::lock_guard lock(mutex_);
  topics_counters all = past_;
  all.published = published_.load(std::memory_order_relaxed);
  all.refused = refused_.load(std::memory_order_relaxed);
  for (const auto& each : boards_) {
    add(all, each->counted);
    all.subscribers += each->counted.subscribers.value();
    all.subscriptions += each->counted.subscriptions.value();
  }
  return all;
}

// ----- topics

topics::topics(topics_options options) : core_(std::make_shared<topics_core>(options)) {}
topics::~topics() = default;

bool topics::is_topic(std::string_view text) noexcept { return windhover::is_topic(text); }
bool topics::is_filter(std::string_view text) noexcept { return is_topic_filter(text); }

bool topics::subscribe(websocket& socket, std::string_view filter, subscribe_options options) {
  require_filter(filter, core_->options);
  websocket_connection& connection = socket.connection();
  if (connection.state() != websocket_state::open) return false;
  const std::shared_ptr<topic_board> board = core_->board_of(connection.loop());
  auto* subscriber = static_cast<topic_subscriber*>(connection.find_watch(board.get()));
  if (subscriber == nullptr) {
    auto made = std::make_unique<topic_subscriber>(board, connection);
    subscriber = made.get();
    connection.add_watch(std::move(made));
  }
  const bool added = subscriber->subscribe(filter);
  subscriber->set_options(options);
  return added;
}

topic_subscriber* topics::subscriber(const websocket& socket) const {
  const websocket_connection& connection = socket.connection();
  const std::shared_ptr<topic_board> board = core_->find_board(connection.loop());
  return board ? static_cast<topic_subscriber*>(connection.find_watch(board.get())) : nullptr;
}

bool topics::unsubscribe(websocket& socket, std::string_view filter) {
  topic_subscriber* const found = subscriber(socket);
  return found != nullptr && found->unsubscribe(filter);
}

void topics::unsubscribe(websocket& socket) {
  if (topic_subscriber* const found = subscriber(socket)) found->unsubscribe();
}

bool topics::publish(std::string_view topic, const prepared_message& shared) {
  require_topic(topic, core_->options);
  return core_->publish(topic, shared, nullptr, nullptr, topics_core::when_behind::refuse);
}

bool topics::publish_to_others(const websocket& sender, std::string_view topic, const prepared_message& shared) {
  require_topic(topic, core_->options);
  return core_->publish(topic, shared, nullptr, &sender.connection(), topics_core::when_behind::refuse);
}

task<> topics::publish_and_wait(std::string topic, prepared_message shared) {
  require_topic(topic, core_->options);
  const auto wait = std::make_shared<publisher_wait>();
  core_->publish(topic, shared, hold_back(wait), nullptr, topics_core::when_behind::wait);
  const publisher_wait::awaiter until_there_is_room(*wait);
  co_await until_there_is_room;
}

std::size_t topics::subscribers(std::string_view filter) const { return core_->census->count(filter); }
topics_counters topics::counters() const { return core_->counters(); }

}  // namespace windhover
