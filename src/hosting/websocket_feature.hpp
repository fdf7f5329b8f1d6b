// What use_websockets puts on every request: the options, checked, and the switch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hosting/settings.hpp"
#include "websocket/accept.hpp"
#include <windhover/websocket_options.hpp>

namespace windhover::hosting {

struct websocket_feature {
  websocket_options options;
  shared_websocket_settings settings;
  compression_settings compression;
  std::vector<websocket_path_switch> paths;  // the most specific first

  // The options of the code, with those that the configuration names in their place. Throws std::invalid_argument for
  // what is wrong in the code, configuration_error for what is wrong in the configuration.
  static websocket_feature make(websocket_options from_code, const configuration& whole,
                                const hosting::websocket_settings& configured);

  // Whether WebSockets are switched on for a path: the most specific switch decides, then the general one.
  bool enabled_for(std::string_view path) const noexcept;
};

}  // namespace windhover::hosting
