// A failure of the operating system as an exception.
#pragma once

#include <string>
#include <system_error>

namespace windhover::base {

// `error`: an errno. `what`: what was tried.
[[noreturn]] inline void throw_system_error(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

}  // namespace windhover::base
