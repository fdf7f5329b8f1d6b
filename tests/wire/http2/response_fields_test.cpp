#include "wire/http2/response_fields.hpp"

#include <string>

#include <gtest/gtest.h>

namespace windhover::wire::http2 {
namespace {

using http1::response_error;

TEST(response_fields, the_status_and_the_fields_become_a_head) {
  response_fields fields(http1::limits{});
  fields.add(":status", "404");
  fields.add("content-type", "text/plain");
  fields.add("x", "");
  const http1::response_head head = fields.take_head();
  EXPECT_EQ(fields.error(), std::nullopt);
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.reason, "");
  EXPECT_EQ(head.version, http1::http_version::http_2);
  EXPECT_EQ(head.fields.find("Content-Type"), "text/plain");
  EXPECT_EQ(head.fields.size(), 2U);
}

TEST(response_fields, a_head_behind_another_one_has_nothing_of_it) {
  response_fields fields(http1::limits{});
  fields.add(":status", "103");
  fields.add("link", "</a>");
  EXPECT_EQ(fields.take_head().status, 103);
  fields.add(":status", "200");
  const http1::response_head head = fields.take_head();
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.fields.size(), 0U);
}

TEST(response_fields, the_bounds_hold_for_all_heads_together_and_to_the_octet) {
  http1::limits bounds;
  bounds.header_bytes = 2 * (7 + 3 + 4) + 1 + 10 + 4;
  bounds.header_count = 1;
  for (const bool is_too_long : {false, true}) {
    response_fields fields(bounds);
    fields.add(":status", "103");
    static_cast<void>(fields.take_head());
    fields.add(":status", "200");
    fields.add("a", std::string(is_too_long ? 11 : 10, 'x'));
    EXPECT_EQ(fields.error(), is_too_long ? std::optional(response_error::head_too_large) : std::nullopt);
  }
  bounds.header_bytes = 1000;
  response_fields fields(bounds);
  fields.add(":status", "200");
  fields.add("a", "1");
  EXPECT_EQ(fields.error(), std::nullopt);
  fields.add("b", "2");
  EXPECT_EQ(fields.error(), response_error::too_many_headers);
}

}  // namespace
}  // namespace windhover::wire::http2
