#include "wire/http2/session.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <limits>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "base/text.hpp"
#include "wire/http2/frame_watch.hpp"
#include "wire/http2/preface.hpp"
#include "wire/http2/session_memory.hpp"

namespace windhover::wire::http2 {
namespace {

// Acknowledgements that wait because the peer does not read. Far more than any honest peer lets pile up.
constexpr std::size_t most_waiting_acknowledgements = 1000;
// Of one head, at least. A frame holds 16 KiB, so that there is room for what the settings allow.
constexpr std::size_t usual_continuations = 8;
constexpr std::size_t of_a_frame = 16384;
// Of an answer, compressed.
constexpr std::size_t most_head = std::size_t{1} << 20;
// What each field counts beside its octets (RFC 9113, section 6.5.2), and what a header block may hold beside four
// times the list that the peer was told of: so much is read to its end and refused by an answer.
constexpr std::size_t overhead_of_a_field = 32;
constexpr std::size_t spare_of_a_block = std::size_t{64} << 10;

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}
std::span<const std::byte> bytes_of(const std::uint8_t* bytes, std::size_t size) {
  return std::as_bytes(std::span(bytes, size));
}

nghttp2_nv field(std::string_view name, std::string_view value, std::uint8_t flags = NGHTTP2_NV_FLAG_NONE) {
  // nghttp2 copies both, and makes the name's letters small.
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(), flags};
}

template <std::size_t Count>
bool is_one_of(const std::array<std::string_view, Count>& names, std::string_view name) noexcept {
  return std::any_of(names.begin(), names.end(),
                     [name](std::string_view each) { return base::equals_ignoring_case(each, name); });
}

// Fields that concern a connection of HTTP/1.1 are forbidden here (RFC 9113, section 8.2.2).
bool concerns_connection(const headers::field& each) noexcept {
  static constexpr std::array<std::string_view, 5> names{"Connection", "Keep-Alive", "Proxy-Connection",
                                                         "Transfer-Encoding", "Upgrade"};
  if (base::equals_ignoring_case(each.name, "TE"))
    return !base::equals_ignoring_case(base::trim(each.value), "trailers");
  return is_one_of(names, each.name);
}

void append_fields(std::vector<nghttp2_nv>& to, const headers& fields) {
  // Secrets that are sent once have no place in the compression's table.
  static constexpr std::array<std::string_view, 4> secrets{"Set-Cookie", "Cookie", "Authorization",
                                                           "Proxy-Authorization"};
  for (const headers::field each : fields) {
    if (concerns_connection(each)) continue;
    const std::uint8_t flags = is_one_of(secrets, each.name) ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
    to.push_back(field(each.name, base::trim(each.value), flags));
  }
}

void require_memory(int outcome) {
  if (outcome == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
}

error_code code_of_fatal(int error) noexcept {
  switch (error) {
    case NGHTTP2_ERR_FLOODED:
    case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS:
      return error_code::enhance_your_calm;
    case NGHTTP2_ERR_BAD_CLIENT_MAGIC:
      return error_code::protocol_error;
    default:
      return error_code::internal_error;
  }
}

}  // namespace

struct session::parts {
  parts(session_events& to, session_role as, const session_settings& settings) noexcept
      : events(to),
        role(as),
        most_of_a_block(std::size_t{4} * settings.max_header_list_size + spare_of_a_block),
        watch(settings.expects_preface ? client_preface.size() : 0) {}
  parts(const parts&) = delete;
  parts& operator=(const parts&) = delete;
  ~parts() { nghttp2_session_del(handle); }

  static parts& of(void* user) noexcept { return *static_cast<parts*>(user); }
  session_stream* stream(stream_id id) const noexcept {
    return static_cast<session_stream*>(nghttp2_session_get_stream_user_data(handle, id));
  }
  // What an event throws waits until nghttp2 has returned.
  template <class Act>
  int guarded(Act&& act) noexcept {
    try {
      return act();
    } catch (...) {
      out_of_memory = true;
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
  }
  void judge(int outcome) {
    if (outcome == NGHTTP2_ERR_NOMEM) must_not_be_freed = true;
    if (out_of_memory || outcome == NGHTTP2_ERR_NOMEM) {
      broken = error_code::internal_error;
      throw std::bad_alloc();
    }
    if (outcome < NGHTTP2_ERR_FATAL && !broken) broken = code_of_fatal(outcome);
  }
  int tell(event what) {
    if (events.on_event(what)) return 0;
    broken = error_code::enhance_your_calm;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
  // A server's streams begin with a request. What comes on a client's, it has asked for.
  bool is_head(const nghttp2_frame* frame) const noexcept {
    return role == session_role::client || frame->headers.cat == NGHTTP2_HCAT_REQUEST;
  }
  int note_reset(stream_id id) noexcept {
    if (role == session_role::client) return 0;
    return guarded([&] {
      watch.note_reset(id);
      return 0;
    });
  }
  void write_last_words();

  // The callbacks, with the signatures that nghttp2 asks for.
  static int headers_begin(nghttp2_session*, const nghttp2_frame* frame, void* user) noexcept;
  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                    const std::uint8_t* value, std::size_t value_size, std::uint8_t flags, void* user) noexcept;
  static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user) noexcept;
  static int data_received(nghttp2_session*, std::uint8_t flags, stream_id id, const std::uint8_t* bytes,
                           std::size_t size, void* user) noexcept;
  static int stream_closed(nghttp2_session*, stream_id id, std::uint32_t why, void* user) noexcept;
  static int invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int error, void* user) noexcept;
  static int frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user) noexcept;
  static int frame_not_sent(nghttp2_session* handle, const nghttp2_frame* frame, int error, void* user) noexcept;
  static ssize_t read_data(nghttp2_session*, stream_id id, std::uint8_t* into, std::size_t most, std::uint32_t* flags,
                           nghttp2_data_source* source, void* user) noexcept;
  static int send_data(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* header, std::size_t size,
                       nghttp2_data_source* source, void* user) noexcept;

  session_events& events;
  const session_role role;
  const std::size_t most_of_a_block;
  std::size_t of_this_block = 0;  // octets of fields that have come out of the header block so far
  frame_watch watch;              // of a server
  nghttp2_session* handle = nullptr;
  std::optional<error_code> broken;  // nghttp2 has given up
  bool said_last_words = false;
  bool out_of_memory = false;
  bool must_not_be_freed = false;
  parts* next = nullptr;  // in the graveyard
};

// ----- What arrives

int session::parts::headers_begin(nghttp2_session* handle, const nghttp2_frame* frame, void* user) noexcept {
  parts& here = of(user);
  here.of_this_block = 0;
  if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  const stream_id id = frame->hd.stream_id;
  return here.guarded([&]() -> int {
    if (here.events.on_headers_begin(id)) return 0;
    if (const int enough = here.tell(event::refused); enough != 0) return enough;
    require_memory(nghttp2_submit_rst_stream(handle, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM));
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  });
}

int session::parts::header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                           std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                           void* user) noexcept {
  parts& here = of(user);
  // nghttp2 does not hold the peer to what it was told. A reference to a long field is one octet of input: what is too
  // large for an answer is refused above, and what is far larger still is an attack on the processor.
  here.of_this_block += name_size + value_size + overhead_of_a_field;
  if (here.of_this_block > here.most_of_a_block) {
    here.broken = error_code::enhance_your_calm;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
  session_stream* const stream = here.stream(frame->hd.stream_id);
  if (stream == nullptr || !here.is_head(frame)) return 0;
  return here.guarded([&] {
    here.events.on_header(*stream, text_of(name, name_size), text_of(value, value_size));
    return 0;
  });
}

int session::parts::frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user) noexcept {
  parts& here = of(user);
  const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  const bool acknowledges = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
  return here.guarded([&]() -> int {
    session_stream* stream = nullptr;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        stream = here.stream(frame->hd.stream_id);
        if (stream != nullptr && here.is_head(frame)) here.events.on_headers_end(*stream, ends);
        if (stream != nullptr && ends) here.events.on_stream_end(*stream);
        break;
      case NGHTTP2_DATA:
        if (frame->hd.length == frame->data.padlen && !ends) return here.tell(event::control_frame);
        stream = here.stream(frame->hd.stream_id);
        if (stream != nullptr && ends) here.events.on_stream_end(*stream);
        break;
      case NGHTTP2_RST_STREAM:
        // A server that gives up what a client has asked for takes nothing from it.
        if (here.role == session_role::client && here.stream(frame->hd.stream_id) != nullptr) break;
        return here.tell(event::reset);
      case NGHTTP2_PING:
        if (!acknowledges) return here.tell(event::control_frame);
        here.events.on_ping_answered();
        break;
      case NGHTTP2_SETTINGS:
        if (acknowledges) break;
        here.events.on_settings();
        return here.tell(event::control_frame);
      default:
        break;
    }
    return 0;
  });
}

int session::parts::data_received(nghttp2_session*, std::uint8_t, stream_id id, const std::uint8_t* bytes,
                                  std::size_t size, void* user) noexcept {
  parts& here = of(user);
  session_stream* const stream = here.stream(id);
  return here.guarded([&] {
    require_memory(nghttp2_session_consume_connection(here.handle, size));
    if (stream != nullptr) here.events.on_data(*stream, bytes_of(bytes, size));
    return 0;
  });
}

int session::parts::stream_closed(nghttp2_session*, stream_id id, std::uint32_t why, void* user) noexcept {
  parts& here = of(user);
  session_stream* const stream = here.stream(id);
  if (stream == nullptr) return 0;
  nghttp2_session_set_stream_user_data(here.handle, id, nullptr);
  return here.guarded([&] {
    here.events.on_stream_closed(*stream, static_cast<error_code>(why));
    return 0;
  });
}

// A stream that nghttp2 has refused is one that it does not know afterwards.
int session::parts::invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int error, void* user) noexcept {
  if (frame->hd.type != NGHTTP2_HEADERS || error != NGHTTP2_ERR_REFUSED_STREAM) return 0;
  return of(user).note_reset(frame->hd.stream_id);
}

// ----- What leaves

int session::parts::frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user) noexcept {
  if (frame->hd.type != NGHTTP2_RST_STREAM) return 0;
  if (const int failed = of(user).note_reset(frame->hd.stream_id); failed != 0) return failed;
  switch (static_cast<error_code>(frame->rst_stream.error_code)) {
    case error_code::protocol_error:
    case error_code::flow_control_error:
    case error_code::stream_closed:
    case error_code::frame_size_error:
    case error_code::refused_stream:
      return of(user).guarded([user] { return of(user).tell(event::refused); });
    default:
      return 0;
  }
}

// An answer's head that cannot be sent would leave the peer waiting for it. Of a request nghttp2 closes the stream.
int session::parts::frame_not_sent(nghttp2_session* handle, const nghttp2_frame* frame, int error,
                                   void* user) noexcept {
  parts& here = of(user);
  if (here.role == session_role::client) return 0;
  if (frame->hd.type != NGHTTP2_HEADERS || error != NGHTTP2_ERR_FRAME_SIZE_ERROR) return 0;
  return here.guarded([&] {
    require_memory(nghttp2_submit_rst_stream(handle, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_INTERNAL_ERROR));
    return 0;
  });
}

ssize_t session::parts::read_data(nghttp2_session*, stream_id id, std::uint8_t*, std::size_t most, std::uint32_t* flags,
                                  nghttp2_data_source*, void* user) noexcept {
  parts& here = of(user);
  if (!here.events.may_write()) return NGHTTP2_ERR_PAUSE;
  session_stream* const stream = here.stream(id);
  if (stream == nullptr) return NGHTTP2_ERR_DEFERRED;
  return here.guarded([&]() -> int {
    const session_events::data ready = here.events.next_data(*stream, most);
    if (ready.size == 0 && !ready.ends) return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (ready.ends) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<int>(ready.size);
  });
}

int session::parts::send_data(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* header, std::size_t size,
                              nghttp2_data_source*, void* user) noexcept {
  constexpr std::size_t frame_header = 9;
  parts& here = of(user);
  session_stream* const stream = here.stream(frame->hd.stream_id);
  return here.guarded([&] {
    here.events.write(bytes_of(header, frame_header));
    if (stream != nullptr) here.events.write_data(*stream, size);
    return 0;
  });
}

// nghttp2 says nothing more once it has given up, but the peer is to know why (RFC 9113, section 5.4.1).
void session::parts::write_last_words() {
  if (std::exchange(said_last_words, true)) return;
  std::array<std::uint8_t, 17> frame{0, 0, 8, NGHTTP2_GOAWAY};
  const auto put = [&frame](std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) frame[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
  };
  put(9, static_cast<std::uint32_t>(nghttp2_session_get_last_proc_stream_id(handle)));
  put(13, static_cast<std::uint32_t>(*broken));
  events.write(bytes_of(frame.data(), frame.size()));
}

// ----- The session

namespace {

struct free_callbacks {
  void operator()(nghttp2_session_callbacks* made) const noexcept { nghttp2_session_callbacks_del(made); }
};
struct free_option {
  void operator()(nghttp2_option* made) const noexcept { nghttp2_option_del(made); }
};

std::unique_ptr<nghttp2_option, free_option> option_of(const session_settings& settings) {
  nghttp2_option* made = nullptr;
  if (nghttp2_option_new(&made) != 0) throw std::bad_alloc();
  std::unique_ptr<nghttp2_option, free_option> option(made);
  nghttp2_option_set_no_auto_window_update(made, 1);
  nghttp2_option_set_no_closed_streams(made, 1);
  if (!settings.expects_preface) nghttp2_option_set_no_recv_client_magic(made, 1);
  nghttp2_option_set_max_outbound_ack(made, most_waiting_acknowledgements);
  nghttp2_option_set_max_continuations(made,
                                       std::max(usual_continuations, settings.max_header_list_size / of_a_frame + 1));
  nghttp2_option_set_max_send_header_block_length(made, most_head);
  // It would look at a clock. Resets are counted above, where the time comes from the loop.
  nghttp2_option_set_stream_reset_rate_limit(made, std::numeric_limits<std::uint64_t>::max(), 1);
  return option;
}

}  // namespace

session::session(session_events& to, session_role role, const session_settings& settings)
    : parts_(std::make_unique<parts>(to, role, settings)) {
  nghttp2_session_callbacks* made = nullptr;
  if (nghttp2_session_callbacks_new(&made) != 0) throw std::bad_alloc();
  const std::unique_ptr<nghttp2_session_callbacks, free_callbacks> callbacks(made);
  nghttp2_session_callbacks_set_on_begin_headers_callback(made, &parts::headers_begin);
  nghttp2_session_callbacks_set_on_header_callback(made, &parts::header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(made, &parts::frame_received);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, &parts::data_received);
  nghttp2_session_callbacks_set_on_stream_close_callback(made, &parts::stream_closed);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, &parts::invalid_frame);
  nghttp2_session_callbacks_set_on_frame_send_callback(made, &parts::frame_sent);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(made, &parts::frame_not_sent);
  nghttp2_session_callbacks_set_send_data_callback(made, &parts::send_data);

  const bool is_server = role == session_role::server;
  const auto option = option_of(settings);
  nghttp2_mem memory = session_memory(parts_->out_of_memory);
  const auto create = is_server ? nghttp2_session_server_new3 : nghttp2_session_client_new3;
  if (create(&parts_->handle, made, parts_.get(), option.get(), &memory) != 0) throw std::bad_alloc();

  // The first five are for both.
  constexpr std::size_t of_client = 5;
  const std::array<nghttp2_settings_entry, 7> entries{{
      {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, settings.header_table_size},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.stream_window},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, settings.max_frame_size},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings.max_header_list_size},
      is_server ? nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.max_concurrent_streams}
                : nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  }};
  nghttp2_session* const handle = parts_->handle;
  if (nghttp2_submit_settings(handle, NGHTTP2_FLAG_NONE, entries.data(), is_server ? entries.size() : of_client) != 0 ||
      nghttp2_session_set_local_window_size(handle, NGHTTP2_FLAG_NONE, 0,
                                            static_cast<std::int32_t>(settings.connection_window)) != 0 ||
      parts_->out_of_memory) {
    throw std::bad_alloc();
  }
}

// What nghttp2 has failed in for lack of memory is not safe to free (session_memory.hpp). It stays as it is, for ever:
// a few kilobytes in a process that has none is the smaller evil.
session::~session() {
  static std::atomic<parts*> graveyard{nullptr};
  if (!parts_->must_not_be_freed) return;
  parts* const lost = parts_.release();
  lost->next = graveyard.load(std::memory_order_relaxed);
  while (!graveyard.compare_exchange_weak(lost->next, lost)) {
  }
}

bool session::receive(std::span<const std::byte> bytes) {
  const auto take = [this](std::span<const std::byte> whole) {
    const ssize_t outcome =
        nghttp2_session_mem_recv(parts_->handle, reinterpret_cast<const std::uint8_t*>(whole.data()), whole.size());
    parts_->judge(static_cast<int>(std::min<ssize_t>(outcome, 0)));
  };
  if (parts_->role == session_role::client) {
    if (!parts_->broken) take(bytes);
    return !parts_->broken;
  }
  const auto look_up = [handle = parts_->handle](stream_id id) {
    const bool is_there = nghttp2_session_get_stream_remote_close(handle, id) != -1;
    return is_there ? frame_watch::standing::open : frame_watch::standing::unknown;
  };
  while (!parts_->broken && !bytes.empty()) {
    const frame_watch::piece piece = parts_->watch.next(bytes, look_up);
    if (piece.error) {
      terminate(*piece.error);
      return true;
    }
    if (piece.is_idle && parts_->tell(event::control_frame) != 0) break;
    if (!piece.bytes.empty()) take(piece.bytes);
  }
  return !parts_->broken;
}

void session::send() {
  while (!parts_->broken && parts_->events.may_write()) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(parts_->handle, &bytes);
    parts_->judge(static_cast<int>(std::min<ssize_t>(size, 0)));
    if (size <= 0) break;
    parts_->events.write(bytes_of(bytes, static_cast<std::size_t>(size)));
  }
  if (parts_->broken) parts_->write_last_words();
}

bool session::wants_to_send() const noexcept {
  return parts_->broken ? !parts_->said_last_words : nghttp2_session_want_write(parts_->handle) != 0;
}

std::size_t session::waiting_frames() const noexcept { return nghttp2_session_get_outbound_queue_size(parts_->handle); }

bool session::finished() const noexcept {
  if (parts_->broken) return parts_->said_last_words;
  return nghttp2_session_want_read(parts_->handle) == 0 && nghttp2_session_want_write(parts_->handle) == 0;
}

void session::set_stream(stream_id id, session_stream* owner) noexcept {
  nghttp2_session_set_stream_user_data(parts_->handle, id, owner);
}

bool session::may_connect() const noexcept {
  return !parts_->broken && nghttp2_session_check_request_allowed(parts_->handle) != 0;
}

std::uint32_t session::peer_max_streams() const noexcept {
  return nghttp2_session_get_remote_settings(parts_->handle, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool session::peer_takes_extended_connect() const noexcept {
  return nghttp2_session_get_remote_settings(parts_->handle, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

stream_id session::connect(const extended_connect& to, const headers& fields, session_stream& owner) {
  if (parts_->broken) return 0;
  std::vector<nghttp2_nv> list;
  list.reserve(fields.size() + 5);
  list.push_back(field(":method", "CONNECT"));
  list.push_back(field(":protocol", to.protocol));
  list.push_back(field(":scheme", to.scheme));
  list.push_back(field(":path", to.path));
  list.push_back(field(":authority", to.authority));
  append_fields(list, fields);
  const nghttp2_data_provider provider{{.ptr = nullptr}, &parts::read_data};
  const stream_id begun = nghttp2_submit_request(parts_->handle, nullptr, list.data(), list.size(), &provider, &owner);
  parts_->judge(std::min(begun, 0));
  return std::max(begun, 0);
}

void session::respond(stream_id id, int status, const headers& fields, bool body_follows) {
  if (parts_->broken) return;
  std::array<char, 12> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), status);
  static_cast<void>(error);
  std::vector<nghttp2_nv> list;
  list.reserve(fields.size() + 1);
  list.push_back(field(":status", {digits.data(), static_cast<std::size_t>(end - digits.data())}));
  append_fields(list, fields);
  nghttp2_data_provider provider{{.ptr = nullptr}, &parts::read_data};
  parts_->judge(
      nghttp2_submit_response(parts_->handle, id, list.data(), list.size(), body_follows ? &provider : nullptr));
  // All streams take turns, whatever the peer says of their priorities.
  const nghttp2_extpri fair{NGHTTP2_EXTPRI_DEFAULT_URGENCY, 1};
  parts_->judge(nghttp2_session_change_extpri_stream_priority(parts_->handle, id, &fair, 1));
}

void session::inform(stream_id id, int status) {
  if (parts_->broken) return;
  const std::string digits = std::to_string(status);
  const nghttp2_nv line = field(":status", digits);
  parts_->judge(nghttp2_submit_headers(parts_->handle, NGHTTP2_FLAG_NONE, id, nullptr, &line, 1, nullptr));
}

void session::resume(stream_id id) {
  if (!parts_->broken) parts_->judge(nghttp2_session_resume_data(parts_->handle, id));
}

void session::reset(stream_id id, error_code why) {
  if (parts_->broken) return;
  parts_->judge(nghttp2_submit_rst_stream(parts_->handle, NGHTTP2_FLAG_NONE, id, static_cast<std::uint32_t>(why)));
}

void session::consume(stream_id id, std::size_t bytes) {
  if (!parts_->broken) parts_->judge(nghttp2_session_consume_stream(parts_->handle, id, bytes));
}

void session::ping() {
  if (!parts_->broken) parts_->judge(nghttp2_submit_ping(parts_->handle, NGHTTP2_FLAG_NONE, nullptr));
}

void session::announce_shutdown() {
  if (!parts_->broken) parts_->judge(nghttp2_submit_shutdown_notice(parts_->handle));
}

void session::shut_down() {
  if (parts_->broken) return;
  parts_->watch.note_shut_down();
  parts_->judge(nghttp2_submit_goaway(parts_->handle, NGHTTP2_FLAG_NONE,
                                      nghttp2_session_get_last_proc_stream_id(parts_->handle), NGHTTP2_NO_ERROR,
                                      nullptr, 0));
}

void session::terminate(error_code why) {
  if (parts_->broken) return;
  parts_->judge(nghttp2_session_terminate_session(parts_->handle, static_cast<std::uint32_t>(why)));
}

}  // namespace windhover::wire::http2
