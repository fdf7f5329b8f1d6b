#include "http/server_connection.hpp"

#include "http/http1_connection.hpp"
#include "http/http2_server_connection.hpp"

namespace windhover::http {

std::unique_ptr<net::driver> make_server_connection(net::transport& on, server_context& shared, http_protocols spoken) {
  const tls_info* const agreed = on.tls();
  const bool agreed_on_http2 = agreed != nullptr && agreed->application_protocol == "h2";
  if (agreed_on_http2 || spoken == http_protocols::http2) {
    return std::make_unique<http2_server_connection>(on, shared, http2_server_connection::preface::expected);
  }
  return std::make_unique<http1_connection>(on, shared, spoken);
}

}  // namespace windhover::http
