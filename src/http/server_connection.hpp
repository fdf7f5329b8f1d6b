// The choice between the versions of HTTP that a listener speaks.
#pragma once

#include <memory>

#include "http/server_options.hpp"
#include "net/transport.hpp"
#include <windhover/http_protocols.hpp>

namespace windhover::http {

// The driver for a connection that a client has opened. Where both versions are spoken and nothing was agreed on
// (ALPN), the first bytes decide. Throws std::bad_alloc.
std::unique_ptr<net::driver> make_server_connection(net::transport& on, server_context& shared, http_protocols spoken);

}  // namespace windhover::http
