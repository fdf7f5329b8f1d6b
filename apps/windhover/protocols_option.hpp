// The option --protocols, which servers and clients of the tool have.
#pragma once

#include <map>
#include <string>

#include <CLI/CLI.hpp>

#include <windhover/http_protocols.hpp>

namespace windhover::tool {

inline void add_protocols_option(CLI::App& command, http_protocols& to, const std::string& who_chooses) {
  const std::map<std::string, http_protocols> known = {{"http1", http_protocols::http1},
                                                       {"http2", http_protocols::http2},
                                                       {"http1-and-http2", http_protocols::http1_and_http2}};
  command.add_option("--protocols", to, "The versions of HTTP: http1, http2, or http1-and-http2, where " + who_chooses)
      ->transform(CLI::CheckedTransformer(known).description(""));
}

}  // namespace windhover::tool
