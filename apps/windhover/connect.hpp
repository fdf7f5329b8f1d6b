// windhover connect: a WebSocket from the command line, by hand or in a pipe.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace windhover::tool {

// Adds the command; the returned function runs it, once the command line has been parsed.
std::function<int()> add_connect(CLI::App& app);

}  // namespace windhover::tool
