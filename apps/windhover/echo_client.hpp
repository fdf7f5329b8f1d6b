// windhover echo-client: an echo in the client's role, for servers that test clients.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace windhover::tool {

// Adds the command; the returned function runs it, once the command line has been parsed.
std::function<int()> add_echo_client(CLI::App& app);

}  // namespace windhover::tool
