// Whole requests from a stream in pieces: what is accepted, what is refused and why, the limits, and what is left of
// the input. The table of attacks holds every shape known to smuggle a request past one of two parsers.
#include "wire/http1/request_parser.hpp"

#include <cstddef>
#include <ostream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "support/fragment_sweep.hpp"

namespace windhover::wire::http1 {
namespace {

using namespace std::string_view_literals;

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

void describe_head(std::string& log, const request_head& head) {
  log += head.method + ' ' + head.target + (head.version == http_version::http_1_0 ? " 1.0" : "");
  for (const headers::field field : head.fields) {
    log += '|';
    log += field.name;
    log += '=';
    log += field.value;
  }
  if (!head.keep_alive) log += "|close";
}

// Reads everything as a connection does, and writes down what came: each request with its fields, its body in
// brackets; at last the error, or whether the stream ended within a request.
std::string transcript(const testing::byte_pieces& pieces, const limits& bounds) {
  request_parser parser(bounds);
  std::string log;
  bool in_body = false;
  for (const auto& piece : pieces) {
    std::span<const std::byte> in = piece;
    for (;;) {
      if (!in_body) {
        const auto step = parser.read_head(in);
        if (step == request_parser::step::needs_more) break;
        if (step == request_parser::step::error) return log + std::string(describe(*parser.error()));
        describe_head(log, parser.head());
        log += '[';
        in_body = true;
      }
      const body_step step = parser.read_body(in);
      if (step.error) return log + std::string(describe(*step.error));
      log.append(reinterpret_cast<const char*>(step.data.data()), step.data.size());
      if (step.finished) log += "]\n";
      in_body = !step.finished;
      if (in_body && step.data.empty()) break;
    }
    EXPECT_TRUE(in.empty());
  }
  return log + (in_body || !parser.between_requests() ? "incomplete" : "");
}

void expect_transcript(std::string_view stream, std::string_view expected, const limits& bounds = limits()) {
  testing::for_each_cut(
      stream, [&](const testing::byte_pieces& pieces) { EXPECT_EQ(transcript(pieces, bounds), expected) << stream; });
}

TEST(RequestParser, ReadsARequestWithoutBody) {
  expect_transcript("GET /a?b HTTP/1.1\r\nHost: x\r\nAccept:  */* \r\n\r\n", "GET /a?b|Host=x|Accept=*/*[]\n");
  expect_transcript("GET / HTTP/1.0\r\n\r\n", "GET / 1.0|close[]\n");
}

TEST(RequestParser, ReadsBodies) {
  expect_transcript("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
                    "PUT /|Host=x|Content-Length=5[hello]\n");
  expect_transcript("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "PUT /|Host=x|Content-Length=0[]\n");
  expect_transcript(
      "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nhe\r\n3\r\nllo\r\n0\r\nA: b\r\n\r\n",
      "PUT /|Host=x|Transfer-Encoding=chunked[hello]\n");
}

TEST(RequestParser, ReadsPipelinedRequestsInOrder) {
  expect_transcript(
      "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
      "POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
      "POST /3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
      "\r\nGET /4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
      "GET /1|Host=x[]\n"
      "POST /2|Host=x|Content-Length=3[abc]\n"
      "POST /3|Host=x|Transfer-Encoding=chunked[abc]\n"
      "GET /4|Host=x|Connection=close|close[]\n");
}

TEST(RequestParser, SkipsOneOrTwoEmptyLinesBeforeARequest) {
  expect_transcript("\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET /|Host=x[]\n");
  expect_transcript("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
                    "GET /|Host=x[]\nGET /|Host=x[]\n");
  expect_transcript("\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", "The request line is malformed.");
}

TEST(RequestParser, AbsoluteFormIsReduced) {
  expect_transcript("GET http://y:1/a HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n", "GET /a|A=b|Host=y:1[]\n");
  expect_transcript("GET http://y HTTP/1.1\r\n\r\n", "The Host field is missing.");
}

TEST(RequestParser, AStreamThatEndsWithinARequestIsIncomplete) {
  constexpr std::string_view stream = "\r\nPUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
  for (std::size_t size = 1; size != stream.size(); ++size)
    EXPECT_TRUE(transcript(testing::cut(bytes(stream.substr(0, size)), 4), limits()).ends_with("incomplete")) << size;
}

TEST(RequestParser, LeavesWhatFollowsAnUpgradeInTheInput) {
  constexpr std::string_view stream =
      "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x80GET";
  for (std::size_t cut = 0; cut != stream.size() - 5; ++cut) {
    request_parser parser;
    auto in = bytes(stream.substr(0, cut));
    ASSERT_EQ(parser.read_head(in), request_parser::step::needs_more);
    in = bytes(stream.substr(cut));
    ASSERT_EQ(parser.read_head(in), request_parser::step::head);
    EXPECT_TRUE(parser.head().wants_upgrade);
    EXPECT_EQ(in.size(), 5U);
    EXPECT_TRUE(parser.read_body(in).finished);
    EXPECT_EQ(in.size(), 5U);
  }
}

TEST(RequestParser, TheHeadCanBeTakenBeforeTheBodyIsRead) {
  request_parser parser;
  auto in = bytes("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi");
  ASSERT_EQ(parser.read_head(in), request_parser::step::head);
  const request_head head = parser.take_head();
  EXPECT_EQ(head.target, "/a");
  EXPECT_EQ(head.content_length, 2U);
  EXPECT_TRUE(head.expects_continue);
  const body_step step = parser.read_body(in);
  EXPECT_EQ(step.data.size(), 2U);
  EXPECT_TRUE(step.finished);
  EXPECT_TRUE(parser.between_requests());
}

TEST(RequestParser, ReadingAHeadWithinABodyIsMisuse) {
  request_parser parser;
  auto in = bytes("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
  ASSERT_EQ(parser.read_head(in), request_parser::step::head);
  EXPECT_THROW(parser.read_head(in), std::logic_error);
}

TEST(RequestParser, IsSpentAfterAnError) {
  request_parser parser;
  auto in = bytes("GET /\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(parser.read_head(in), request_parser::step::error);
  EXPECT_EQ(parser.read_head(in), request_parser::step::error);
  EXPECT_EQ(parser.read_body(in).error, request_error::malformed_request_line);
  EXPECT_EQ(parser.error(), request_error::malformed_request_line);
}

TEST(RequestParser, RefusesWhatIsNoRequestAtItsFirstByte) {
  for (const std::string_view stream : {"\x16\x03\x01\x02"sv, "\x80"sv, "\0"sv, "\n"sv, " "sv, "{"sv})
    expect_transcript(stream, "The request line is malformed.");
}

TEST(RequestParser, TheRequestLineMayReachItsLimit) {
  limits bounds;
  bounds.request_line = std::string_view("GET /123 HTTP/1.1\r\n").size();
  expect_transcript("GET /123 HTTP/1.1\r\nHost: x\r\n\r\n", "GET /123|Host=x[]\n", bounds);
  expect_transcript("GET /1234 HTTP/1.1\r\nHost: x\r\n\r\n", "The request line is too long.", bounds);
  expect_transcript("GET /1234567890123456789", "The request line is too long.", bounds);
}

TEST(RequestParser, TheHeaderFieldsMayReachTheirLimit) {
  limits bounds;
  bounds.header_bytes = std::string_view("Host: x\r\nA: b\r\n\r\n").size();
  const std::string head = "GET / HTTP/1.1\r\nHost: x\r\nA: ";
  expect_transcript(head + "b\r\n\r\n", "GET /|Host=x|A=b[]\n", bounds);
  expect_transcript(head + "bc\r\n\r\n", "The header fields are too large.", bounds);
  expect_transcript(head + "bcdefghijk", "The header fields are too large.", bounds);
  expect_transcript(head + "b\r\n\r\n" + head + "b\r\n\r\n", "GET /|Host=x|A=b[]\nGET /|Host=x|A=b[]\n", bounds);
}

TEST(RequestParser, TheNumberOfFieldsMayReachItsLimit) {
  std::string stream = "GET / HTTP/1.1\r\nHost: x\r\n";
  std::string expected = "GET /|Host=x";
  for (int i = 1; i != 100; ++i) {
    stream += "A: b\r\n";
    expected += "|A=b";
  }
  expect_transcript(stream + "\r\n", expected + "[]\n");
  expect_transcript(stream + "A: b\r\n\r\n", "There are too many header fields.");
}

TEST(RequestParser, TheBodyMayReachItsLimit) {
  limits bounds;
  bounds.body = 3;
  const std::string head = "PUT / HTTP/1.1\r\nHost: x\r\n";
  expect_transcript(head + "Content-Length: 3\r\n\r\nabc", "PUT /|Host=x|Content-Length=3[abc]\n", bounds);
  expect_transcript(head + "Content-Length: 4\r\n\r\nabcd", "The body is too large.", bounds);
  expect_transcript(head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                    "PUT /|Host=x|Transfer-Encoding=chunked[abc]\n", bounds);
  expect_transcript(head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
                    "PUT /|Host=x|Transfer-Encoding=chunked[abcThe body is too large.", bounds);
}

struct attack {
  std::string_view name;
  std::string stream;
  request_error error;
};

void PrintTo(const attack& each, std::ostream* out) { *out << each.name; }

class RequestParserAttack : public ::testing::TestWithParam<attack> {};

TEST_P(RequestParserAttack, IsRefused) {
  const attack& each = GetParam();
  testing::for_each_cut(each.stream, [&each](const testing::byte_pieces& pieces) {
    const std::string log = transcript(pieces, limits());
    EXPECT_TRUE(log.ends_with(describe(each.error))) << log;
    EXPECT_EQ(log.find("smuggled"), std::string::npos) << log;
  });
}

// A second request that stands behind each attack and must never be seen.
constexpr std::string_view smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

// A POST whose head has these lines besides Host.
std::string post(std::string_view lines) {
  return "POST / HTTP/1.1\r\nHost: x\r\n" + std::string(lines) + "\r\n" + std::string(smuggled);
}

// A POST with this chunked body.
std::string chunks(std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body) + std::string(smuggled);
}

using enum request_error;

INSTANTIATE_TEST_SUITE_P(
    LineEnds, RequestParserAttack,
    ::testing::Values(attack{"BareLfBehindTheRequestLine", "GET / HTTP/1.1\nHost: x\r\n\r\n", malformed_line_end},
                      attack{"BareLfBehindAField", post("A: b\n"), malformed_line_end},
                      attack{"BareLfAsTheEmptyLine", "GET / HTTP/1.1\r\nHost: x\r\n\n", malformed_line_end},
                      attack{"BareLfBeforeTheRequest", "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", malformed_request_line},
                      attack{"BareCrInTheRequestLine", "GET /\rA HTTP/1.1\r\nHost: x\r\n\r\n", malformed_target},
                      attack{"BareCrBeforeTheRequest", "\rGET / HTTP/1.1\r\nHost: x\r\n\r\n", malformed_request_line},
                      attack{"BareCrInAValue", post("A: b\rTransfer-Encoding: chunked\r\n"), malformed_field},
                      attack{"CrCrLf", post("A: b\r\r\n"), malformed_field},
                      attack{"EmptyLineOfCrCrLf", "GET / HTTP/1.1\r\nHost: x\r\n\r\r\n", malformed_field}),
    [](const auto& each) { return std::string(each.param.name); });

INSTANTIATE_TEST_SUITE_P(
    RequestLines, RequestParserAttack,
    ::testing::Values(attack{"NoVersion", "GET /\r\n\r\n", malformed_request_line},
                      attack{"LeadingSpace", " GET / HTTP/1.1\r\nHost: x\r\n\r\n", malformed_request_line},
                      attack{"TwoSpaces", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", malformed_target},
                      attack{"Tab", "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", malformed_request_line},
                      attack{"SpaceInTheTarget", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", malformed_target},
                      attack{"TrailingSpace", "GET / HTTP/1.1 \r\nHost: x\r\n\r\n", malformed_request_line},
                      attack{"SpaceInTheMethod", "GE T / HTTP/1.1\r\nHost: x\r\n\r\n", malformed_target},
                      attack{"LowerCaseVersion", "GET / http/1.1\r\nHost: x\r\n\r\n", malformed_request_line},
                      attack{"VersionTwo", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", unsupported_version},
                      attack{"VersionZero", "GET / HTTP/0.9\r\n\r\n", unsupported_version},
                      attack{"Fragment", "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", malformed_target},
                      attack{"RelativeTarget", "GET a HTTP/1.1\r\nHost: x\r\n\r\n", malformed_target},
                      attack{"AsteriskForGet", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", malformed_target},
                      attack{"UserInTheTarget", "GET http://x@y/ HTTP/1.1\r\nHost: x\r\n\r\n", malformed_target},
                      attack{"Connect", "CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n", connect_not_supported},
                      attack{"ThreeEmptyLinesFirst", "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
                             malformed_request_line}),
    [](const auto& each) { return std::string(each.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Fields, RequestParserAttack,
    ::testing::Values(attack{"SpaceBeforeTheColon", post("Transfer-Encoding : chunked\r\n"), malformed_field},
                      attack{"TabBeforeTheColon", post("Content-Length\t: 5\r\n"), malformed_field},
                      attack{"EmptyName", post(": b\r\n"), malformed_field},
                      attack{"NoColon", post("A\r\n"), malformed_field},
                      attack{"NulInAName", post("A\0: b\r\n"sv), malformed_field},
                      attack{"NulInAValue", post("A: b\0c\r\n"sv), malformed_field},
                      attack{"ControlCharacterInAValue", post("A: \x01\r\n"), malformed_field},
                      attack{"VerticalTabBeforeChunked",
                             post("Transfer-Encoding: \x0B"
                                  "chunked\r\n"),
                             malformed_field},
                      attack{"DeleteInAValue", post("A: \x7F\r\n"), malformed_field},
                      attack{"NameThatIsNotAscii", post("\xC3\xA4: b\r\n"), malformed_field},
                      attack{"FoldedField", post("A: b\r\n c\r\n"), folded_field},
                      attack{"FoldedTransferEncoding", post("Transfer-Encoding:\r\n chunked\r\n"), folded_field},
                      attack{"FoldedByTab", post("A: b\r\n\tTransfer-Encoding: chunked\r\n"), folded_field},
                      attack{"FirstFieldIndented", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", folded_field}),
    [](const auto& each) { return std::string(each.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Hosts, RequestParserAttack,
    ::testing::Values(attack{"NoHost", "GET / HTTP/1.1\r\n\r\n", missing_host},
                      attack{"TwoHosts", post("Host: y\r\n"), several_hosts},
                      attack{"TwoEqualHosts", post("host: x\r\n"), several_hosts},
                      attack{"TwoHostsInHttp10", "GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n", several_hosts},
                      attack{"HostWithAPath", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", malformed_host},
                      attack{"HostWithAUser", "GET / HTTP/1.1\r\nHost: u@x\r\n\r\n", malformed_host},
                      attack{"HostWithAList", "GET / HTTP/1.1\r\nHost: x, y\r\n\r\n", malformed_host},
                      attack{"HostWithABadPort", "GET / HTTP/1.1\r\nHost: x:80a\r\n\r\n", malformed_host},
                      attack{"HostWithAnOpenBracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", malformed_host}),
    [](const auto& each) { return std::string(each.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Lengths, RequestParserAttack,
    ::testing::Values(
        attack{"EqualContentLengths", post("Content-Length: 3\r\nContent-Length: 3\r\n"), several_content_lengths},
        attack{"DifferentContentLengths", post("Content-Length: 3\r\nContent-Length: 4\r\n"), several_content_lengths},
        attack{"ContentLengthAsAList", post("Content-Length: 3, 3\r\n"), malformed_content_length},
        attack{"ContentLengthWithAPlus", post("Content-Length: +5\r\n"), malformed_content_length},
        attack{"ContentLengthWithAMinus", post("Content-Length: -5\r\n"), malformed_content_length},
        attack{"ContentLengthInHexadecimal", post("Content-Length: 0x5\r\n"), malformed_content_length},
        attack{"EmptyContentLength", post("Content-Length:\r\n"), malformed_content_length},
        attack{"ContentLengthThatOverflows", post("Content-Length: 18446744073709551617\r\n"),
               malformed_content_length},
        attack{"ContentLengthWithSpaceInside", post("Content-Length: 1 2\r\n"), malformed_content_length},
        attack{"ContentLengthAboveTheLimit", post("Content-Length: 30000001\r\n"), body_too_large},
        attack{"LengthThenChunked", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"),
               content_length_and_transfer_encoding},
        attack{"ChunkedThenLength", post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"),
               content_length_and_transfer_encoding}),
    [](const auto& each) { return std::string(each.param.name); });

INSTANTIATE_TEST_SUITE_P(
    TransferCodings, RequestParserAttack,
    ::testing::Values(
        attack{"Xchunked", post("Transfer-Encoding: xchunked\r\n"), unknown_transfer_coding},
        attack{"Identity", post("Transfer-Encoding: identity\r\n"), unknown_transfer_coding},
        attack{"GzipThenChunked", post("Transfer-Encoding: gzip, chunked\r\n"), unknown_transfer_coding},
        attack{"ChunkedThenIdentity", post("Transfer-Encoding: chunked, identity\r\n"), malformed_transfer_encoding},
        attack{"ChunkedThenIdentityInTwoFields", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
               malformed_transfer_encoding},
        attack{"ChunkedTwice", post("Transfer-Encoding: chunked, chunked\r\n"), malformed_transfer_encoding},
        attack{"ChunkedInTwoFields", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
               malformed_transfer_encoding},
        attack{"EmptyTransferEncoding", post("Transfer-Encoding:\r\n"), malformed_transfer_encoding},
        attack{"EmptyMember", post("Transfer-Encoding: ,chunked\r\n"), malformed_transfer_encoding},
        attack{"QuotedChunked", post("Transfer-Encoding: \"chunked\"\r\n"), malformed_transfer_encoding},
        attack{"ChunkedWithAParameter", post("Transfer-Encoding: chunked;a=b\r\n"), malformed_transfer_encoding},
        attack{"ChunkedInHttp10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
               transfer_encoding_in_http_1_0}),
    [](const auto& each) { return std::string(each.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Chunks, RequestParserAttack,
    ::testing::Values(attack{"SpaceBeforeTheSize", chunks(" 5\r\nhello\r\n0\r\n\r\n"), malformed_chunk},
                      attack{"SpaceBehindTheSize", chunks("5 \r\nhello\r\n0\r\n\r\n"), malformed_chunk},
                      attack{"BareLfBehindTheSize", chunks("5\nhello\r\n0\r\n\r\n"), malformed_chunk},
                      attack{"BareLfInAnExtension", chunks("5;a\nb\r\nhello\r\n0\r\n\r\n"), malformed_chunk},
                      attack{"NoLineEndBehindTheData", chunks("5\r\nhello0\r\n\r\n"), malformed_chunk},
                      attack{"BareLfBehindTheData", chunks("5\r\nhello\n0\r\n\r\n"), malformed_chunk},
                      attack{"SizeWithAPlus", chunks("+5\r\nhello\r\n0\r\n\r\n"), malformed_chunk},
                      attack{"SizeWithAPrefix", chunks("0x5\r\nhello\r\n0\r\n\r\n"), malformed_chunk},
                      attack{"SizeThatOverflows", chunks("10000000000000005\r\nhello\r\n0\r\n\r\n"), malformed_chunk},
                      attack{"RequestInsteadOfATrailer", chunks("0\r\n"), malformed_field},
                      attack{"FoldedTrailer", chunks("0\r\nA: b\r\n c\r\n\r\n"), folded_field}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace windhover::wire::http1
