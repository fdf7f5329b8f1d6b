// How an application is run on a loop of somebody else's: in a simulation, and in the tests of its user.
#pragma once

#include <stop_token>

#include "hosting/counter_board.hpp"
#include "hosting/settings.hpp"
#include "hosting/stop_signal.hpp"
#include "http/exchange.hpp"
#include <windhover/logger.hpp>
#include <windhover/web_application.hpp>

namespace windhover::hosting {

// What a server needs of an application. Valid as long as the application.
struct application_parts {
  const settings& configured;
  logger& log;
  counter_board& counters;
  http::request_handler handler;
  const stop_signal& stop_requested;  // by web_application::stop()
  std::stop_source& stopping;         // to be stopped once nobody listens any more
};

struct application_access {
  // Checks what start() checks, and throws as it does. The application counts as started.
  static application_parts open(web_application& application);
  // It has ended. Unless all went well, what handlers that stay refer to is left behind with it.
  static void close(web_application& application, bool clean) noexcept;
};

}  // namespace windhover::hosting
