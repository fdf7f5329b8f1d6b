#include "http/http2_stream.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "http/http2_connection.hpp"

namespace windhover::http {

using wire::http2::error_code;

namespace {

// Smaller pieces are gathered, so that what a connection sends is not made of crumbs.
constexpr std::size_t gathered_piece = 1024;

}  // namespace

http2_stream::http2_stream(http2_connection& of, wire::http2::stream_id id)
    : layered_transport(of.below().loop(), net::flush_layer::stream),
      connection_(&of),
      id_(id),
      open_in_session_(id != 0) {
  of.add(*this);
}

http2_stream::~http2_stream() {
  release_drivers();
  if (connection_ != nullptr) connection_->remove(*this);
}

endpoint http2_stream::local_endpoint() const {
  return connection_ != nullptr ? connection_->below().local_endpoint() : endpoint{};
}
endpoint http2_stream::remote_endpoint() const {
  return connection_ != nullptr ? connection_->below().remote_endpoint() : endpoint{};
}
const tls_info* http2_stream::tls() const noexcept {
  return connection_ != nullptr ? connection_->below().tls() : nullptr;
}

void http2_stream::reset(error_code why) noexcept {
  if (dead()) return;
  reset_ = why;
  abort();
}

// ----- To the session

void http2_stream::flush() noexcept {
  connection_->guarded([this] { update_session(); });
}

void http2_stream::update_session() {
  wire::http2::session& session = connection_->session();
  if (dead()) {
    if (reset_ && std::exchange(open_in_session_, false)) {
      session.reset(id_, *reset_);
      connection_->flush_later();
    }
    return;
  }
  const bool said = send_head(session);
  if (!open_in_session_) return;
  if (!said && head_sent_ && !shut_down() && (queued_bytes() > 0 || closing())) session.resume(id_);
  if (!dead()) return_window();
  connection_->flush_later();
}

wire::http2::session_events::data http2_stream::next_data(std::size_t most) noexcept {
  if (dead()) return {};
  const std::size_t size = std::min(most, queued_bytes());
  end_offered_ = closing() && size == queued_bytes();
  return {size, end_offered_};
}

void http2_stream::write_data(std::size_t size) noexcept {
  net::transport& below = connection_->below();
  std::size_t left = size;
  std::size_t whole = 0;
  for (base::slice& each : queued_output()) {
    if (left == 0) break;
    const std::size_t count = std::min(left, each.size);
    left -= count;
    const bool all = count == each.size;
    if (count < gathered_piece) {
      below.queue_copy({each.data, count});
    } else {
      below.queue({each.owner, each.data, count});
    }
    if (all) {
      ++whole;
    } else {
      each.data += count;
      each.size -= count;
    }
  }
  output_handed_down(whole);
  output_taken(size);
  if (end_offered_) note_end_sent();
}

void http2_stream::note_end_sent() noexcept {
  note_shut_down();
  if (reading_paused()) tell_writable();
}

// ----- From the session

void http2_stream::take(std::span<const std::byte> bytes) noexcept {
  received_ += bytes.size();
  if (deliver(bytes)) loop().flush_later(*this);
}

void http2_stream::take_end() noexcept {
  end_received_ = true;
  if (!dead()) deliver_end();
}

// What the sink has taken meanwhile gives the peer room again.
void http2_stream::serve() noexcept {
  layered_transport::serve();
  if (!dead() && received_ - carried() > returned_) loop().flush_later(*this);
}

void http2_stream::return_window() {
  const std::size_t taken = received_ - carried();
  if (taken == returned_ || end_received_) return;
  connection_->session().consume(id_, taken - returned_);
  returned_ = taken;
}

void http2_stream::closed_by_session(error_code why) noexcept {
  open_in_session_ = false;
  closed_with_ = why;
  if (why == error_code::no_error && end_received_ && shut_down()) return;
  const net::failure reset{net::failure::cause::reset};
  die(&reset);
}

void http2_stream::connection_failed(const net::failure& why) noexcept {
  open_in_session_ = false;
  die(&why);
}

// The session has to know, unless it was the one to tell or both ends have been seen. RFC 8441, section 5: what an
// abort of TCP's is to a WebSocket, CANCEL is here.
void http2_stream::died(const net::failure* why) noexcept {
  if (why != nullptr && !reset_) reset_ = shut_down() ? error_code::no_error : error_code::cancel;
  if (open_in_session_ && reset_) loop().flush_later(*this);
  forget_head();
}

}  // namespace windhover::http
