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

// As an exception shows it: texts of strangers may be long, and hold anything.
[[noreturn]] void refuse(std::string_view what, std::string_view why) {
  throw std::invalid_argument("this is no " + std::string(what) + ": " + std::string(why));
}

void require(bool valid, std::string_view text, const topics_options& options, std::string_view what,
             std::string_view why) {
  if (!valid) refuse(what, why);
  if (text.size() > options.max_topic_size) {
    refuse(what, "it has " + std::to_string(text.size()) + " bytes, and max_topic_size is " +
                     std::to_string(options.max_topic_size));
  }
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
  std::shared_ptr<topic_board> find_board(const net::event_loop* loop) const noexcept;

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
  // To all boards but one.
  std::vector<letter> prepare_letters(std::string_view topic, const prepared_message& message,
                                      const publisher_hold& hold, const topic_board* but_for) const;
  void post(std::vector<letter> letters, std::size_t size) noexcept;
  static void add(topics_counters& to, const topic_board::counters& of) noexcept;

  std::atomic<std::uint64_t> published_{0};
  std::atomic<std::uint64_t> refused_{0};
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<topic_board>> boards_;
  topics_counters past_;  // of boards whose loops have gone
};

std::shared_ptr<topic_board> topics_core::find_board(const net::event_loop* loop) const noexcept {
  if (loop == nullptr) return nullptr;
  const std::lock_guard lock(mutex_);
  const auto is_home = [loop](const auto& each) { return each->home() == loop->mailbox(); };
  const auto found = std::find_if(boards_.begin(), boards_.end(), is_home);
  return found == boards_.end() ? nullptr : *found;
}

// Nobody else makes one for this loop meanwhile: that is done on its thread.
std::shared_ptr<topic_board> topics_core::board_of(const net::event_loop& loop) {
  if (auto found = find_board(&loop)) return found;
  auto made = std::make_shared<topic_board>(loop.mailbox(), census, options);
  const std::lock_guard lock(mutex_);
  boards_.push_back(made);
  return made;
}

std::vector<topics_core::letter> topics_core::prepare_letters(std::string_view topic, const prepared_message& message,
                                                              const publisher_hold& hold,
                                                              const topic_board* but_for) const {
  struct publication {
    std::string topic;
    prepared_message message;
    publisher_hold hold;
  };
  std::vector<letter> letters;
  std::shared_ptr<const publication> shared;
  const std::lock_guard lock(mutex_);
  for (const std::shared_ptr<topic_board>& each : boards_) {
    if (each.get() == but_for || each->counted.subscribers.value() == 0) continue;
    if (!shared) shared = std::make_shared<const publication>(publication{std::string(topic), message, hold});
    letters.push_back({each, net::mailbox::prepare([board = each, shared] {
                         board->discharge(shared->message.size());
                         board->deliver(shared->topic, shared->message, shared->hold);
                       })});
  }
  return letters;
}

void topics_core::post(std::vector<letter> letters, std::size_t size) noexcept {
  for (letter& each : letters) {
    each.to->charge(size);
    if (each.to->home()->post_prepared(std::move(each.contents))) continue;
    const std::lock_guard lock(mutex_);
    if (std::erase(boards_, each.to) > 0) add(past_, each.to->counted);
  }
}

// All memory that is needed is there before anybody gets anything.
bool topics_core::publish(std::string_view topic, const prepared_message& message, const publisher_hold& hold,
                          const websocket_connection* but_for, when_behind behind) {
  const std::shared_ptr<topic_board> own = find_board(net::event_loop::current());
  std::vector<letter> letters = prepare_letters(topic, message, hold, own.get());
  const auto is_far_behind = [](const letter& each) { return !each.to->may_charge(); };
  if (behind == when_behind::refuse && std::any_of(letters.begin(), letters.end(), is_far_behind)) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  published_.fetch_add(1, std::memory_order_relaxed);
  post(std::move(letters), message.size());
  if (own) own->deliver(topic, message, hold, but_for);
  return true;
}

void topics_core::add(topics_counters& to, const topic_board::counters& of) noexcept {
  to.subscribers += of.subscribers.value();
  to.subscriptions += of.subscriptions.value();
  to.delivered += of.delivered.value();
  to.dropped += of.dropped.value();
  to.closed += of.closed.value();
}

topics_counters topics_core::counters() const {
  const std::lock_guard lock(mutex_);
  topics_counters all = past_;
  all.published = published_.load(std::memory_order_relaxed);
  all.refused = refused_.load(std::memory_order_relaxed);
  for (const auto& each : boards_) add(all, each->counted);
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
  subscriber->set_options(options);
  return subscriber->subscribe(filter);
}

topic_subscriber* topics::subscriber(const websocket& socket) const {
  const websocket_connection& connection = socket.connection();
  const std::shared_ptr<topic_board> board = core_->find_board(&connection.loop());
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
