// Each reason for a refusal has its status and its own text.
#include "wire/http1/request_error.hpp"

#include <set>
#include <string_view>

#include <gtest/gtest.h>

namespace windhover::wire::http1 {
namespace {

constexpr int number_of_errors = static_cast<int>(request_error::malformed_chunk) + 1;

TEST(RequestError, HasTheStatusThatAnswersIt) {
  EXPECT_EQ(status_of(request_error::malformed_request_line), 400);
  EXPECT_EQ(status_of(request_error::connect_not_supported), 400);
  EXPECT_EQ(status_of(request_error::missing_host), 400);
  EXPECT_EQ(status_of(request_error::malformed_chunk), 400);
  EXPECT_EQ(status_of(request_error::body_too_large), 413);
  EXPECT_EQ(status_of(request_error::request_line_too_long), 414);
  EXPECT_EQ(status_of(request_error::headers_too_large), 431);
  EXPECT_EQ(status_of(request_error::too_many_headers), 431);
  EXPECT_EQ(status_of(request_error::unknown_transfer_coding), 501);
  EXPECT_EQ(status_of(request_error::unsupported_version), 505);
}

TEST(RequestError, HasATextOfItsOwn) {
  std::set<std::string_view> texts;
  for (int error = 0; error != number_of_errors; ++error) {
    const std::string_view text = describe(static_cast<request_error>(error));
    EXPECT_TRUE(text.ends_with('.'));
    EXPECT_NE(text, "The request is malformed.");
    texts.insert(text);
  }
  EXPECT_EQ(texts.size(), static_cast<std::size_t>(number_of_errors));
}

}  // namespace
}  // namespace windhover::wire::http1
