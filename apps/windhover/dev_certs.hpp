// windhover dev-certs: a certificate for https on this machine, with the options of `dotnet dev-certs https`.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace windhover::tool {

// Adds the command; the returned function runs it, once the command line has been parsed.
std::function<int()> add_dev_certs(CLI::App& app);

}  // namespace windhover::tool
