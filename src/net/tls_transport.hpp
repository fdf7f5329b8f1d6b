// TLS as a transport that stands on another one.
//
// Records are opened from the span that arrives, without a copy of it, and what is queued leaves in as few records as
// it fits in, at the flush. The foot is what the transport below owns; the rest is an object of the loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "net/event_loop.hpp"
#include "net/layered_transport.hpp"
#include "net/timer.hpp"
#include "net/tls_context.hpp"
#include "net/transport.hpp"
#include <windhover/tls_info.hpp>

struct bio_method_st;  // OpenSSL's BIO_METHOD
struct bio_st;         // OpenSSL's BIO

namespace windhover::net {

// The driver to put on `below`. When the handshake has succeeded, `upper` makes the driver above TLS. Throws
// std::bad_alloc.
std::unique_ptr<driver> serve_tls(transport& below, const server_tls& with, event_loop::driver_factory upper);
// Connections with TLS, for listeners.
event_loop::driver_factory over_tls(std::shared_ptr<const server_tls> with, event_loop::driver_factory upper);

// In the client's role, to a host that is a name or an address. `upper` is asked at once; its driver may queue, and is
// told on_writable() when the handshake has succeeded.
std::unique_ptr<driver> connect_tls(transport& below, const client_tls& with, const std::string& host,
                                    const event_loop::driver_factory& upper);

}  // namespace windhover::net
