#include "hosting/route_table.hpp"

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace windhover::hosting {
namespace {

// An endpoint that can be told from others.
struct named_endpoint {
  std::string name;
  task<> operator()(http_context&) const { co_return; }
};

class RouteTable : public ::testing::Test {
 protected:
  void add(std::string_view pattern, std::vector<std::string> methods = {}) {
    const std::string name = methods.empty() ? std::string(pattern) : methods.front() + " " + std::string(pattern);
    table.add(std::move(methods), pattern, named_endpoint{name});
  }
  // The endpoint that a request finds: its name, or "" for none.
  std::string find(std::string_view path, std::string_view method = "GET") {
    found = table.find(method, path);
    return found.endpoint == nullptr ? "" : found.endpoint->target<named_endpoint>()->name;
  }
  std::string value(std::string_view name) const {
    for (const auto& [each, text] : found.route_values) {
      if (each == name) return text;
    }
    return "(none)";
  }
  std::string refusal(std::string_view pattern, std::vector<std::string> methods = {}) {
    try {
      add(pattern, std::move(methods));
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  }

  route_table table;
  route_table::match found;
};

TEST_F(RouteTable, AnEmptyTableFindsNothing) {
  EXPECT_EQ(find("/"), "");
  EXPECT_EQ(found.allowed, "");
}

TEST_F(RouteTable, LiteralsCompareWithoutRegardToCase) {
  add("/Rooms/List");
  EXPECT_EQ(find("/Rooms/List"), "/Rooms/List");
  EXPECT_EQ(find("/rooms/LIST"), "/Rooms/List");
  EXPECT_EQ(find("/rooms"), "");
  EXPECT_EQ(find("/rooms/list/more"), "");
  EXPECT_EQ(find("/rooms/listing"), "");
}

TEST_F(RouteTable, TheRootIsAPattern) {
  add("/");
  EXPECT_EQ(find("/"), "/");
  EXPECT_EQ(find("//"), "");
  EXPECT_EQ(find("/a"), "");
}

TEST_F(RouteTable, ASlashAtTheEndDoesNotCount) {
  add("/a");
  add("/b/");
  EXPECT_EQ(find("/a/"), "/a");
  EXPECT_EQ(find("/b"), "/b/");
  EXPECT_EQ(find("/b/"), "/b/");
  EXPECT_EQ(find("/a//"), "");
}

TEST_F(RouteTable, APartTakesOneSegmentThatIsNotEmpty) {
  add("/rooms/{id}/users/{user}");
  EXPECT_EQ(find("/rooms/7/users/Ann"), "/rooms/{id}/users/{user}");
  EXPECT_EQ(value("id"), "7");
  EXPECT_EQ(value("user"), "Ann");
  EXPECT_EQ(find("/rooms//users/Ann"), "");
  EXPECT_EQ(find("/rooms/7/8/users/Ann"), "");
  EXPECT_EQ(find("/rooms/7/users"), "");
  EXPECT_EQ(find("/rooms/7/users/"), "");
}

TEST_F(RouteTable, TheRestTakesEverythingAndMayBeEmpty) {
  add("/files/{*path}");
  EXPECT_EQ(find("/files/a/b.txt"), "/files/{*path}");
  EXPECT_EQ(value("path"), "a/b.txt");
  EXPECT_EQ(find("/files/"), "/files/{*path}");
  EXPECT_EQ(value("path"), "");
  EXPECT_EQ(find("/files"), "/files/{*path}");
  EXPECT_EQ(value("path"), "");
  EXPECT_EQ(find("/filesystem"), "");
}

TEST_F(RouteTable, TheMostLiteralPatternWinsWhateverTheOrder) {
  add("/{*rest}");
  add("/{area}/{id}");
  add("/rooms/{id}");
  add("/rooms/lobby");
  add("/{area}/lobby");
  EXPECT_EQ(find("/rooms/lobby"), "/rooms/lobby");
  EXPECT_EQ(find("/rooms/7"), "/rooms/{id}");
  EXPECT_EQ(find("/halls/lobby"), "/{area}/lobby");
  EXPECT_EQ(find("/halls/7"), "/{area}/{id}");
  EXPECT_EQ(find("/halls/7/8"), "/{*rest}");
  EXPECT_EQ(find("/"), "/{*rest}");
}

TEST_F(RouteTable, ValuesOfAPatternThatDidNotFitAreForgotten) {
  add("/{a}/{b}/end");
  add("/{*rest}");
  EXPECT_EQ(find("/1/2/other"), "/{*rest}");
  EXPECT_EQ(found.route_values.size(), 1U);
  EXPECT_EQ(value("rest"), "1/2/other");
}

TEST_F(RouteTable, TheMethodChoosesAmongEndpointsOfOnePath) {
  add("/room", {"GET", "HEAD"});
  add("/room", {"POST"});
  EXPECT_EQ(find("/room", "GET"), "GET /room");
  EXPECT_EQ(find("/room", "HEAD"), "GET /room");
  EXPECT_EQ(find("/room", "POST"), "POST /room");
  EXPECT_EQ(find("/room", "DELETE"), "");
  EXPECT_EQ(found.allowed, "GET, HEAD, POST");
  // Methods are case-sensitive (RFC 9110, section 9.1).
  EXPECT_EQ(find("/room", "get"), "");
}

TEST_F(RouteTable, ALessLiteralPatternWithTheMethodIsFound) {
  add("/rooms/lobby", {"POST"});
  add("/rooms/{id}", {"GET"});
  EXPECT_EQ(find("/rooms/lobby", "GET"), "GET /rooms/{id}");
}

TEST_F(RouteTable, EveryMethodIsAllowedOnce) {
  add("/rooms/lobby", {"GET", "HEAD"});
  add("/rooms/{id}", {"GET", "PUT"});
  EXPECT_EQ(find("/rooms/lobby", "DELETE"), "");
  EXPECT_EQ(found.allowed, "GET, HEAD, PUT");
  EXPECT_EQ(find("/elsewhere", "DELETE"), "");
  EXPECT_EQ(found.allowed, "");
}

TEST_F(RouteTable, OptionsForTheWholeServerIsNoPath) {
  add("/");
  add("/{*rest}", {"GET"});
  EXPECT_EQ(find("*", "OPTIONS"), "");
  EXPECT_EQ(found.allowed, "");
}

TEST_F(RouteTable, BadPatternsAreRefusedWithAReason) {
  const std::vector<std::pair<std::string, std::string>> table_of_patterns{
      {"", "the route pattern '' must begin with a slash"},
      {"rooms", "the route pattern 'rooms' must begin with a slash"},
      {"/{id", "the route pattern '/{id' has a { without its } in the same segment"},
      {"/{id/more}", "the route pattern '/{id/more}' has a { without its } in the same segment"},
      {"/id}", "the route pattern '/id}' mixes text and { } in one segment"},
      {"/a{id}", "the route pattern '/a{id}' mixes text and { } in one segment"},
      {"/{id}a", "the route pattern '/{id}a' has a { without its } in the same segment"},
      {"/{}", "the route pattern '/{}' has a part without a proper name"},
      {"/{*}", "the route pattern '/{*}' has a part without a proper name"},
      {"/{a}{b}", "the route pattern '/{a}{b}' has a part without a proper name"},
      {"/{**all}", "the route pattern '/{**all}' has a part without a proper name"},
      {"/{*rest}/end", "the route pattern '/{*rest}/end' goes on after {*...}"},
      {"/{id}/{id}", "the route pattern '/{id}/{id}' has two parts of the same name"},
      {"/{id}/{ID}", "the route pattern '/{id}/{ID}' has two parts of the same name"},
      {"/ws?room=1", "the route pattern '/ws?room=1' has a query; read it with query_value()"},
  };
  for (const auto& [pattern, reason] : table_of_patterns) EXPECT_EQ(refusal(pattern), reason);
  EXPECT_EQ(find("/ws"), "");
}

TEST_F(RouteTable, APatternWithoutAHandlerIsRefused) {
  EXPECT_THROW(table.add({}, "/a", nullptr), std::invalid_argument);
}

TEST_F(RouteTable, TwoPatternsForTheSamePathsAreRefused) {
  add("/rooms/{id}", {"GET"});
  for (const char* same : {"/rooms/{id}", "/Rooms/{id}", "/rooms/{name}", "/rooms/{id}/"}) {
    EXPECT_EQ(refusal(same, {"POST", "GET"}), "the route pattern '" + std::string(same) + "' is mapped already");
    EXPECT_EQ(refusal(same), "the route pattern '" + std::string(same) + "' is mapped already");
  }
  EXPECT_EQ(refusal("/rooms/{id}", {"POST"}), "");
  EXPECT_EQ(refusal("/rooms/{*id}", {"GET"}), "");
  EXPECT_EQ(refusal("/rooms/id", {"GET"}), "");
}

TEST_F(RouteTable, AnEndpointForEveryMethodSharesItsPathWithNobody) {
  add("/a");
  EXPECT_EQ(refusal("/a", {"GET"}), "the route pattern '/a' is mapped already");
}

}  // namespace
}  // namespace windhover::hosting
