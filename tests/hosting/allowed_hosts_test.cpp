#include "hosting/allowed_hosts.hpp"

#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace windhover::hosting {
namespace {

TEST(allowed_hosts, fit_without_regard_to_case_and_port) {
  const allowed_hosts hosts({"example.com", "127.0.0.1", "[::1]", "localhost"});
  EXPECT_FALSE(hosts.any());
  for (const char* host : {"example.com", "EXAMPLE.com:8080", "127.0.0.1:5000", "[::1]", "[::1]:5000", "localhost:1"})
    EXPECT_TRUE(hosts.allows(host)) << host;
  for (const char* host : {"www.example.com", "example.com.evil.example", "notexample.com", "127.0.0.2", "[::2]:5000",
                           "example", "example.com.", "*"})
    EXPECT_FALSE(hosts.allows(host)) << host;
}

// HostFilteringMiddlewareTests.
TEST(allowed_hosts, a_wildcard_stands_for_subdomains_only) {
  const allowed_hosts hosts({"*.example.com"});
  EXPECT_TRUE(hosts.allows("www.example.com"));
  EXPECT_TRUE(hosts.allows("a.b.Example.com:443"));
  for (const char* host : {"example.com", ".example.com", "badexample.com", "example.com.evil.example"})
    EXPECT_FALSE(hosts.allows(host)) << host;
}

TEST(allowed_hosts, none_or_a_star_are_any) {
  for (const auto& entries : {std::vector<std::string>{}, {"*"}, {"example.com", "*"}}) {
    const allowed_hosts hosts(entries);
    EXPECT_TRUE(hosts.any());
    EXPECT_TRUE(hosts.allows("whatever.example"));
  }
}

TEST(allowed_hosts, a_request_without_a_host_passes) { EXPECT_TRUE(allowed_hosts({"example.com"}).allows("")); }

TEST(allowed_hosts, are_refused_by_name_when_they_are_none) {
  for (const char* wrong : {"", "example.com:80", "http://example.com", "a b", "*.*.example.com", "*.", "www.*",
                            "example.*", "::1", "[::1", "exa\nmple"}) {
    try {
      allowed_hosts({"example.com", wrong});
      ADD_FAILURE() << "'" << wrong << "' was taken";
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string_view(error.what()).find("no host to be allowed"), std::string_view::npos);
      EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos);
    }
  }
}

}  // namespace
}  // namespace windhover::hosting
