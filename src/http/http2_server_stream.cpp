#include "http/http2_server_stream.hpp"

#include "http/http2_server_connection.hpp"

namespace windhover::http {

http2_server_stream::http2_server_stream(http2_server_connection& of, wire::http2::stream_id id,
                                         const wire::http1::limits& bounds)
    : http2_stream(of, id), fields_(std::make_unique<wire::http2::request_fields>(bounds)) {}

void http2_server_stream::write_head(int status, headers fields) {
  if (closing()) return;
  head_ = std::make_unique<answer_head>(answer_head{status, std::move(fields)});
  loop().flush_later(*this);
}

void http2_server_stream::inform(int status) noexcept {
  informing_ = status;
  loop().flush_later(*this);
}

bool http2_server_stream::send_head(wire::http2::session& to) {
  if (!open_in_session()) return false;
  if (const int status = std::exchange(informing_, 0); status != 0 && !head_sent()) to.inform(id(), status);
  if (!head_) return false;
  const std::unique_ptr<answer_head> head = std::move(head_);
  const bool body_follows = !closing() || queued_bytes() > 0;
  to.respond(id(), head->status, head->fields, body_follows);
  note_head_sent();
  if (!body_follows) note_end_sent();
  return true;
}

}  // namespace windhover::http
