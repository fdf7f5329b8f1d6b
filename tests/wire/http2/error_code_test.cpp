#include "wire/http2/error_code.hpp"

#include <set>
#include <string_view>

#include <gtest/gtest.h>

namespace windhover::wire::http2 {
namespace {

TEST(error_code, has_the_names_of_the_standard) {
  EXPECT_EQ(describe(error_code::no_error), "NO_ERROR");
  EXPECT_EQ(describe(error_code::http_1_1_required), "HTTP_1_1_REQUIRED");
  EXPECT_EQ(describe(static_cast<error_code>(14)), "unknown");
  std::set<std::string_view> names;
  for (std::uint32_t code = 0; code <= 13; ++code) names.insert(describe(static_cast<error_code>(code)));
  EXPECT_EQ(names.size(), 14U);
}

}  // namespace
}  // namespace windhover::wire::http2
