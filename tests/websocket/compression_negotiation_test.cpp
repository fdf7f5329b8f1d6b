// The negotiation of permessage-deflate at accept: offers in the request, the answer in the 101, and what the socket
// says and does afterwards.
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/compressed_peer.hpp"
#include "websocket/accepting.hpp"

namespace windhover {
namespace {

using http::connection_peers;
using http::exchange;
using http::status_lines;
using nlohmann::json;
using test::answer_to;
using test::handshake_vectors;
using test::opcode;
using test::request;

constexpr std::string_view none = "none";

compression_settings enabled(const wire::deflate_options& wanted = {}) {
  compression_settings settings;
  settings.enabled = true;
  settings.wanted = wanted;
  return settings;
}

std::string extension_lines(const std::vector<std::string>& offers) {
  std::string lines;
  for (const std::string& each : offers) lines += "Sec-WebSocket-Extensions: " + each + "\r\n";
  return lines;
}

// The value of Sec-WebSocket-Extensions in an answer, or "none".
std::string extensions_of(std::string_view answer) {
  constexpr std::string_view field = "\r\nSec-WebSocket-Extensions: ";
  const std::size_t at = answer.find(field);
  if (at == std::string_view::npos) return std::string(none);
  const std::string_view rest = answer.substr(at + field.size());
  EXPECT_EQ(rest.find(field), std::string_view::npos) << "it comes twice";
  return std::string(rest.substr(0, rest.find("\r\n")));
}

// What a server with these settings answers to lines of offers. The socket tells its handler the same.
std::string answer_to_offers(const std::vector<std::string>& offers, const compression_settings& settings,
                             const websocket_accept_options& options = {}) {
  std::string told;
  const std::string answer = answer_to(
      [&](exchange& with) -> task<> {
        websocket socket = accept_websocket(with, {}, true, options, settings);
        told = socket.extensions();
        co_return;
      },
      request(extension_lines(offers)));
  EXPECT_EQ(status_lines(answer), std::vector<std::string>{std::string(test::status_of_accepted)});
  const std::string answered = extensions_of(answer);
  EXPECT_EQ(told.empty() ? none : told, answered);
  return answered;
}

// ----- Vectors

// As in tests/wire/websocket/deflate_negotiation_test.cpp.
TEST(CompressionNegotiation, VectorsOfOneOffer) {
  std::map<std::string, std::string> ours{
      {"permessage-deflate; server_max_window_bits with 15", std::string(none)},
      {"permessage-deflate; server_max_window_bits with 14", std::string(none)},
      {"permessage-deflate; client_max_window_bits=8 with 15", "permessage-deflate; client_max_window_bits=8"}};
  const json rows = handshake_vectors("deflate_negotiation").at("rows");
  EXPECT_FALSE(rows.empty());
  for (const json& row : rows) {
    websocket_options options;
    options.dangerous_enable_compression = true;
    options.disable_server_context_takeover = !row.at("serverContextTakeover").get<bool>();
    options.server_max_window_bits = row.at("serverMaxWindowBits").get<int>();
    const auto offer = row.at("offer").get<std::string>();
    const auto difference = ours.extract(offer + " with " + std::to_string(options.server_max_window_bits));
    const json& response = row.at("response");
    const std::string theirs = response.is_null() ? std::string(none) : response.get<std::string>();
    const std::string expected = difference ? difference.mapped() : theirs;
    EXPECT_EQ(answer_to_offers({offer}, checked_compression(options)), expected) << row;
  }
  EXPECT_TRUE(ours.empty()) << "no such vector: " << ours.begin()->first;
}

TEST(CompressionNegotiation, VectorsOfSeveralOffers) {
  std::map<std::string, std::string> ours{
      {"permessage-deflate; client_max_window_bits=8, permessage-deflate; client_max_window_bits=13",
       "permessage-deflate; client_max_window_bits=8; server_max_window_bits=13"}};
  const json rows = handshake_vectors("deflate_negotiation_multiple_offers").at("rows");
  EXPECT_FALSE(rows.empty());
  for (const json& row : rows) {
    websocket_options options;
    options.dangerous_enable_compression = row.at("enabled").get<bool>();
    options.disable_server_context_takeover = row.value("disableServerContextTakeover", false);
    options.server_max_window_bits = row.value("serverMaxWindowBits", 15);
    const auto offers = row.at("header").get<std::string>();
    const auto difference = ours.extract(offers);
    const json& response = row.at("response");
    const std::string theirs = response.is_null() ? std::string(none) : response.get<std::string>();
    EXPECT_EQ(answer_to_offers({offers}, checked_compression(options)), difference ? difference.mapped() : theirs)
        << row;
  }
  EXPECT_TRUE(ours.empty()) << "no such vector: " << ours.begin()->first;
}

// ----- Offers

TEST(CompressionNegotiation, OffersInSeveralLinesAreOneList) {
  EXPECT_EQ(answer_to_offers({"foo", "permessage-deflate; bar", "permessage-deflate; server_no_context_takeover",
                              "permessage-deflate"},
                             enabled()),
            "permessage-deflate; server_no_context_takeover");
}

TEST(CompressionNegotiation, NothingIsAnsweredWithoutAnOfferThatCanBeAccepted) {
  EXPECT_EQ(answer_to_offers({}, enabled()), none);
  EXPECT_EQ(answer_to_offers({""}, enabled()), none);
  EXPECT_EQ(answer_to_offers({"foo; bar=\"1\""}, enabled()), none);
  EXPECT_EQ(answer_to_offers({"permessage-deflate; unknown"}, enabled()), none);
}

TEST(CompressionNegotiation, AMalformedFieldOffersNothing) {
  for (const char* const malformed : {"permessage-deflate;", "permessage-deflate; client_max_window_bits=\"15",
                                      "permessage-deflate, foo bar", "permessage-deflate, \"foo\"", "=", ";"}) {
    EXPECT_EQ(answer_to_offers({malformed}, enabled()), none) << malformed;
  }
}

TEST(CompressionNegotiation, ItIsOffUnlessItIsSwitchedOn) {
  EXPECT_EQ(answer_to_offers({"permessage-deflate"}, {}), none);
  EXPECT_EQ(answer_to_offers({"permessage-deflate"}, checked_compression({})), none);
}

// ----- Options of one accept

TEST(CompressionNegotiation, OneAcceptCanSwitchItOnAndOff) {
  websocket_accept_options options;
  options.dangerous_enable_compression = true;
  EXPECT_EQ(answer_to_offers({"permessage-deflate"}, {}, options), "permessage-deflate");
  options.dangerous_enable_compression = false;
  EXPECT_EQ(answer_to_offers({"permessage-deflate"}, enabled(), options), none);
}

TEST(CompressionNegotiation, OptionsOfOneAcceptReplaceTheGeneralOnes) {
  const compression_settings general = enabled({.server_context_takeover = false,
                                                .client_context_takeover = false,
                                                .server_max_window_bits = 12,
                                                .client_max_window_bits = 12});
  const std::vector<std::string> offer{"permessage-deflate; client_max_window_bits"};
  EXPECT_EQ(answer_to_offers(offer, general),
            "permessage-deflate; client_max_window_bits=12; client_no_context_takeover; server_no_context_takeover; "
            "server_max_window_bits=12");
  websocket_accept_options options;
  options.disable_server_context_takeover = false;
  options.client_max_window_bits = 8;
  EXPECT_EQ(answer_to_offers(offer, general, options),
            "permessage-deflate; client_max_window_bits=8; client_no_context_takeover; server_max_window_bits=12");
  options.disable_client_context_takeover = false;
  options.server_max_window_bits = 15;
  EXPECT_EQ(answer_to_offers(offer, general, options), "permessage-deflate; client_max_window_bits=8");
}

TEST(CompressionNegotiation, AWindowOfOneAcceptThatIsOutOfRangeIsRefused) {
  const std::string answer = answer_to(
      [](exchange& with) -> task<> {
        for (const int wrong : {8, 16}) {
          websocket_accept_options options;
          options.server_max_window_bits = wrong;
          EXPECT_THROW(static_cast<void>(accept_websocket(with, {}, true, options)), std::invalid_argument);
        }
        for (const int wrong : {7, 16}) {
          websocket_accept_options options;
          options.client_max_window_bits = wrong;
          EXPECT_THROW(static_cast<void>(accept_websocket(with, {}, true, options)), std::invalid_argument);
        }
        EXPECT_FALSE(with.upgraded());
        co_return;
      },
      request());
  EXPECT_EQ(status_lines(answer), std::vector<std::string>{"HTTP/1.1 200 OK"});
}

// ----- Memory

TEST(CompressionNegotiation, AClientIsToldToKeepNoContextWhenTheMemoryForItIsUsedUp) {
  compression_settings settings = enabled();
  settings.max_memory = wire::inflater_memory(15) - 1;
  EXPECT_EQ(answer_to_offers({"permessage-deflate"}, settings), "permessage-deflate; client_no_context_takeover");
  settings.max_memory = wire::inflater_memory(15);
  EXPECT_EQ(answer_to_offers({"permessage-deflate"}, settings), "permessage-deflate");
  settings.max_memory = wire::inflater_memory(10);
  EXPECT_EQ(answer_to_offers({"permessage-deflate; client_max_window_bits=10"}, settings),
            "permessage-deflate; client_max_window_bits=10");
}

TEST(CompressionNegotiation, TheMemoryOfASocketThatHasClosedIsThereForTheNext) {
  const auto pool = compression_pool::of_this_thread();
  compression_settings settings = enabled();
  settings.max_memory = wire::inflater_memory(15);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(answer_to_offers({"permessage-deflate"}, settings), "permessage-deflate");
    EXPECT_EQ(pool->reserved(), 0U);
  }
}

// ----- Afterwards

TEST(CompressionNegotiation, MessagesThatComeWithTheRequestAreInflated) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    websocket socket = accept_websocket(with, {}, true, {}, enabled());
    co_await test::echo(socket);
  };
  peers.connect();
  peers.send(request(extension_lines({"permessage-deflate"})) + test::compressed_message(opcode::text, "early"));
  peers.run_until_received(test::server_frame(opcode::text, "early"));
  peers.client_end->close();
  peers.run_until_gone();
}

TEST(CompressionNegotiation, WithoutAgreementRsv1IsRefused) {
  connection_peers peers;
  peers.context.handler = [](exchange& with) -> task<> {
    websocket socket = accept_websocket(with, {}, true, {}, enabled());
    co_await test::echo(socket);
  };
  peers.connect();
  peers.send(request() + test::compressed_message(opcode::text, "early"));
  peers.run_until_received(test::server_frame(opcode::close, test::closing(1002, "a reserved bit is set")));
  peers.client_end->close();
  peers.run_until_gone();
}

}  // namespace
}  // namespace windhover
