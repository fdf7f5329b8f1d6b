// topics: publish and subscribe. Whoever publishes to a topic reaches every socket that has subscribed to it, on all
// event loops.
//
//   wh::topics rooms;
//   app.map_websocket("/chat", [&](wh::websocket& socket) -> wh::task<> {
//     rooms.subscribe(socket, "room/1");
//     while (auto message = co_await socket.receive())
//       rooms.publish("room/1", *message);
//   });
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <windhover/message.hpp>
#include <windhover/prepared_message.hpp>
#include <windhover/task.hpp>
#include <windhover/websocket.hpp>

namespace windhover {

class topic_subscriber;
struct topics_core;

// What happens to a message for a socket for which as much waits as may wait.
enum class when_full : std::uint8_t {
  wait,         // it waits too, up to max_unsent_bytes, and publish_and_wait() until there is room again
  drop_newest,  // it is not sent to that socket
  drop_oldest,  // what has waited longest is not sent
  close,        // the socket is closed with 1013, try again later
};

struct subscribe_options {
  // Chosen so that nobody misses a message without noticing.
  when_full full = when_full::close;
  // What may wait for a socket that takes no more, because max_queued_bytes wait for the kernel, or while its handler
  // is within a message that it sends in fragments. One message may wait whatever its size.
  std::size_t max_waiting_messages = 64;
  std::size_t max_waiting_bytes = std::size_t{1} << 20;
};

struct topics_options {
  std::size_t max_topic_size = 1024;     // bytes of a topic or a filter
  std::size_t max_levels = 32;           // of a topic or a filter
  std::size_t max_subscriptions = 1000;  // of one socket
  // That wait for one socket with when_full::wait, which is closed with 1013 beyond them; 256 more for each message.
  std::size_t max_unsent_bytes = std::size_t{16} << 20;
  // Published on other threads, and not yet seen by one of the event loops that have subscribers; 256 more for each
  // message.
  std::size_t max_undelivered_bytes = std::size_t{64} << 20;
};

// The numbers of all event loops, each as it was a moment ago.
struct topics_counters {
  std::uint64_t subscribers = 0;    // sockets, now
  std::uint64_t subscriptions = 0;  // now
  // Since the beginning:
  std::uint64_t published = 0;
  std::uint64_t refused = 0;    // publish() was false
  std::uint64_t delivered = 0;  // messages that were queued on a live connection, one for each socket
  std::uint64_t dropped = 0;    // by drop_newest and drop_oldest, or because the socket ended while they waited
  std::uint64_t closed = 0;     // sockets that took too little
};

// A topic is text whose levels are separated by '/', as in MQTT (5.0, section 4.7): "room/1/typing". What is subscribed
// to is a filter: a topic in which a level may be '+', which stands for any one level, and the last one '#', which
// stands for all that follow, and for none. Neither stands for a first level that begins with '$'. A socket gets a
// message once, however many of its filters match.
//
// Messages are encoded once for all sockets of servers, and compressed once for each size of window (see
// prepared_message). They reach a socket in the order in which a thread publishes them; between threads there is none.
// A subscription ends with unsubscribe(), or when its socket closes. The sockets of a websocket_client may subscribe
// too.
//
// May be destroyed on any thread, while sockets are subscribed: then nothing is published any more.
class topics {
 public:
  explicit topics(topics_options options = {});
  topics(const topics&) = delete;
  topics& operator=(const topics&) = delete;
  ~topics();

  // Whether it may be published to: not empty, without '+', '#' and octet 0, and valid UTF-8.
  static bool is_topic(std::string_view text) noexcept;
  // Whether it may be subscribed to: a topic, or one with '+' and '#' where they may be.
  static bool is_filter(std::string_view text) noexcept;

  // ----- On the socket's thread

  // False: it is subscribed to that filter already, or can send nothing any more. The options are those of the socket
  // for all of its filters: the last call decides. Throws std::invalid_argument for what is no filter or beyond
  // max_topic_size or max_levels, std::length_error for more than max_subscriptions, std::bad_alloc.
  bool subscribe(websocket& socket, std::string_view filter, subscribe_options options = {});
  // False: it is not subscribed to that filter. What waits for it is still sent.
  bool unsubscribe(websocket& socket, std::string_view filter);
  // From all filters.
  void unsubscribe(websocket& socket);

  // ----- On any thread

  // Does not wait. False: it reaches nobody, because an event loop with subscribers has yet to see more than
  // max_undelivered_bytes. Throws std::invalid_argument for what is no topic or beyond max_topic_size or max_levels,
  // and for a text that is not UTF-8, and std::bad_alloc.
  bool publish(std::string_view topic, std::string_view text) {
    return publish(topic, prepared_message::from_text(text));
  }
  bool publish(std::string_view topic, const message& whole) {
    return publish(topic, prepared_message::from_message(whole));
  }
  bool publish(std::string_view topic, const prepared_message& shared);

  // The same to all but one socket, on that socket's thread.
  bool publish_to_others(const websocket& sender, std::string_view topic, std::string_view text) {
    return publish_to_others(sender, topic, prepared_message::from_text(text));
  }
  bool publish_to_others(const websocket& sender, std::string_view topic, const message& whole) {
    return publish_to_others(sender, topic, prepared_message::from_message(whole));
  }
  bool publish_to_others(const websocket& sender, std::string_view topic, const prepared_message& shared);

  // The same to all, and waits until it has come to every event loop and no socket with when_full::wait has more
  // waiting than may wait. Throws the same when it is awaited, and std::logic_error elsewhere than on an event loop;
  // then nobody has got it.
  task<> publish_and_wait(std::string topic, prepared_message shared);

  // How many sockets are subscribed to exactly that filter.
  std::size_t subscribers(std::string_view filter) const;
  topics_counters counters() const;

 private:
  topic_subscriber* subscriber(const websocket& socket) const;

  std::shared_ptr<topics_core> core_;
};

}  // namespace windhover
