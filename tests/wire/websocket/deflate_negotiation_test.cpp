// RFC 7692, section 7.1, and RFC 6455, section 9.1: offers and answers of permessage-deflate.
#include "wire/websocket/deflate_negotiation.hpp"

#include <array>
#include <fstream>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace windhover::wire {

static std::ostream& operator<<(std::ostream& out, const deflate_parameters& parameters) {
  return out << "server_no_context_takeover " << parameters.server_no_context_takeover << " client_no_context_takeover "
             << parameters.client_no_context_takeover << " server_max_window_bits " << parameters.server_max_window_bits
             << " client_max_window_bits " << parameters.client_max_window_bits;
}

namespace {

using nlohmann::json;

// The answer of a server with these options, or "declined".
std::string answer(std::string_view offers, const deflate_options& options = {}) {
  const auto agreement = negotiate_deflate(offers, options);
  return agreement ? agreement->response : "declined";
}

// ----- Vectors

json vectors(const char* part) {
  std::ifstream file(std::string(WINDHOVER_FIXTURES) + "/websocket-handshake.json");
  EXPECT_TRUE(file);
  json rows = json::parse(file).at(part).at("rows");
  EXPECT_FALSE(rows.empty());
  return rows;
}

// What Windhover answers where it differs from the vectors on purpose.
class differences {
 public:
  explicit differences(std::map<std::string, std::string> ours) : ours_(std::move(ours)) {}
  ~differences() { EXPECT_TRUE(ours_.empty()) << "no such vector: " << ours_.begin()->first; }
  differences(const differences&) = delete;
  differences& operator=(const differences&) = delete;

  // The expected answer to this row.
  std::string expected(const std::string& offers, const deflate_options& options, const json& response) {
    const std::string theirs = response.is_null() ? "declined" : response.get<std::string>();
    const auto mine = ours_.extract(offers + " with " + std::to_string(options.server_max_window_bits));
    if (!mine) return theirs;
    EXPECT_NE(mine.mapped(), theirs) << "this is no difference: " << offers;
    return mine.mapped();
  }

 private:
  std::map<std::string, std::string> ours_;
};

TEST(deflate_negotiation_vectors, one_offer) {
  differences ours(std::map<std::string, std::string>{
      // RFC 7692, section 7.1.2.1: a value is required.
      {"permessage-deflate; server_max_window_bits with 15", "declined"},
      {"permessage-deflate; server_max_window_bits with 14", "declined"},
      // zlib inflates a window of 8.
      {"permessage-deflate; client_max_window_bits=8 with 15", "permessage-deflate; client_max_window_bits=8"},
  });
  for (const json& row : vectors("deflate_negotiation")) {
    const deflate_options options{.server_context_takeover = row.at("serverContextTakeover").get<bool>(),
                                  .server_max_window_bits = row.at("serverMaxWindowBits").get<int>()};
    const auto offer = row.at("offer").get<std::string>();
    EXPECT_EQ(answer(offer, options), ours.expected(offer, options, row.at("response"))) << row;
  }
}

TEST(deflate_negotiation_vectors, several_offers) {
  differences ours(std::map<std::string, std::string>{
      {"permessage-deflate; client_max_window_bits=8, permessage-deflate; client_max_window_bits=13 with 13",
       "permessage-deflate; client_max_window_bits=8; server_max_window_bits=13"},
  });
  for (const json& row : vectors("deflate_negotiation_multiple_offers")) {
    if (!row.at("enabled").get<bool>()) continue;  // whoever has it off does not ask
    const deflate_options options{.server_context_takeover = !row.value("disableServerContextTakeover", false),
                                  .server_max_window_bits = row.at("serverMaxWindowBits").get<int>()};
    const auto offers = row.at("header").get<std::string>();
    EXPECT_EQ(answer(offers, options), ours.expected(offers, options, row.at("response"))) << row;
  }
}

// ----- The grammar of the field

// "name;parameter=value;parameter" for each member, with a space between members; "malformed" if it is that.
std::string parsed(std::string_view text) {
  const auto extensions = parse_extensions(text);
  if (!extensions) return "malformed";
  std::string result;
  for (const extension& each : *extensions) {
    if (!result.empty()) result += ' ';
    result += each.name;
    for (const auto& parameter : each.parameters) {
      result.append(";").append(parameter.name);
      if (parameter.value) result.append("=").append(*parameter.value);
    }
  }
  return result;
}

TEST(extension_list, has_names_and_parameters_in_order) {
  EXPECT_EQ(parsed("foo"), "foo");
  EXPECT_EQ(parsed("deflate-stream"), "deflate-stream");
  EXPECT_EQ(parsed("mux; max-channels=4; flow-control, deflate-stream"),
            "mux;max-channels=4;flow-control deflate-stream");
  EXPECT_EQ(parsed("bar; baz=2, bar; baz=2"), "bar;baz=2 bar;baz=2");
}

TEST(extension_list, allows_white_space_between_all_parts) {
  EXPECT_EQ(parsed(" \tfoo \t;\ta = 1 ;b\t= \"2\" , bar "), "foo;a=1;b=2 bar");
  EXPECT_EQ(parsed("foo;a=1;b=\"2\",bar"), "foo;a=1;b=2 bar");
}

TEST(extension_list, ignores_empty_members) {
  EXPECT_EQ(parsed(""), "");
  EXPECT_EQ(parsed(" , ,"), "");
  EXPECT_EQ(parsed(",foo,, bar ,"), "foo bar");
}

TEST(extension_list, unquotes_values) { EXPECT_EQ(parsed(R"(foo; a="b"; c="d\e"; f="\g\h")"), "foo;a=b;c=de;f=gh"); }

TEST(extension_list, keeps_the_case_of_names) { EXPECT_EQ(parsed("Foo; Bar=Baz"), "Foo;Bar=Baz"); }

TEST(extension_list, is_malformed_as_a_whole_when_one_member_is) {
  for (const std::string_view member : {"; a",           "foo;",           "foo; ;a",         "foo; =1",
                                        "foo; a=",       "foo; a=;b",      "foo bar",         "foo=1",
                                        "foo; a b",      "foo; a=1 2",     "\"foo\"",         "foo; \"a\"",
                                        "foo; a=1\"",    "foo; a=\"",      "foo; a=\"1",      "foo; a=\"\"",
                                        "foo; a=\"1\"2", "foo; a=\"1 2\"", "foo; a=\"1;2\"",  "foo; a=\"1,2\"",
                                        "foo; a=\"1\\",  "foo; a=\"1\\\"", "foo; a=\"\\\"\"", "foo; a=\"\xc3\xa4\"",
                                        "foo; a=\x01",   "f\xc3\xa4",      "foo/1",           "(foo)"}) {
    EXPECT_EQ(parsed(member), "malformed") << member;
    EXPECT_EQ(parsed("bar, " + std::string(member)), "malformed") << member;
  }
}

TEST(extension_list, survives_every_prefix_and_every_changed_octet) {
  const std::string text = R"(permessage-deflate; client_max_window_bits="1\5"; a=b, foo ;c)";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    // A block of exactly that size, for the address sanitizer.
    const std::vector<char> prefix(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size));
    (void)negotiate_deflate({prefix.data(), prefix.size()}, {});
  }
  for (std::size_t position = 0; position < text.size(); ++position) {
    for (const char octet : {'"', '\\', ',', ';', '=', ' ', '\0', '\xff'}) {
      std::string changed = text;
      changed[position] = octet;
      if (const auto extensions = parse_extensions(changed)) {
        for (const extension& each : *extensions) EXPECT_FALSE(each.name.empty());
      }
    }
  }
}

// ----- The server's side

TEST(deflate_offer, is_found_among_other_extensions) {
  EXPECT_EQ(answer("foo, permessage-deflate; server_no_context_takeover, bar"),
            "permessage-deflate; server_no_context_takeover");
  EXPECT_EQ(answer("foo; permessage-deflate"), "declined");
  EXPECT_EQ(answer("permessage-deflate-2"), "declined");
  EXPECT_EQ(answer("x-webkit-deflate-frame"), "declined");
  EXPECT_EQ(answer("Permessage-Deflate"), "declined");
  EXPECT_EQ(answer(""), "declined");
}

TEST(deflate_offer, is_declined_for_a_parameter_that_nobody_knows) {
  EXPECT_EQ(answer("permessage-deflate; foo"), "declined");
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits; foo=1"), "declined");
  EXPECT_EQ(answer("permessage-deflate; Client_Max_Window_Bits"), "declined");
  EXPECT_EQ(answer("permessage-deflate; foo, permessage-deflate"), "permessage-deflate");
}

TEST(deflate_offer, is_declined_for_a_parameter_that_comes_twice) {
  for (const std::string parameter :
       {"server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits=10",
        "client_max_window_bits", "client_max_window_bits=10"}) {
    const std::string once = "permessage-deflate; " + parameter;
    EXPECT_NE(answer(once), "declined") << once;
    EXPECT_EQ(answer(once + "; " + parameter), "declined") << once;
  }
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits; client_max_window_bits=10"), "declined");
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=12; server_max_window_bits=10"), "declined");
}

TEST(deflate_offer, is_declined_for_a_takeover_parameter_with_a_value) {
  EXPECT_EQ(answer("permessage-deflate; server_no_context_takeover=true"), "declined");
  EXPECT_EQ(answer("permessage-deflate; client_no_context_takeover=1"), "declined");
}

TEST(deflate_offer, is_declined_for_a_window_that_is_no_number_from_8_to_15) {
  for (const std::string value : {"0", "7", "16", "08", "09", "010", "+9", "-9", "1e1", "0xa", "9.", "15a", "a15",
                                  "115", "150", "4294967305", "99999999999999999999"}) {
    EXPECT_EQ(answer("permessage-deflate; client_max_window_bits=" + value), "declined") << value;
    EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=" + value), "declined") << value;
  }
}

TEST(deflate_offer, gets_every_window_that_it_asks_for) {
  for (int bits = 8; bits <= 15; ++bits) {
    const std::string value = std::to_string(bits);
    EXPECT_EQ(answer("permessage-deflate; client_max_window_bits=" + value),
              "permessage-deflate; client_max_window_bits=" + value);
    EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=\"" + value + "\""),
              bits == 8 ? "declined" : "permessage-deflate; server_max_window_bits=" + value);
  }
}

TEST(deflate_offer, gets_the_smaller_of_two_windows) {
  const deflate_options options{.server_max_window_bits = 11, .client_max_window_bits = 10};
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits; server_max_window_bits=15", options),
            "permessage-deflate; client_max_window_bits=10; server_max_window_bits=11");
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits=9; server_max_window_bits=9", options),
            "permessage-deflate; client_max_window_bits=9; server_max_window_bits=9");
}

TEST(deflate_offer, is_declined_when_the_client_cannot_be_told_to_use_a_smaller_window) {
  const deflate_options options{.client_max_window_bits = 14};
  EXPECT_EQ(answer("permessage-deflate", options), "declined");
  EXPECT_EQ(answer("permessage-deflate, permessage-deflate; client_max_window_bits", options),
            "permessage-deflate; client_max_window_bits=14");
}

TEST(deflate_offer, is_answered_with_what_the_server_demands_of_the_client) {
  const deflate_options options{.client_context_takeover = false};
  EXPECT_EQ(answer("permessage-deflate", options), "permessage-deflate; client_no_context_takeover");
  EXPECT_EQ(answer("permessage-deflate; client_no_context_takeover", options),
            "permessage-deflate; client_no_context_takeover");
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits=10; server_no_context_takeover", options),
            "permessage-deflate; client_max_window_bits=10; client_no_context_takeover; server_no_context_takeover");
}

TEST(deflate_offer, is_answered_with_the_clients_parameters_in_its_order) {
  EXPECT_EQ(answer("permessage-deflate; client_no_context_takeover; client_max_window_bits"),
            "permessage-deflate; client_no_context_takeover; client_max_window_bits=15");
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits; client_no_context_takeover"),
            "permessage-deflate; client_max_window_bits=15; client_no_context_takeover");
}

TEST(deflate_offer, that_comes_first_wins) {
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=8, permessage-deflate; server_max_window_bits=9, "
                   "permessage-deflate"),
            "permessage-deflate; server_max_window_bits=9");
  EXPECT_EQ(answer("permessage-deflate, permessage-deflate; server_no_context_takeover"), "permessage-deflate");
}

TEST(deflate_offer, gives_the_parameters_that_its_answer_names) {
  const auto agreement = negotiate_deflate(
      "permessage-deflate; server_max_window_bits=10; server_no_context_takeover; client_max_window_bits=12", {});
  ASSERT_TRUE(agreement);
  EXPECT_EQ(agreement->parameters, (deflate_parameters{.server_no_context_takeover = true,
                                                       .client_no_context_takeover = false,
                                                       .server_max_window_bits = 10,
                                                       .client_max_window_bits = 12}));
}

// ----- The client's side

TEST(deflate_client, offers_what_its_options_say) {
  EXPECT_EQ(offer_deflate({}), "permessage-deflate; client_max_window_bits");
  EXPECT_EQ(offer_deflate({.server_context_takeover = false}),
            "permessage-deflate; server_no_context_takeover; client_max_window_bits");
  EXPECT_EQ(
      offer_deflate({.client_context_takeover = false, .server_max_window_bits = 9, .client_max_window_bits = 10}),
      "permessage-deflate; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=10");
}

TEST(deflate_client, never_offers_to_deflate_with_a_window_of_8) {
  const deflate_options options{.client_max_window_bits = 8};
  EXPECT_EQ(offer_deflate(options), "permessage-deflate; client_max_window_bits=9");
  EXPECT_EQ(accept_deflate_response("permessage-deflate", options)->client_max_window_bits, 9);
}

TEST(deflate_client, takes_what_the_server_demands) {
  EXPECT_EQ(accept_deflate_response("permessage-deflate", {}), deflate_parameters{});
  EXPECT_EQ(accept_deflate_response("permessage-deflate; client_no_context_takeover; client_max_window_bits=9; "
                                    "server_no_context_takeover; server_max_window_bits=\"12\"",
                                    {}),
            (deflate_parameters{.server_no_context_takeover = true,
                                .client_no_context_takeover = true,
                                .server_max_window_bits = 12,
                                .client_max_window_bits = 9}));
}

TEST(deflate_client, takes_windows_of_8) {
  EXPECT_EQ(accept_deflate_response("permessage-deflate; client_max_window_bits=8; server_max_window_bits=8", {}),
            (deflate_parameters{.server_max_window_bits = 8, .client_max_window_bits = 8}));
}

TEST(deflate_client, keeps_to_what_it_offered_when_the_server_does_not_mention_it) {
  const deflate_options options{.client_context_takeover = false, .client_max_window_bits = 12};
  EXPECT_EQ(accept_deflate_response("permessage-deflate", options),
            (deflate_parameters{.client_no_context_takeover = true, .client_max_window_bits = 12}));
}

TEST(deflate_client, refuses_an_answer_without_what_it_demanded) {
  EXPECT_FALSE(accept_deflate_response("permessage-deflate", {.server_context_takeover = false}));
  EXPECT_TRUE(
      accept_deflate_response("permessage-deflate; server_no_context_takeover", {.server_context_takeover = false}));
  EXPECT_FALSE(accept_deflate_response("permessage-deflate", {.server_max_window_bits = 10}));
  EXPECT_FALSE(
      accept_deflate_response("permessage-deflate; server_max_window_bits=11", {.server_max_window_bits = 10}));
  EXPECT_TRUE(accept_deflate_response("permessage-deflate; server_max_window_bits=10", {.server_max_window_bits = 10}));
  EXPECT_TRUE(accept_deflate_response("permessage-deflate; server_max_window_bits=9", {.server_max_window_bits = 10}));
}

TEST(deflate_client, refuses_a_window_of_its_own_above_the_one_offered) {
  const deflate_options options{.client_max_window_bits = 10};
  EXPECT_FALSE(accept_deflate_response("permessage-deflate; client_max_window_bits=11", options));
  EXPECT_TRUE(accept_deflate_response("permessage-deflate; client_max_window_bits=10", options));
}

TEST(deflate_client, refuses_every_other_answer) {
  for (const char* response :
       {"", "foo", "permessage-deflate, foo", "permessage-deflate, permessage-deflate", "permessage-deflate; foo",
        "permessage-deflate; client_max_window_bits", "permessage-deflate; server_max_window_bits",
        "permessage-deflate; client_max_window_bits=7", "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_no_context_takeover=1", "permessage-deflate; client_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; client_max_window_bits=9; client_max_window_bits=9", "permessage-deflate;",
        "permessage-deflate; client_max_window_bits=\"9"})
    EXPECT_FALSE(accept_deflate_response(response, {})) << response;
}

// Whatever both ends are set to: when the server accepts the client's offer, the client accepts the server's answer,
// both read the same parameters from it, and these are within what both want.
TEST(deflate_negotiation, gives_both_ends_the_same_parameters) {
  std::vector<deflate_options> all;
  for (const bool server_takeover : {false, true})
    for (const bool client_takeover : {false, true})
      for (const int server_bits : {9, 12, 14, 15})
        for (const int client_bits : {8, 9, 11, 15})
          all.push_back({server_takeover, client_takeover, server_bits, client_bits});
  for (const deflate_options& client : all) {
    const std::string offer = offer_deflate(client);
    for (const deflate_options& server : all) {
      const auto agreement = negotiate_deflate(offer, server);
      ASSERT_TRUE(agreement) << offer;
      SCOPED_TRACE(offer + " -> " + agreement->response);
      const auto accepted = accept_deflate_response(agreement->response, client);
      ASSERT_TRUE(accepted);
      EXPECT_EQ(*accepted, agreement->parameters);
      EXPECT_EQ(accepted->server_no_context_takeover,
                !(client.server_context_takeover && server.server_context_takeover));
      EXPECT_EQ(accepted->client_no_context_takeover,
                !(client.client_context_takeover && server.client_context_takeover));
      EXPECT_EQ(accepted->server_max_window_bits,
                std::min(client.server_max_window_bits, server.server_max_window_bits));
      EXPECT_EQ(accepted->client_max_window_bits,
                std::min(std::max(client.client_max_window_bits, 9), server.client_max_window_bits));
    }
  }
}

}  // namespace
}  // namespace windhover::wire
