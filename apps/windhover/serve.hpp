// windhover serve: a WebSocket echo on /ws, and files.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace windhover::tool {

// Adds the command; the returned function runs it, once the command line has been parsed.
std::function<int()> add_serve(CLI::App& app);

}  // namespace windhover::tool
