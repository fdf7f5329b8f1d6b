#include "http/http2_client_stream.hpp"

#include <utility>

#include "http/http2_client_connection.hpp"
#include "http/http2_client_request.hpp"

namespace windhover::http {

http2_client_stream::http2_client_stream(http2_client_connection& of) : http2_stream(of, 0) {}

void http2_client_stream::ask(connect_request request, http2_client_request& asking) {
  asking_ = &asking;
  request_ = std::make_unique<connect_request>(std::move(request));
  loop().flush_later(*this);
}

void http2_client_stream::add_field(std::string_view name, std::string_view value) {
  if (asking_ != nullptr) asking_->add_field(name, value);
}

void http2_client_stream::take_head(bool ends) noexcept {
  if (asking_ != nullptr) asking_->take_head(ends);
}

bool http2_client_stream::send_head(wire::http2::session& to) {
  if (!request_) return false;
  const std::unique_ptr<connect_request> request = std::move(request_);
  const wire::http2::extended_connect head{request->protocol, request->scheme, request->authority, request->path};
  begun(to.connect(head, request->fields, *this));
  note_head_sent();
  return true;
}

}  // namespace windhover::http
