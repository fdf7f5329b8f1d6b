// One HTTP/2 connection without I/O (RFC 9113), in either role: bytes in, events out; heads in, bytes out. nghttp2 does
// the framing, the compression of fields and the accounting of windows, and is seen in no header.
//
// nghttp2 forbids to be entered again. So what stands on a session calls it in two places only: receive() where bytes
// arrive and send() where output leaves. Everything else here is called between them, never from an event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "wire/http2/error_code.hpp"
#include <windhover/headers.hpp>

namespace windhover::wire::http2 {

using stream_id = std::int32_t;

// What a session remembers for each of its streams, and hands back with its events: the owner's object.
class session_stream {
 protected:
  ~session_stream() = default;
};

// What came from the peer that is worth counting, because nothing but the peer's good will limits it.
enum class event : std::uint8_t {
  reset,          // RST_STREAM: the peer gives a stream up
  control_frame,  // PING, SETTINGS, PRIORITY, unknown ones, or DATA without an octet that does not end its stream
  refused,        // a stream that was not begun, or ended by the session, for what the peer did
};

// Events of receive(); those under "Output", and on_stream_closed() too, of send(). None may call the session, but
// set_stream(). They may throw std::bad_alloc, which comes out of receive() or send(); the session is then broken.
class session_events {
 public:
  // In the server's role the head of a request begins, and its stream with it. False: there is no room, the stream is
  // refused.
  virtual bool on_headers_begin(stream_id id) = 0;
  // A field of a head, pseudo-header fields among them, as the peer wrote them. A server's session checks trailers and
  // drops them; a client's tells of every head on a stream: interim ones, the answer's, trailers.
  virtual void on_header(session_stream& of, std::string_view name, std::string_view value) = 0;
  // It is complete. The stream may end with it, of which on_stream_end() tells next.
  virtual void on_headers_end(session_stream& of, bool ends) = 0;
  // The connection's window has been given back for it already, the stream's has not.
  virtual void on_data(session_stream& of, std::span<const std::byte> bytes) = 0;
  // The peer has ended its side.
  virtual void on_stream_end(session_stream& of) = 0;
  // The session has forgotten the stream, because both sides have ended it or one has reset it.
  virtual void on_stream_closed(session_stream& of, error_code why) = 0;
  virtual void on_ping_answered() = 0;
  // The peer has said, perhaps not for the first time, what it allows.
  virtual void on_settings() {}
  // False: it was too much. The session ends at once, with ENHANCE_YOUR_CALM.
  virtual bool on_event(event what) = 0;

  // Output. How much of a stream's data may leave now, at most `most`, and whether the stream ends behind it. Nothing
  // and no end: the stream waits for resume().
  struct data {
    std::size_t size = 0;
    bool ends = false;
  };
  virtual data next_data(session_stream& of, std::size_t most) = 0;
  // Whether the layer below wants more. Asked before each frame of data.
  virtual bool may_write() const = 0;
  virtual void write(std::span<const std::byte> bytes) = 0;
  // The next `size` bytes of the stream's own queue, and its end if next_data() has said so.
  virtual void write_data(session_stream& of, std::size_t size) = 0;

 protected:
  ~session_events() = default;
};

enum class session_role : std::uint8_t { server, client };

struct session_settings {
  bool expects_preface = true;  // of a server; false: somebody else has read it
  std::uint32_t max_concurrent_streams = 100;
  std::uint32_t stream_window = 64U << 10;
  std::uint32_t connection_window = 1U << 20;
  std::uint32_t max_header_list_size = 32U << 10;
  std::uint32_t header_table_size = 4096;
  std::uint32_t max_frame_size = 16384;
};

// A request to leave HTTP for another protocol on its stream (RFC 8441, section 4).
struct extended_connect {
  std::string_view protocol;
  std::string_view scheme;
  std::string_view authority;
  std::string_view path;
};

class session {
 public:
  // The settings are the first output; a client's come behind the preface. Throws std::bad_alloc.
  session(session_events& to, session_role role, const session_settings& settings);
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session();

  // Takes all bytes. False: what came is no HTTP/2, or a flood; a GOAWAY that says so is the last output of send(), and
  // nothing else may be called. Throws std::bad_alloc.
  [[nodiscard]] bool receive(std::span<const std::byte> bytes);
  // Writes what is ready, as long as may_write(). Throws std::bad_alloc.
  void send();
  bool wants_to_send() const noexcept;
  // Frames that wait to be written, without those of data.
  std::size_t waiting_frames() const noexcept;
  // A GOAWAY was sent or has come, and no stream is left.
  bool finished() const noexcept;

  // Null: events of the stream are nobody's business any more.
  void set_stream(stream_id id, session_stream* owner) noexcept;

  // Of a client: whether another stream may be begun. Not after a GOAWAY, nor when there are no numbers left.
  bool may_connect() const noexcept;
  // What the peer allows, before its settings have come what the standard says.
  std::uint32_t peer_max_streams() const noexcept;
  bool peer_takes_extended_connect() const noexcept;

  // What follows throws std::bad_alloc. Streams that have gone meanwhile are no mistake. Of fields those are left out
  // that concern a connection of HTTP/1.1 (RFC 9113, section 8.2.2).

  // Of a client: begins a stream. on_headers_end() tells of the answer, and next_data() will be asked. Where the
  // peer has ended the connection meanwhile, the stream is closed as refused.
  stream_id connect(const extended_connect& to, const headers& fields, session_stream& owner);
  // The answer's head. `body_follows`: next_data() will be asked; otherwise the stream ends here.
  void respond(stream_id id, int status, const headers& fields, bool body_follows);
  // An answer that is not the last, such as 100.
  void inform(stream_id id, int status);
  // next_data() has something again.
  void resume(stream_id id);
  void reset(stream_id id, error_code why);
  // Gives credit back to the peer.
  void consume(stream_id id, std::size_t bytes);
  void ping();
  // GOAWAY in two steps (RFC 9113, section 6.8): the first one lets requests that are under way still arrive.
  void announce_shutdown();
  void shut_down();
  // GOAWAY for a peer that broke a rule; streams end with it.
  void terminate(error_code why);

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace windhover::wire::http2
