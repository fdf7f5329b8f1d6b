// RFC 6455, section 4: the opening handshake, on both sides.
#include "wire/websocket/handshake.hpp"

#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace windhover::wire {
namespace {

using names = std::vector<std::string_view>;

constexpr std::string_view some_key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view its_answer = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

headers request_fields() {
  return {{"Host", "example.com"},
          {"Connection", "Upgrade"},
          {"Upgrade", "websocket"},
          {"Sec-WebSocket-Version", "13"},
          {"Sec-WebSocket-Key", some_key}};
}

bool is_request(const headers& fields) { return is_websocket_request({"GET", 1, 1, fields, false}); }

headers with(headers fields, std::string_view name, std::string_view value) {
  fields.set(name, value);
  return fields;
}

headers without(headers fields, std::string_view name) {
  fields.erase(name);
  return fields;
}

class fixed_source final : public base::random_source {
 public:
  void fill(std::span<std::byte> octets) noexcept override {
    int last = 0;
    for (std::byte& octet : octets) octet = static_cast<std::byte>(++last);
  }
};

// ----- The server's side

TEST(handshake_request, is_recognized_without_regard_to_case_and_to_other_members) {
  EXPECT_TRUE(is_request(request_fields()));
  EXPECT_TRUE(is_request(with(request_fields(), "connection", "keep-alive, UPGRADE")));
  EXPECT_TRUE(is_request(with(request_fields(), "Upgrade", "h2c, WebSocket")));
  EXPECT_TRUE(is_request(with(request_fields(), "Sec-WebSocket-Version", "8, 13")));
  const headers fields = request_fields();
  EXPECT_TRUE(is_websocket_request({"get", 1, 1, fields, false}));
}

TEST(handshake_request, may_spread_a_list_over_several_fields) {
  headers fields = with(request_fields(), "Connection", "keep-alive");
  fields.add("Connection", "Upgrade");
  fields.set("Upgrade", "example");
  fields.add("Upgrade", "websocket");
  fields.set("Sec-WebSocket-Version", "8");
  fields.add("Sec-WebSocket-Version", "13");
  EXPECT_TRUE(is_request(fields));
}

TEST(handshake_request, needs_every_field) {
  for (const char* name : {"Connection", "Upgrade", "Sec-WebSocket-Version", "Sec-WebSocket-Key"}) {
    EXPECT_FALSE(is_request(without(request_fields(), name))) << name;
    EXPECT_FALSE(is_request(with(request_fields(), name, ""))) << name;
  }
  EXPECT_TRUE(is_request(without(request_fields(), "Host")));
}

TEST(handshake_request, takes_only_whole_members_of_lists) {
  EXPECT_FALSE(is_request(with(request_fields(), "Connection", "Upgrade-Insecure-Requests")));
  EXPECT_FALSE(is_request(with(request_fields(), "Upgrade", "websockets")));
  EXPECT_FALSE(is_request(with(request_fields(), "Upgrade", "web socket")));
  EXPECT_FALSE(is_request(with(request_fields(), "Sec-WebSocket-Version", "130")));
  EXPECT_FALSE(is_request(with(request_fields(), "Sec-WebSocket-Version", "8; 13")));
}

TEST(handshake_request, is_a_get_over_http_1_1_without_body) {
  const headers fields = request_fields();
  EXPECT_FALSE(is_websocket_request({"POST", 1, 1, fields, false}));
  EXPECT_FALSE(is_websocket_request({"CONNECT", 1, 1, fields, false}));
  EXPECT_FALSE(is_websocket_request({"GET", 1, 0, fields, false}));
  EXPECT_FALSE(is_websocket_request({"GET", 2, 0, fields, false}));
  EXPECT_FALSE(is_websocket_request({"GET", 2, 1, fields, false}));
  EXPECT_FALSE(is_websocket_request({"GET", 1, 1, fields, true}));
}

TEST(handshake_request, has_one_key) {
  headers fields = request_fields();
  fields.add("Sec-WebSocket-Key", some_key);
  EXPECT_FALSE(is_request(fields));
}

TEST(handshake_key, is_base64_of_16_octets) {
  EXPECT_TRUE(is_handshake_key(some_key));
  EXPECT_TRUE(is_handshake_key("+/+/+/+/+/+/+/+/+/+/+w=="));
  // The example in RFC 6455, section 4.1, whose last character has bits that no octet needs.
  EXPECT_TRUE(is_handshake_key("AQIDBAUGBwgJCgsMDQ4PEC=="));
  for (const char* key :
       {"", "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZQA=", "dGhlIHNhbXBsZSBub25jZQAA",
        "dGhlIHNhbXBsZSBub25jZ===", "dGhlIHNhbXBsZSBub25jZ_==", "dGhlIHNhbXBs ZSBub25jZ==", "========================"})
    EXPECT_FALSE(is_handshake_key(key)) << key;
}

TEST(handshake_request, names_an_unsupported_version_only_if_13_is_not_among_them) {
  EXPECT_FALSE(names_unsupported_version({}));
  EXPECT_FALSE(names_unsupported_version({{"Sec-WebSocket-Version", "13"}}));
  EXPECT_FALSE(names_unsupported_version({{"Sec-WebSocket-Version", "25, 13"}}));
  EXPECT_FALSE(names_unsupported_version({{"Sec-WebSocket-Version", "25"}, {"sec-websocket-version", "13"}}));
  EXPECT_TRUE(names_unsupported_version({{"Sec-WebSocket-Version", "25"}}));
  EXPECT_TRUE(names_unsupported_version({{"Sec-WebSocket-Version", "8, 7"}, {"Sec-WebSocket-Version", "12"}}));
}

TEST(sub_protocol, is_requested_in_the_client_s_order) {
  EXPECT_EQ(requested_protocols({}), names());
  EXPECT_EQ(requested_protocols({{"Sec-WebSocket-Protocol", "chat, superchat"}}), (names{"chat", "superchat"}));
  EXPECT_EQ(requested_protocols({{"Sec-WebSocket-Protocol", " ,b,, a "}, {"sec-websocket-protocol", "c"}}),
            (names{"b", "a", "c"}));
}

TEST(sub_protocol, is_answered_in_the_client_s_spelling_and_never_unless_offered) {
  const names requested{"alpha", "bravo", "charlie"};
  EXPECT_EQ(select_protocol(requested, "bravo"), "bravo");
  EXPECT_EQ(select_protocol(requested, "Bravo"), "bravo");
  EXPECT_EQ(select_protocol(requested, "delta"), std::nullopt);
  EXPECT_EQ(select_protocol(requested, ""), std::nullopt);
  EXPECT_EQ(select_protocol({}, "bravo"), std::nullopt);
}

TEST(accept_key, is_the_one_of_rfc_6455_section_1_3) { EXPECT_EQ(accept_key(some_key), its_answer); }

// ----- The client's side

TEST(client_handshake, has_a_key_of_16_random_octets) {
  fixed_source random;
  EXPECT_EQ(make_handshake_key(random), "AQIDBAUGBwgJCgsMDQ4PEA==");
  base::system_random_source system;
  EXPECT_TRUE(is_handshake_key(make_handshake_key(system)));
}

TEST(client_handshake, is_written_as_a_request) {
  EXPECT_EQ(encode_client_handshake({.target = "/chat?room=1", .host = "example.com:8080", .key = some_key}),
            "GET /chat?room=1 HTTP/1.1\r\n"
            "Host: example.com:8080\r\n"
            "Upgrade: websocket\r\n"
            "Connection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n"
            "\r\n");
}

TEST(client_handshake, names_sub_protocols_and_further_fields) {
  const names protocols{"chat", "superchat"};
  const headers further{{"Origin", "http://example.com"}, {"Cookie", "a=b"}};
  const std::string text = encode_client_handshake(
      {.target = "/", .host = "[::1]", .key = some_key, .protocols = protocols, .further_fields = &further});
  EXPECT_TRUE(
      text.ends_with("Sec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Protocol: chat, superchat\r\n"
                     "Origin: http://example.com\r\n"
                     "Cookie: a=b\r\n"
                     "\r\n"))
      << text;
}

TEST(client_handshake, refuses_what_would_make_another_request_of_it) {
  const client_handshake right{.target = "/", .host = "example.com", .key = some_key};
  EXPECT_NO_THROW(static_cast<void>(encode_client_handshake(right)));
  const auto refused = [](const client_handshake& wrong) {
    EXPECT_THROW(static_cast<void>(encode_client_handshake(wrong)), std::invalid_argument);
  };
  for (const char* target : {"", "chat", "/a b", "/a\r\nX: y", "/a#b", "http://example.com/"}) {
    SCOPED_TRACE(target);
    refused({.target = target, .host = right.host, .key = right.key});
  }
  for (const char* host : {"", "a b", "a\r\nX: y", "user@example.com", "example.com/"}) {
    SCOPED_TRACE(host);
    refused({.target = right.target, .host = host, .key = right.key});
  }
  refused({.target = right.target, .host = right.host, .key = "abc"});
  for (const names& protocols : {names{""}, names{"a b"}, names{"a,b"}, names{"a\r\n"}, names{"chat", "b", "Chat"}}) {
    SCOPED_TRACE(protocols.front());
    refused({.target = right.target, .host = right.host, .key = right.key, .protocols = protocols});
  }
  for (const char* name : {"host", "Upgrade", "CONNECTION", "Content-Length", "Transfer-Encoding",
                           "Sec-WebSocket-Extensions", "sec-websocket-key"}) {
    SCOPED_TRACE(name);
    const headers further{{name, "1"}};
    refused({.target = right.target, .host = right.host, .key = right.key, .further_fields = &further});
  }
}

headers response_fields() {
  return {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", its_answer}};
}

handshake_failure verified(int status, const headers& fields, const names& offered = {}) {
  return verify_server_handshake(status, fields, some_key, offered).failure;
}

TEST(server_handshake, is_taken_when_it_answers_the_key) {
  EXPECT_EQ(verified(101, response_fields()), handshake_failure::none);
  headers fields = with(response_fields(), "Upgrade", "WebSocket");
  fields.set("Connection", "keep-alive, upgrade");
  EXPECT_EQ(verified(101, fields), handshake_failure::none);
}

TEST(server_handshake, is_refused_with_the_reason) {
  const headers right = response_fields();
  EXPECT_EQ(verified(200, right), handshake_failure::status_not_101);
  EXPECT_EQ(verified(101, without(right, "Upgrade")), handshake_failure::upgrade_missing);
  EXPECT_EQ(verified(101, with(right, "Upgrade", "h2c")), handshake_failure::upgrade_missing);
  EXPECT_EQ(verified(101, without(right, "Connection")), handshake_failure::connection_missing);
  EXPECT_EQ(verified(101, with(right, "Connection", "close")), handshake_failure::connection_missing);
  EXPECT_EQ(verified(101, without(right, "Sec-WebSocket-Accept")), handshake_failure::accept_missing);
  EXPECT_EQ(verified(101, with(right, "Sec-WebSocket-Accept", some_key)), handshake_failure::accept_wrong);
  EXPECT_EQ(verified(101, with(right, "Sec-WebSocket-Accept", "S3PPLMBITXAQ9KYGZZHZRBK+XOO=")),
            handshake_failure::accept_wrong);
  headers twice = right;
  twice.add("Sec-WebSocket-Accept", its_answer);
  EXPECT_EQ(verified(101, twice), handshake_failure::accept_wrong);
}

TEST(server_handshake, may_choose_only_what_was_offered) {
  const headers chosen = with(response_fields(), "Sec-WebSocket-Protocol", "Chat");
  const names offered{"superchat", "chat"};
  const handshake_outcome outcome = verify_server_handshake(101, chosen, some_key, offered);
  EXPECT_EQ(outcome.failure, handshake_failure::none);
  EXPECT_EQ(outcome.protocol, "chat");
  EXPECT_EQ(verify_server_handshake(101, response_fields(), some_key, offered).protocol, "");

  EXPECT_EQ(verified(101, response_fields(), offered), handshake_failure::none);
  EXPECT_EQ(verified(101, chosen), handshake_failure::protocol_not_offered);
  EXPECT_EQ(verified(101, chosen, {"other"}), handshake_failure::protocol_not_offered);
  EXPECT_EQ(verified(101, with(response_fields(), "Sec-WebSocket-Protocol", "chat, superchat"), offered),
            handshake_failure::protocol_not_offered);
  headers two = chosen;
  two.add("Sec-WebSocket-Protocol", "superchat");
  EXPECT_EQ(verified(101, two, offered), handshake_failure::protocol_not_offered);
}

TEST(server_handshake, may_choose_no_extension) {
  EXPECT_EQ(verified(101, with(response_fields(), "Sec-WebSocket-Extensions", "permessage-deflate")),
            handshake_failure::extension_not_offered);
  EXPECT_EQ(verified(101, with(response_fields(), "Sec-WebSocket-Extensions", "")), handshake_failure::none);
}

TEST(client_handshake, names_extensions) {
  const std::string text = encode_client_handshake(
      {.target = "/", .host = "[::1]", .key = some_key, .extensions = "permessage-deflate; client_max_window_bits"});
  EXPECT_TRUE(
      text.ends_with("Sec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
                     "\r\n"))
      << text;
}

TEST(server_handshake, may_choose_compression_as_it_was_offered) {
  const deflate_options offered{.server_context_takeover = false};
  const auto judged = [&](std::string_view extensions) {
    return verify_server_handshake(101, with(response_fields(), "Sec-WebSocket-Extensions", extensions), some_key, {},
                                   &offered);
  };
  const handshake_outcome taken = judged("permessage-deflate; server_no_context_takeover; client_max_window_bits=10");
  EXPECT_EQ(taken.failure, handshake_failure::none);
  EXPECT_EQ(taken.compression, (deflate_parameters{.server_no_context_takeover = true, .client_max_window_bits = 10}));
  EXPECT_EQ(judged("permessage-deflate").failure, handshake_failure::extension_wrong);
  EXPECT_EQ(judged("permessage-deflate; server_no_context_takeover, foo").failure, handshake_failure::extension_wrong);
  EXPECT_EQ(judged("").failure, handshake_failure::none);
  EXPECT_EQ(judged("").compression, std::nullopt) << "the server declined";
}

TEST(handshake_failure, is_described_by_a_sentence_of_its_own) {
  std::set<std::string_view> sentences;
  for (int failure = 0; failure <= static_cast<int>(handshake_failure::protocol_not_offered); ++failure) {
    const std::string_view sentence = describe(static_cast<handshake_failure>(failure));
    EXPECT_FALSE(sentence.empty());
    EXPECT_TRUE(sentences.insert(sentence).second) << sentence;
  }
}

}  // namespace
}  // namespace windhover::wire
