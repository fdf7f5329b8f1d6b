#include "http/http2_client_connection.hpp"

#include <algorithm>
#include <utility>

#include "http/http2_client_pool.hpp"
#include "http/http2_client_stream.hpp"
#include "net/stop_on_loop.hpp"

namespace windhover::http {
namespace {

using failure = client_outcome::failure;

http2_client_stream& stream_of(wire::http2::session_stream& of) { return static_cast<http2_client_stream&>(of); }

http2_options options_of(const http2_client_options& options) {
  http2_options made;
  made.stream_window = options.stream_window;
  made.ping_delay = options.ping_delay;
  made.ping_timeout = options.ping_timeout;
  return made;
}

wire::http2::session_settings settings_of(const http2_client_options& options) {
  wire::http2::session_settings made = session_settings_of(options_of(options));
  made.max_header_list_size = static_cast<std::uint32_t>(options.header_bytes);
  return made;
}

}  // namespace

// Keeps the connection for the coroutine that waits.
class http2_client_connection::waiting {
 public:
  explicit waiting(http2_client_connection& of) noexcept : of_(of) { of_.waited_for_ = true; }
  waiting(const waiting&) = delete;
  waiting& operator=(const waiting&) = delete;
  ~waiting() {
    of_.waited_for_ = false;
    of_.flush_later();
    if (of_.over()) of_.below().driver_finished();
  }

 private:
  http2_client_connection& of_;
};

http2_client_connection::http2_client_connection(net::transport& below, const http2_client_options& options)
    : http2_connection(below, wire::http2::session_role::client, settings_of(options), options_of(options)),
      max_streams_(options.max_streams) {}

http2_client_connection::~http2_client_connection() { leave_pool(); }

task<client_outcome> http2_client_connection::opened(std::stop_token stop) {
  const waiting here(*this);
  const net::stop_on_loop<http2_client_connection> stopping(below().loop(), std::move(stop), *this);
  client_answer::awaiter answer = answer_.coming();
  co_await answer;
  co_return answer_.take();
}

std::size_t http2_client_connection::room() const noexcept {
  if (over() || leaving_ || is_silent() || !takes_connects() || !session().may_connect()) return 0;
  const std::size_t most = std::min<std::size_t>(max_streams_, session().peer_max_streams());
  return most - std::min(most, streams());
}

void http2_client_connection::drain() noexcept {
  if (streams() == 0) below().abort();
}

std::string http2_client_connection::describe() const {
  return "an HTTP/2 connection to " + below().remote_endpoint().to_string();
}

// ----- The pool

void http2_client_connection::join(std::shared_ptr<http2_client_pool> pool, std::string destination) {
  destination_ = std::move(destination);
  pool->add(destination_, *this);
  pool_ = std::move(pool);
}

void http2_client_connection::leave_pool() noexcept {
  if (pool_) pool_->remove(destination_, *this);
  pool_.reset();
}

// ----- The life of it

// Nobody needs it any more.
void http2_client_connection::update_session() {
  if (streams() > 0 || waited_for_ || std::exchange(leaving_, true)) return;
  leave_pool();
  session().shut_down();
}

void http2_client_connection::on_over(const net::failure& why) noexcept {
  leave_pool();
  // Where the connection has not failed, it was what came that ended it.
  if (heard() && current_state() == state::lingering)
    answer_.fail(failure::malformed, "what the server says does not begin as HTTP/2 does");
  answer_.fail(why);
}

// ----- From the session

void http2_client_connection::on_settings() {
  note_open();
  if (!answer_.given()) answer_.give();
}

// A server that refuses a stream has room for no more than the others, whatever it has announced: it may still count
// those that have ended here.
void http2_client_connection::on_stream_closed(wire::http2::session_stream& of, wire::http2::error_code why) {
  if (why == wire::http2::error_code::refused_stream) max_streams_ = std::min(max_streams_, streams() - 1);
  http2_connection::on_stream_closed(of, why);
}

void http2_client_connection::on_header(wire::http2::session_stream& of, std::string_view name,
                                        std::string_view value) {
  stream_of(of).add_field(name, value);
}

void http2_client_connection::on_headers_end(wire::http2::session_stream& of, bool ends) {
  stream_of(of).take_head(ends);
}

}  // namespace windhover::http
