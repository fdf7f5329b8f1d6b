// `windhover bench URL`: puts a load on a WebSocket server, and says how it bears it.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace windhover::tool {

// Adds the command and returns what runs it.
std::function<int()> add_bench(CLI::App& app);

}  // namespace windhover::tool
