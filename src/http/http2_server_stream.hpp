// A stream that a client has begun with a request.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "http/http2_stream.hpp"
#include "wire/http2/request_fields.hpp"
#include <windhover/headers.hpp>

namespace windhover::http {

class http2_server_connection;

class http2_server_stream final : public http2_stream {
 public:
  http2_server_stream(http2_server_connection& of, wire::http2::stream_id id, const wire::http1::limits& bounds);

  // For the request on it. The head of the answer leaves with the next flush, an interim one before it.
  void write_head(int status, headers fields);
  void inform(int status) noexcept;
  // The whole answer has been handed to the session.
  bool answered() const noexcept { return shut_down(); }

  // For the connection, while the head arrives.
  void add_field(std::string_view name, std::string_view value) { fields_->add(name, value); }
  std::unique_ptr<wire::http2::request_fields> take_fields() noexcept { return std::move(fields_); }

 private:
  struct answer_head {
    int status;
    headers fields;
  };

  // http2_stream
  bool send_head(wire::http2::session& to) override;
  void forget_head() noexcept override { head_.reset(); }

  std::unique_ptr<wire::http2::request_fields> fields_;
  std::unique_ptr<answer_head> head_;  // until it has been handed to the session
  int informing_ = 0;                  // the status of an interim answer that is due
};

}  // namespace windhover::http
