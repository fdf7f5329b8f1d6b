// The text of the configuration error that a call throws, for tests that compare it whole.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include <windhover/configuration.hpp>

namespace windhover::hosting {

// Fails the test when the call does not throw.
template <typename Call>
std::string error_text(Call call) {
  try {
    call();
  } catch (const configuration_error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no configuration_error was thrown";
  return {};
}

}  // namespace windhover::hosting
