// Which requests are accepted: their form, their origin, their sub-protocols. The cases of ASP.NET Core's tests have
// the names they have there; the vectors stand in tests/fixtures.
#include <cctype>
#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "websocket/accepting.hpp"

namespace windhover {
namespace {

using http::exchange;
using http::header_of;
using http::status_lines;
using nlohmann::json;
using test::accept;
using test::answer_to;
using test::client_close;
using test::echo_or_400;
using test::handshake_vectors;
using test::request;
using test::status_of_accepted;
using notes = std::vector<std::string>;

// ----- Which requests

// One row of the matrix says in prose how its request differs from the base; this is the same as lines of text.
std::string changed_request(const std::string& prose) {
  std::string stream = request();
  if (prose == "none") return stream;
  const auto replace = [&stream](std::string_view from, std::string_view to) {
    const std::size_t at = stream.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    stream.replace(at, from.size(), to);
  };
  if (prose == "method POST without body") {
    replace("GET", "POST");
  } else if (prose == "GET with Content-Length: 5 and body") {
    replace("\r\n\r\n", "\r\nContent-Length: 5\r\n\r\nHello");
  } else if (prose == "GET with Transfer-Encoding: chunked") {
    replace("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  } else if (prose == "two Sec-WebSocket-Key headers") {
    replace("\r\n\r\n", "\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n\r\n");
  } else if (prose == "HTTP/1.0") {
    replace("HTTP/1.1", "HTTP/1.0");
  } else if (prose == "HTTP/2 GET") {
    replace("HTTP/1.1", "HTTP/2.0");
  } else {
    const bool removes = prose.starts_with("no ");
    const std::string name = removes ? prose.substr(3, prose.find(' ', 3) - 3) : prose.substr(0, prose.find(':'));
    // The names of the matrix differ from the request's in their case.
    std::string lower_stream = stream;
    std::string lower_line = "\r\n" + name + ":";
    const auto lower = [](std::string& text) {
      for (char& each : text) each = static_cast<char>(std::tolower(static_cast<unsigned char>(each)));
    };
    lower(lower_stream);
    lower(lower_line);
    const std::size_t at = lower_stream.find(lower_line);
    if (at == std::string::npos) {
      ADD_FAILURE() << "a change that this test does not know: " << prose;
      return stream;
    }
    const std::size_t end = stream.find("\r\n", at + 2);
    stream.replace(at, end - at, removes ? "" : "\r\n" + prose);
  }
  return stream;
}

TEST(AcceptRequests, RequestMatrix) {
  const json rows = handshake_vectors("request_matrix").at("rows");
  ASSERT_FALSE(rows.empty());
  for (const json& row : rows) {
    const std::string prose = row.at("change").get<std::string>();
    SCOPED_TRACE(prose);
    const bool expected = row.at("is_websocket_request").get<bool>();
    const std::string stream = changed_request(prose);
    const auto lines = status_lines(answer_to(echo_or_400, expected ? stream + client_close(1000) : stream));
    ASSERT_EQ(lines.size(), 1U);
    if (expected) {
      EXPECT_EQ(lines[0], status_of_accepted);
    } else {
      // HTTP/2 in the clothes of HTTP/1.1 does not even reach the handler.
      EXPECT_EQ(lines[0],
                prose == "HTTP/2 GET" ? "HTTP/1.1 505 HTTP Version Not Supported" : "HTTP/1.1 400 Bad Request");
    }
  }
}

TEST(AcceptRequests, KeyValidity) {
  const json rows = handshake_vectors("key_validity").at("rows");
  ASSERT_FALSE(rows.empty());
  for (const json& row : rows) {
    const std::string key = row.at("key").get<std::string>();
    const auto lines =
        status_lines(answer_to(echo_or_400, changed_request("Sec-WebSocket-Key: " + key) + client_close(1000)));
    ASSERT_FALSE(lines.empty());
    EXPECT_EQ(lines[0] == status_of_accepted, row.at("valid").get<bool>()) << key;
  }
}

TEST(AcceptRequests, MultiValuedHeadersAreAcceptedAndLeftUnchanged) {
  std::string stream = request();
  stream.replace(stream.find("Connection: Upgrade"), 19, "Connection: Upgrade, keep-alive");
  stream.replace(stream.find("Upgrade: websocket"), 18, "Upgrade: websocket, example");
  notes seen;
  const std::string answer = answer_to(
      [&](exchange& with) -> task<> {
        websocket socket = accept(with);
        seen.emplace_back(with.request().header("Connection").value_or(""));
        seen.emplace_back(with.request().header("Upgrade").value_or(""));
        co_await test::echo(socket);
      },
      stream + client_close(1000));
  EXPECT_EQ(status_lines(answer), notes{std::string(status_of_accepted)});
  EXPECT_EQ(seen, (notes{"Upgrade, keep-alive", "websocket, example"}));
}

TEST(AcceptRequests, RequestsWithABodyAreServedNormally) {
  // Kestrel's UpgradeTests: neither a length nor chunks, but a length of zero, can be upgraded.
  const auto handler = [](exchange& with) -> task<> {
    std::string text = is_websocket_request(with) ? "websocket " : "no websocket ";
    text += with.upgradable() ? "upgradable " : "not upgradable ";
    text += co_await with.request().read_all();
    co_await with.response().write(text);
  };
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
  EXPECT_EQ(http::body_of(answer_to(handler, post + "Content-Length: 1\r\n\r\nA")), "no websocket not upgradable A");
  EXPECT_EQ(http::body_of(answer_to(handler, post + "Content-Length: 0\r\n\r\n")), "no websocket upgradable ");
  EXPECT_EQ(http::body_of(answer_to(handler, post + "Transfer-Encoding: chunked\r\n\r\nB\r\nHello World\r\n0\r\n\r\n")),
            "no websocket not upgradable Hello World");
}

// ----- Origins

// What the middleware does: only requests for WebSockets are checked.
http::request_handler checking(const websocket_options& options) {
  return [&options](exchange& with) -> task<> {
    if (is_websocket_request(with) && !is_origin_allowed(with, options)) with.response().status(403);
    co_return;
  };
}

TEST(AcceptRequests, OriginMatrix) {
  const json matrix = handshake_vectors("origin_matrix");
  json rows = matrix.at("rows");
  for (const json& row : matrix.at("derived_rows")) rows.push_back(row);
  int letter_case = 0;
  int empty_entry = 0;
  for (const json& row : rows) {
    SCOPED_TRACE(row.dump());
    websocket_options options;
    if (row.at("allowedOrigins").is_array()) options.allowed_origins = row.at("allowedOrigins").get<notes>();
    const json origin = row.contains("origin") ? row.at("origin") : matrix.at("request_origin");
    int expected = row.at("status").get<int>();
    if (origin == "http://EXAMPLE.com") {  // ours: origins compare without regard to case
      ++letter_case;
      EXPECT_EQ(expected, 403);
      expected = 200;
    }
    if (options.allowed_origins ==
        notes{""}) {  // ours: it allows nothing either, but is a mistake of the configuration
      ++empty_entry;
      EXPECT_THROW(check_origins(options), std::invalid_argument);
    } else {
      EXPECT_NO_THROW(check_origins(options));
    }
    const std::string line = origin.is_null() ? "" : "Origin: " + origin.get<std::string>() + "\r\n";
    const std::string stream = row.value("websocket_request", true)
                                   ? request(line)
                                   : "GET /ws HTTP/1.1\r\nHost: example.com\r\n" + line + "\r\n";
    const auto lines = status_lines(answer_to(checking(options), stream));
    EXPECT_EQ(lines, notes{expected == 200 ? "HTTP/1.1 200 OK" : "HTTP/1.1 403 Forbidden"});
  }
  EXPECT_EQ(letter_case, 1);
  EXPECT_EQ(empty_entry, 1);
}

TEST(AcceptRequests, SameOrigin) {
  struct row {
    std::string_view origin;
    bool allowed;
    bool allowed_with_list;  // beside "https://client.com"
  };
  for (const row& each : {row{"http://example.com", true, true}, row{"http://EXAMPLE.com:80", true, true},
                          row{"https://example.com", false, false}, row{"http://example.com:8080", false, false},
                          row{"https://client.com", false, true}, row{"null", false, false}, row{"", true, true}}) {
    SCOPED_TRACE(each.origin);
    websocket_options options;
    options.same_origin = true;
    const std::string stream = request(each.origin.empty() ? "" : "Origin: " + std::string(each.origin) + "\r\n");
    EXPECT_EQ(header_of(answer_to(checking(options), stream), "Content-Length"), "0");
    EXPECT_EQ(status_lines(answer_to(checking(options), stream))[0] == "HTTP/1.1 200 OK", each.allowed);
    options.allowed_origins = {"https://client.com"};
    EXPECT_EQ(status_lines(answer_to(checking(options), stream))[0] == "HTTP/1.1 200 OK", each.allowed_with_list);
  }
}

// ----- Sub-protocols

TEST(AcceptRequests, NegotiateSubProtocol) {
  notes seen;
  const std::string answer = answer_to(
      [&](exchange& with) -> task<> {
        for (const std::string_view each : requested_protocols(with)) seen.emplace_back(each);
        websocket socket = accept(with, "Bravo");
        seen.push_back("chosen " + std::string(socket.sub_protocol()));
        co_await test::echo(socket);
      },
      request("Sec-WebSocket-Protocol: alpha, bravo, charlie\r\n") + client_close(1000));
  EXPECT_EQ(seen, (notes{"alpha", "bravo", "charlie", "chosen bravo"}));
  EXPECT_EQ(header_of(answer, "Sec-WebSocket-Protocol"), "bravo") << "in the client's spelling";
}

TEST(AcceptRequests, SubProtocolsOfEveryVector) {
  std::map<std::string, std::string> ours{{"Bravo", "bravo"}};
  const json rows = handshake_vectors("subprotocol").at("rows");
  for (const json& row : rows) {
    const std::string chosen = row.at("accepted_by_app").get<std::string>();
    const auto difference = ours.extract(chosen);
    const std::string answer = answer_to(
        [&](exchange& with) -> task<> {
          websocket socket = accept(with, chosen);
          co_await test::echo(socket);
        },
        request("Sec-WebSocket-Protocol: " + row.at("requested").get<std::string>() + "\r\n") + client_close(1000));
    EXPECT_EQ(header_of(answer, "Sec-WebSocket-Protocol"),
              difference ? difference.mapped() : row.at("response_header").get<std::string>());
  }
  EXPECT_TRUE(ours.empty());
}

TEST(AcceptRequests, WithoutAChoiceNoSubProtocolIsAnswered) {
  std::string chosen = "?";
  const std::string answer = answer_to(
      [&](exchange& with) -> task<> {
        websocket socket = accept(with);
        chosen = socket.sub_protocol();
        co_await test::echo(socket);
      },
      request("Sec-WebSocket-Protocol: alpha\r\n") + client_close(1000));
  EXPECT_EQ(chosen, "");
  EXPECT_EQ(header_of(answer, "Sec-WebSocket-Protocol"), "");
}

TEST(AcceptRequests, ASubProtocolThatWasNotOfferedIsRefused) {
  for (const std::string_view offer : {"", "Sec-WebSocket-Protocol: alpha, bravo\r\n"}) {
    const std::string answer = answer_to(
        [](exchange& with) -> task<> {
          EXPECT_THROW(static_cast<void>(accept(with, "charlie")), std::invalid_argument);
          EXPECT_FALSE(with.upgraded());
          websocket socket = accept(with);  // nothing has happened yet
          co_await test::echo(socket);
        },
        request(offer) + client_close(1000));
    EXPECT_EQ(status_lines(answer), notes{std::string(status_of_accepted)});
    EXPECT_EQ(header_of(answer, "Sec-WebSocket-Protocol"), "");
  }
}

}  // namespace
}  // namespace windhover
