// A chat: rooms, who is in them, and what they say. http://localhost:5000 is its page, and /chat what the page talks
// to.
//
// Every message is a JSON object. A client sends
//
//   {"type": "join", "name": "Ann", "room": "kestrels"}    once, before anything else
//   {"type": "say", "text": "Hello"}
//
// and leaves by closing its socket. The server sends to everybody in the room
//
//   {"type": "joined", "name": "Ann", "present": ["Ann", "Bob"], "change": 7}    the first one a client gets is its own
//   {"type": "said", "name": "Ann", "text": "Hello"}
//   {"type": "left", "name": "Bob", "present": ["Ann"], "change": 8}
//
// and to a client whose message it does not obey
//
//   {"type": "error", "reason": "there is no text"}
//
// The people of a room are spread over the event loops, and between two of these there is no order: of the lists of who
// is present, the one with the highest "change" holds.
#include <algorithm>
#include <new>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "presence.hpp"
#include <windhover/windhover.hpp>

namespace wh = windhover;
using namespace std::chrono_literals;
using nlohmann::json;

constexpr std::size_t longest_name = 64;    // bytes
constexpr std::size_t longest_text = 4000;  // bytes; as JSON up to six times as many, for "\u0041" is one

// ----- What strangers write. It came in a text message, so it is UTF-8.

// The member of an object, when it is text; otherwise empty, also when there is no object.
std::string text_in(const json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// U+0000 to U+001F and U+007F to U+009F, the latter in UTF-8 as C2 80 to C2 9F.
bool has_control_characters(std::string_view text) {
  unsigned char before = 0;
  for (const char each : text) {
    const auto octet = static_cast<unsigned char>(each);
    if (octet < 0x20 || octet == 0x7f || (before == 0xc2 && octet < 0xa0)) return true;
    before = octet;
  }
  return false;
}

// Of a person or a room. A room's becomes a level of a topic, where '/', '+' and '#' have a meaning of their own.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_name && text.front() != ' ' && text.back() != ' ' &&
         text.find_first_of("/+#") == std::string_view::npos && !has_control_characters(text);
}

// ----- The chat

struct chat {
  wh::topics topics;
  presence people;
};

// A socket, and the person behind it once it has joined a room: from then on until this object ends, which it does with
// the handler, however the socket ended.
class visitor {
 public:
  visitor(chat& where, wh::websocket& socket) : chat_(where), socket_(socket) {}
  visitor(const visitor&) = delete;
  visitor& operator=(const visitor&) = delete;
  ~visitor() {
    if (!has_joined_) return;
    try {
      tell_presence("left", chat_.people.leave(room_, name_));
    } catch (const std::bad_alloc&) {
      // The next change tells the others.
    }
  }

  // Does what a message says. Why not, or empty.
  std::string_view obey(const wh::message& message) {
    if (message.is_binary()) return "this is not text";
    const json request = json::parse(message.text(), nullptr, false);
    if (request.is_discarded()) return "this is not JSON";
    const std::string type = text_in(request, "type");
    if (type == "join") return join(text_in(request, "name"), text_in(request, "room"));
    if (type == "say") return say(text_in(request, "text"));
    return "there is no such type of message";
  }

 private:
  std::string topic() const { return "room/" + room_; }

  std::string_view join(const std::string& name, const std::string& room) {
    if (has_joined_) return "you are in a room already";
    if (!is_name(name)) return "this cannot be the name of a person";
    if (!is_name(room)) return "this cannot be the name of a room";
    name_ = name;
    room_ = room;
    // First, so that no change of who is present is missed. Whoever reads too slowly is closed with 1013 and may come
    // again: better than a conversation with holes in it.
    chat_.topics.subscribe(socket_, topic());
    const presence::entrance entered = chat_.people.enter(room, name);
    if (!entered.refusal.empty()) {
      chat_.topics.unsubscribe(socket_);
      return entered.refusal;
    }
    if (!tell_presence("joined", entered.now)) {
      chat_.people.leave(room, name);
      chat_.topics.unsubscribe(socket_);
      return "the server is busy: try again";
    }
    has_joined_ = true;
    return {};
  }

  std::string_view say(const std::string& text) {
    if (!has_joined_) return "you are in no room";
    if (text.find_first_not_of(' ') == std::string::npos) return "there is no text";
    if (text.size() > longest_text) return "this text is too long";
    if (has_control_characters(text)) return "this text has control characters";
    const json said = {{"type", "said"}, {"name", name_}, {"text", text}};
    return chat_.topics.publish(topic(), said.dump()) ? "" : "the server is busy: nobody has heard this";
  }

  // The whole list each time: whoever has missed a change has the right list after the next one.
  bool tell_presence(std::string_view type, const presence::snapshot& now) {
    const json change = {{"type", type}, {"name", name_}, {"present", now.names}, {"change", now.change}};
    return chat_.topics.publish(topic(), change.dump());
  }

  chat& chat_;
  wh::websocket& socket_;
  std::string name_;
  std::string room_;
  bool has_joined_ = false;
};

wh::task<> serve(wh::websocket& socket, chat& where) {
  visitor here(where, socket);
  while (auto message = co_await socket.receive()) {
    const std::string_view refusal = here.obey(*message);
    if (refusal.empty()) continue;
    const json error = {{"type", "error"}, {"reason", refusal}};
    const std::string text = error.dump();
    co_await socket.send(text);
  }
}

int main(int argc, char* argv[]) {
  chat where;
  wh::web_application app(argc, argv);
  // Pings find the dead, whose names are free again then.
  app.use_websockets({.keep_alive_interval = 15s, .keep_alive_timeout = 10s});
  app.use_static_files("wwwroot");
  app.map_websocket("/chat", {.max_message_size = 32 * 1024},
                    [&where](wh::websocket& socket) { return serve(socket, where); });
  return app.run();
}
