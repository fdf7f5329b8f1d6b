// The application of the simulation: handlers of every shape that people write, which note what they see.
#pragma once

#include <span>
#include <string_view>

#include "journal.hpp"
#include <windhover/web_application.hpp>

namespace windhover::simulation {

// The paths of the WebSocket endpoints. Those of the first group do not close of their own accord.
std::span<const std::string_view> socket_paths() noexcept;

// Maps all of them, and the endpoints of HTTP. The journal must outlive the application.
void map_endpoints(web_application& application, journal& notes);

// What GET /pattern?size=N answers.
std::string pattern(std::size_t size);

}  // namespace windhover::simulation
