// libwebsockets as a peer of the comparison: one service thread, buffers that hold large messages, and every message
// that had come answered in one go, as far as the socket takes them.
//
//   server PORT
//
// /ws echoes and /compressed echoes to clients that offer permessage-deflate; what anybody sends to /broadcast goes to
// everybody there, by the library's call that makes all connections of a protocol writable. A request's path takes the
// place of the sub-protocol that libwebsockets chooses protocols by.
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <libwebsockets.h>

namespace {

constexpr std::size_t service_buffer = 128 * 1024;

// A message with the room in front of it that lws_write wants.
class message {
 public:
  void append(const void* bytes, std::size_t size) { bytes_.append(static_cast<const char*>(bytes), size); }
  unsigned char* payload() { return reinterpret_cast<unsigned char*>(bytes_.data()) + LWS_PRE; }
  std::size_t size() const { return bytes_.size() - LWS_PRE; }
  void clear() { bytes_.resize(LWS_PRE); }
  bool text = false;

 private:
  std::string bytes_ = std::string(LWS_PRE, '\0');
};

// Messages in their order, whose memory is used again.
class message_queue {
 public:
  bool empty() const { return first_ == behind_; }
  message& coming() {
    if (behind_ == messages_.size()) messages_.emplace_back();
    return messages_[behind_];
  }
  void come() { ++behind_; }
  message& front() { return messages_[first_]; }
  void pop() {
    messages_[first_].clear();
    if (++first_ < behind_) return;
    // One that has come in part goes to the front, like the places that are used again.
    if (behind_ < messages_.size()) std::swap(messages_.front(), messages_[behind_]);
    first_ = behind_ = 0;
  }

 private:
  std::vector<message> messages_;
  std::size_t first_ = 0;
  std::size_t behind_ = 0;
};

// What everybody on /broadcast is sent: connections hold it until they have become writable.
struct board {
  std::vector<std::shared_ptr<message>> messages;  // all since the beginning of `first`
  std::size_t first = 0;
  std::vector<struct session*> members;
};

struct session {
  message_queue waiting;
  bool broadcast = false;
  std::size_t next = 0;  // of the board's messages
};

board& everybody() {
  static board one;
  return one;
}

std::string path_of(lws* wsi) {
  char path[64] = {};
  lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI);
  return path;
}

// Whole messages that came in pieces.
bool add_piece(message& to, lws* wsi, const void* bytes, std::size_t size) {
  to.append(bytes, size);
  return lws_is_final_fragment(wsi) != 0 && lws_remaining_packet_payload(wsi) == 0;
}

bool send(lws* wsi, message& what) {
  const auto protocol = what.text ? LWS_WRITE_TEXT : LWS_WRITE_BINARY;
  return lws_write(wsi, what.payload(), what.size(), protocol) >= static_cast<int>(what.size());
}

void publish(lws* wsi, const message& what) {
  board& all = everybody();
  all.messages.push_back(std::make_shared<message>(what));
  lws_callback_on_writable_all_protocol(lws_get_context(wsi), lws_get_protocol(wsi));
}

// Forgets what everybody has got.
void trim() {
  board& all = everybody();
  std::size_t oldest = all.first + all.messages.size();
  for (const session* const each : all.members) oldest = std::min(oldest, each->next);
  all.messages.erase(all.messages.begin(), all.messages.begin() + static_cast<std::ptrdiff_t>(oldest - all.first));
  all.first = oldest;
}

int send_broadcasts(lws* wsi, session& to) {
  board& all = everybody();
  bool last = false;
  while (to.next < all.first + all.messages.size() && lws_send_pipe_choked(wsi) == 0) {
    // lws_write scribbles over the room in front of the payload only, so one message is enough for all.
    if (!send(wsi, *all.messages[to.next - all.first])) return -1;
    last = ++to.next == all.first + all.messages.size();
  }
  if (to.next < all.first + all.messages.size()) lws_callback_on_writable(wsi);
  // With one look at all members after every hundredth message this costs nothing.
  if (last && all.messages.size() > 100) trim();
  return 0;
}

int send_echoes(lws* wsi, session& to) {
  while (!to.waiting.empty() && lws_send_pipe_choked(wsi) == 0) {
    if (!send(wsi, to.waiting.front())) return -1;
    to.waiting.pop();
  }
  if (!to.waiting.empty()) lws_callback_on_writable(wsi);
  return 0;
}

int take(lws* wsi, session& from, const void* bytes, std::size_t size) {
  message& coming = from.waiting.coming();
  if (lws_is_first_fragment(wsi) != 0) coming.text = lws_frame_is_binary(wsi) == 0;
  if (!add_piece(coming, wsi, bytes, size)) return 0;
  if (from.broadcast) {
    publish(wsi, coming);
    coming.clear();
  } else {
    from.waiting.come();
    lws_callback_on_writable(wsi);
  }
  return 0;
}

int on_event(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t size) {
  auto* const here = static_cast<session*>(user);
  switch (reason) {
    case LWS_CALLBACK_CONFIRM_EXTENSION_OKAY:
      // Anything but 0 refuses the extension.
      return path_of(wsi) == "/compressed" ? 0 : 1;
    case LWS_CALLBACK_ESTABLISHED:
      new (here) session;
      here->broadcast = path_of(wsi) == "/broadcast";
      here->next = everybody().first + everybody().messages.size();
      if (here->broadcast) everybody().members.push_back(here);
      return 0;
    case LWS_CALLBACK_CLOSED:
      std::erase(everybody().members, here);
      here->~session();
      return 0;
    case LWS_CALLBACK_RECEIVE:
      return take(wsi, *here, in, size);
    case LWS_CALLBACK_SERVER_WRITEABLE:
      return here->broadcast ? send_broadcasts(wsi, *here) : send_echoes(wsi, *here);
    default:
      return 0;
  }
}

}  // namespace

int main(int argc, char* argv[]) {
  if (argc != 2) {
    std::fputs("usage: server PORT\n", stderr);
    return 2;
  }
  lws_set_log_level(LLL_ERR, nullptr);
  const lws_protocols protocols[] = {
      {"echo", on_event, sizeof(session), 16 * 1024, 0, nullptr, 0},
      {nullptr, nullptr, 0, 0, 0, nullptr, 0},
  };
  const lws_extension extensions[] = {
      {"permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate"},
      {nullptr, nullptr, nullptr},
  };
  lws_context_creation_info settings{};
  settings.port = std::atoi(argv[1]);
  settings.iface = "127.0.0.1";
  settings.protocols = protocols;
  settings.extensions = extensions;
  settings.count_threads = 1;
  settings.pt_serv_buf_size = service_buffer;
  settings.options = LWS_SERVER_OPTION_VALIDATE_UTF8;
  lws_context* const context = lws_create_context(&settings);
  if (context == nullptr) return 1;
  while (lws_service(context, 0) >= 0) {
  }
  lws_context_destroy(context);
  return 0;
}
