// Opening the connections of a load: the name is resolved once, and each of them connects and shakes hands.
#pragma once

#include <memory>
#include <stdexcept>
#include <stop_token>
#include <vector>

#include "load/load_connection.hpp"
#include "load/load_options.hpp"
#include "net/address.hpp"
#include "net/event_loop.hpp"
#include "net/tls_context.hpp"
#include "wire/websocket/url.hpp"
#include <windhover/task.hpp>

namespace windhover::load {

// Why a load could not be put on, or did not come to its end.
struct load_failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct load_target {
  wire::websocket_url url;
  std::vector<net::address> addresses;
  std::shared_ptr<const net::client_tls> tls = nullptr;  // of wss
};

// Throws load_failure, std::invalid_argument. Thread: the loop's.
task<load_target> find_target(net::event_loop& loop, const load_options& options, std::stop_token stop);

// Opens a connection, which the loop owns, and which `tells` is told of. Throws load_failure, also when it is stopped.
// Thread: the loop's.
task<> open_connection(net::event_loop& loop, const load_target& to, const load_options& options,
                       load_connection::settings with, load_connection::listener& tells, std::stop_token stop);

}  // namespace windhover::load
