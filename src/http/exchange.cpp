#include "http/exchange.hpp"

#include <charconv>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "http/request_failure.hpp"
#include "wire/http1/target.hpp"

namespace windhover {

// ----- http_request

std::string_view http_request::path_part() const noexcept { return wire::http1::split_target(target_).path; }
std::string_view http_request::query() const noexcept { return wire::http1::split_target(target_).query; }

std::optional<std::string> http_request::query_value(std::string_view name) const {
  return wire::http1::query_value(query(), name);
}

http_request::read_awaiter http_request::read(std::span<std::byte> into) noexcept { return {*backend_, into}; }

bool http_request::read_awaiter::await_ready() const noexcept { return into_.empty() || from_.reading_is_done(); }
bool http_request::read_awaiter::await_suspend(std::coroutine_handle<> waiter) {
  return from_.start_reading(into_, waiter);
}
std::size_t http_request::read_awaiter::await_resume() const { return into_.empty() ? 0 : from_.body_read(); }

task<std::string> http_request::read_all(std::size_t limit) {
  constexpr std::size_t piece = 16384;
  const bool too_long = content_length_ && *content_length_ > limit;
  std::string body;
  // A client that waits to be told to continue need not send it at all.
  while (!too_long) {
    const std::size_t before = body.size();
    body.resize(before + piece);
    const std::size_t count = co_await read(std::as_writable_bytes(std::span(body).subspan(before)));
    body.resize(before + count);
    if (count == 0) co_return body;
    if (body.size() > limit) break;
  }
  throw bad_http_request(413, "the request body is longer than the " + std::to_string(limit) + " bytes that are read");
}

// ----- http_response

void http_response::require_not_started(const char* what) const {
  if (started_) throw std::logic_error(std::string(what) + " cannot be set because the response has already started");
}

void http_response::status(int code) {
  if (code < 200 || code > 599) throw std::invalid_argument("a response has a status from 200 to 599");
  require_not_started("the status");
  status_ = code;
  touched_ = true;
}

void http_response::header(std::string_view name, std::string_view value) {
  require_not_started("a header");
  headers_.set(name, value);
}

void http_response::add_header(std::string_view name, std::string_view value) {
  require_not_started("a header");
  headers_.add(name, value);
}

void http_response::remove_header(std::string_view name) {
  require_not_started("a header");
  headers_.erase(name);
}

void http_response::reset() {
  require_not_started("everything");
  headers_.clear();
  body_.clear();
  written_ = 0;
  announced_.reset();
  status_ = 200;
  touched_ = false;
}

std::optional<std::uint64_t> http_response::announced_length() const {
  const auto text = headers_.find("Content-Length");
  if (!text) return std::nullopt;
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), length);
  if (error != std::errc() || end != text->data() + text->size() || headers_.count("Content-Length") > 1) {
    throw std::logic_error("the Content-Length that was set is not one number: '" + headers_.joined("Content-Length") +
                           "'");
  }
  return length;
}

void http_response::require_within_length(std::uint64_t written) const {
  if (!announced_ || written <= *announced_) return;
  throw std::logic_error("more was written to the response than its Content-Length of " + std::to_string(*announced_));
}

http_response::write_awaiter http_response::write(std::span<const std::byte> bytes) {
  if (upgraded_) throw std::logic_error("cannot write to the response after the connection was upgraded");
  if (finished_) throw std::logic_error("cannot write to the response: it has been sent");
  touched_ = true;
  if (!started_) announced_ = announced_length();
  require_within_length(written_ + bytes.size());
  written_ += bytes.size();
  if (!started_ && body_.size() + bytes.size() <= gathered) {
    body_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return write_awaiter(*backend_);
  }
  if (!started_) start(false);
  if (sends_body_ && !bytes.empty()) backend_->write_body(bytes);
  return write_awaiter(*backend_);
}

http_response::write_awaiter http_response::write(std::string_view text) {
  return write(std::as_bytes(std::span(text)));
}

http_response::write_awaiter http_response::flush() {
  if (!started_ && !upgraded_) start(false);
  return write_awaiter(*backend_);
}

bool http_response::write_awaiter::await_ready() const noexcept { return to_.writable(); }
void http_response::write_awaiter::await_suspend(std::coroutine_handle<> waiter) { to_.wait_writable(waiter); }
bool http_response::write_awaiter::await_resume() const noexcept { return to_.connected(); }

// 204 and 304 have no body (RFC 9110, sections 15.3.5 and 15.4.5); after HEAD it is left out.
void http_response::start(bool body_is_complete) {
  const bool leaves_http = !backend_->may_have_body(status_);
  if (leaves_http && written_ > 0) {
    throw std::logic_error("a response to CONNECT with status " + std::to_string(status_) +
                           " has no body: accept the request, or answer it with another status");
  }
  const bool never_has_body = leaves_http || status_ == 204 || status_ == 304;
  announced_ = announced_length();
  // The length may have been set after the writes.
  require_within_length(written_);
  sends_body_ = !never_has_body && backend_->wants_body();
  using http::response_framing;
  response_framing framing = response_framing::none;
  if (!never_has_body) {
    if (announced_) {
      framing = response_framing::content_length;
    } else if (body_is_complete) {
      headers_.set("Content-Length", std::to_string(body_.size()));
      framing = response_framing::content_length;
    } else {
      framing = response_framing::streamed;
    }
  }
  backend_->write_head(status_, headers_, framing);
  started_ = true;
  headers_.clear();
  const std::string gathered_body = std::exchange(body_, {});
  if (sends_body_ && !gathered_body.empty()) backend_->write_body(std::as_bytes(std::span(gathered_body)));
}

void http_response::finish() {
  if (finished_ || upgraded_) return;
  if (!started_) start(true);
  finished_ = true;
  // HEAD may announce a length and write nothing.
  if (sends_body_ && announced_ && written_ < *announced_) {
    backend_->break_off();
  } else {
    backend_->end_body();
  }
}

}  // namespace windhover

namespace windhover::http {
namespace {

std::string_view name_of(wire::http1::http_version version) noexcept {
  switch (version) {
    case wire::http1::http_version::http_1_0:
      return "HTTP/1.0";
    case wire::http1::http_version::http_1_1:
      return "HTTP/1.1";
    case wire::http1::http_version::http_2:
      return "HTTP/2";
  }
  return {};
}

}  // namespace

exchange::exchange(exchange_backend& backend, wire::http1::request_head head)
    : backend_(backend), request_(backend), response_(backend) {
  request_.method_ = std::move(head.method);
  request_.target_ = std::move(head.target);
  request_.headers_ = std::move(head.fields);
  connect_protocol_ = std::move(head.protocol);
  request_.protocol_ = name_of(head.version);
  request_.is_encrypted_ = backend.transport().tls() != nullptr;
  request_.has_body_ = head.framing == wire::http1::body_framing::chunked ||
                       (head.framing == wire::http1::body_framing::content_length && head.content_length > 0);
  if (head.framing != wire::http1::body_framing::chunked) request_.content_length_ = head.content_length;
  const std::string_view raw = request_.path_part();
  auto decoded = wire::http1::percent_decode_path(raw);
  if (!decoded) throw bad_http_request(400, "the path of the request has a malformed percent-encoding");
  if (*decoded != raw) request_.decoded_path_ = std::move(*decoded);
}

exchange::~exchange() {
  if (watched_ != nullptr) *watched_ = nullptr;
}

const endpoint& exchange::remote_endpoint() {
  if (!remote_) remote_ = std::make_unique<endpoint>(transport().remote_endpoint());
  return *remote_;
}

const endpoint& exchange::local_endpoint() {
  if (!local_) local_ = std::make_unique<endpoint>(transport().local_endpoint());
  return *local_;
}

void exchange::upgrade(std::unique_ptr<net::driver> successor) {
  if (upgraded_) throw std::logic_error("the connection has been upgraded already, which can be done once");
  if (!backend_.connected())
    throw bad_http_request(http::client_gone, "the client went before the connection could be upgraded");
  if (!backend_.upgradable()) throw std::logic_error("the request cannot be upgraded: it does not ask for it");
  response_.require_not_started("the upgrade");
  std::optional<net::place> entered = backend_.enter_upgraded();
  if (!entered) {
    throw bad_http_request(503, "the server has as many upgraded connections as it may have; try again later");
  }
  // Whatever this throws, the request can still be answered.
  backend_.write_upgrade_head(response_.status_, response_.headers_);
  upgraded_ = true;
  response_.started_ = true;
  response_.upgraded_ = true;
  response_.headers_.clear();
  backend_.transport().keep(std::move(*entered));
  backend_.upgrade(std::move(successor));
}

void exchange::shrink(bool keep_headers) {
  if (keep_headers) {
    request_.headers_.shrink();
  } else {
    request_.headers_.clear();
  }
}

std::stop_token exchange::aborted() {
  if (!aborted_) {
    aborted_.emplace();
    if (was_aborted_) aborted_->request_stop();
  }
  return aborted_->get_token();
}

void exchange::note_aborted() noexcept {
  if (std::exchange(was_aborted_, true)) return;
  // What is stopped may take the exchange with it.
  if (aborted_) request_stop_outliving(*aborted_);
}

void exchange::finish() { response_.finish(); }

}  // namespace windhover::http
