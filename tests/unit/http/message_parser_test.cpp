#include "http/message_parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace llm_edge_cache::http {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// What a parser said of a stream of messages.
struct Heard {
  std::vector<std::string> heads;  // "POST /v1 4" : method, target or status, number of fields
  std::vector<std::string> bodies;
  std::uint16_t error_status = 0;
  std::string error;
};

std::string describe(const RequestHead& head) {
  return head.method + " " + head.target + " " + std::to_string(head.headers.size());
}
std::string describe(const ResponseHead& head) {
  return std::to_string(head.status) + " " + std::to_string(head.headers.size());
}

std::string head_of(const RequestParser& parser) {
  return describe(parser.received()->head);
}
std::string head_of(ResponseParser& parser) {
  return describe(parser.take_head());
}

void start(RequestParser& parser) {
  parser.start();
}
void start(ResponseParser& parser) {
  parser.start({});
}

// Feeds all of input in pieces of the given size, as reads from a socket would.
template <class Parser>
Heard feed(Parser& parser, std::string_view input, std::size_t piece) {
  Heard heard;
  std::string body;
  while (!input.empty()) {
    std::string_view part = input.substr(0, piece);
    input.remove_prefix(part.size());
    for (;;) {
      const ParseStep step = parser.next(part);
      part.remove_prefix(step.consumed);
      for (const std::string_view bytes : parser.body()) body += bytes;
      if (step.event == ParseEvent::kHead) heard.heads.push_back(head_of(parser));
      if (step.event == ParseEvent::kEnd) {
        heard.bodies.push_back(std::exchange(body, ""));
        start(parser);
      }
      if (step.event == ParseEvent::kError) {
        heard.error_status = parser.error().status;
        heard.error = parser.error().detail;
        return heard;
      }
      if (part.empty() && step.event != ParseEvent::kHead) break;
    }
  }
  return heard;
}

Heard parse_requests(std::string_view input, std::size_t piece = 1 << 20,
                     ParserLimits limits = {}) {
  RequestParser parser(limits);
  return feed(parser, input, piece);
}

Heard parse_responses(std::string_view input, std::size_t piece = 1 << 20) {
  ResponseParser parser({});
  return feed(parser, input, piece);
}

class EverySplitTest : public ::testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Pieces, EverySplitTest, ::testing::Values(1, 2, 3, 5, 7, 64, 4096));

TEST_P(EverySplitTest, pipelined_requests_come_out_whole_and_in_order) {
  const Heard heard = parse_requests(
      "GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n"
      "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
      "POST /q HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n"
      "\r\nDELETE /r HTTP/1.1\r\nHost: h\r\n\r\n",
      GetParam());
  EXPECT_EQ(heard.error, "");
  EXPECT_THAT(heard.heads, ElementsAre("GET /a?b=c 1", "POST /p 2", "POST /q 2", "DELETE /r 1"));
  EXPECT_THAT(heard.bodies, ElementsAre("", "hello", "abcdefg", ""));
}

TEST_P(EverySplitTest, trailers_are_read_and_what_follows_them_is_another_request) {
  const std::string chunked = "POST /q HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const Heard heard = parse_requests(chunked + "2\r\n\n\n\r\n0\r\n\r\n" +  // data is not scanned
                                         chunked + "0;x\r\nA: b\r\nC:  d \r\n\r\n" + chunked +
                                         "000\r\n\r\nGET /r HTTP/1.1\r\nHost: h\r\n\r\n",
                                     GetParam());
  EXPECT_EQ(heard.error, "");
  EXPECT_THAT(heard.heads, ElementsAre("POST /q 2", "POST /q 2", "POST /q 2", "GET /r 1"));
  EXPECT_THAT(heard.bodies, ElementsAre("\n\n", "", "", ""));
}

TEST_P(EverySplitTest, responses_come_out_whole_and_in_order) {
  const Heard heard = parse_responses(
      "HTTP/1.1 100 Continue\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nA: b\r\n\r\nabc"
      "HTTP/1.1 204 No Content\r\n\r\n"
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n"
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
      GetParam());
  EXPECT_EQ(heard.error, "");
  EXPECT_THAT(heard.heads, ElementsAre("100 0", "200 2", "204 0", "304 1", "200 1"));
  EXPECT_THAT(heard.bodies, ElementsAre("", "abc", "", "", "hi"));
}

TEST_P(EverySplitTest, field_values_lose_only_the_white_space_around_them) {
  RequestParser parser({});
  std::string_view input = "GET / HTTP/1.1\r\nHost:h\r\nA: \t b  c \t\r\nEmpty:\r\n\r\n";
  ParseStep step;
  while (step.event == ParseEvent::kNeedMore) {
    ASSERT_FALSE(input.empty());
    const std::string_view part = input.substr(0, GetParam());
    step = parser.next(part);
    input.remove_prefix(step.consumed);
  }
  ASSERT_EQ(step.event, ParseEvent::kHead) << parser.error().detail;
  const RequestHead& head = parser.received()->head;
  EXPECT_EQ(head.headers.get("a"), "b  c");
  EXPECT_EQ(head.headers.get("empty"), "");
  EXPECT_EQ(parser.next("").event, ParseEvent::kEnd);
}

std::string post(std::string_view length, std::string_view body) {
  return "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::string(length) +
         "\r\nA: b\r\n\r\n" + std::string(body);
}

TEST_P(EverySplitTest, a_repeated_head_comes_out_as_the_first_one_did) {
  const Heard heard =
      parse_requests(post("5", "hello") + post("5", "world") + post("3", "abc") + post("0", "") +
                         post("11", "hello world") + post("11", "HELLO WORLD") +
                         "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
                     GetParam());
  EXPECT_EQ(heard.error, "");
  EXPECT_THAT(heard.heads, ElementsAre("POST /p 3", "POST /p 3", "POST /p 3", "POST /p 3",
                                       "POST /p 3", "POST /p 3", "GET / 1"));
  EXPECT_THAT(heard.bodies,
              ElementsAre("hello", "world", "abc", "", "hello world", "HELLO WORLD", ""));
}

// Feeds one whole request; its head stays with the parser.
ParseEvent feed_whole(RequestParser& parser, std::string_view input) {
  parser.start();
  ParseStep step = parser.next(input);
  while (step.event == ParseEvent::kHead || step.event == ParseEvent::kBody) {
    input.remove_prefix(step.consumed);
    step = parser.next(input);
  }
  return step.event;
}

TEST(RepeatedHeadTest, is_the_same_object_with_the_length_that_now_holds) {
  RequestParser parser({});
  ASSERT_EQ(feed_whole(parser, post("5", "hello")), ParseEvent::kEnd);
  const auto* const first = parser.received().get();
  parser.received()->note = std::make_shared<HeadNote>();
  ASSERT_EQ(feed_whole(parser, post("7", "goodbye")), ParseEvent::kEnd);
  EXPECT_EQ(parser.received().get(), first);
  EXPECT_NE(parser.received()->note, nullptr);
  EXPECT_EQ(parser.received()->head.headers.get("content-length"), "7");
  EXPECT_EQ(parser.content_length(), 7U);
  EXPECT_TRUE(parser.keep_alive());
  EXPECT_TRUE(parser.framed());
}

TEST(RepeatedHeadTest, another_head_has_no_note) {
  RequestParser parser({});
  for (const auto& other : {post("10", "0123456789"), "POST /q" + post("5", "hello").substr(7),
                            std::string("GET / HTTP/1.1\r\nHost: h\r\n\r\n")}) {
    ASSERT_EQ(feed_whole(parser, post("5", "hello")), ParseEvent::kEnd);
    parser.received()->note = std::make_shared<HeadNote>();
    ASSERT_EQ(feed_whole(parser, other), ParseEvent::kEnd);
    EXPECT_EQ(parser.received()->note, nullptr) << other;
  }
}

TEST(RepeatedHeadTest, is_not_changed_under_whoever_still_holds_it) {
  RequestParser parser({});
  ASSERT_EQ(feed_whole(parser, post("5", "hello")), ParseEvent::kEnd);
  const auto held = parser.received();
  ASSERT_EQ(feed_whole(parser, post("7", "goodbye")), ParseEvent::kEnd);
  EXPECT_NE(parser.received(), held);
  EXPECT_EQ(held->head.headers.get("content-length"), "5");
  EXPECT_EQ(parser.received()->head.headers.get("content-length"), "7");
}

TEST(RepeatedHeadTest, of_much_memory_is_not_kept_for_the_next_request) {
  RequestParser parser({});
  const std::string large =
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nA: " + std::string(20'000, 'a') +
      "\r\n\r\na";
  ASSERT_EQ(feed_whole(parser, large), ParseEvent::kEnd);
  EXPECT_NE(parser.received(), nullptr);
  parser.start();
  EXPECT_EQ(parser.received(), nullptr);
  ASSERT_EQ(feed_whole(parser, post("5", "hello")), ParseEvent::kEnd);
  parser.start();
  EXPECT_NE(parser.received(), nullptr);
}

TEST(RequestParserTest, nothing_that_a_message_made_large_is_kept_for_the_next_one) {
  std::string tiny_chunks = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 10'000; ++i) tiny_chunks += "1\r\na\r\n";
  const std::string large(60'000, 'a');
  for (const auto& request : {
           tiny_chunks + "0\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: h\r\nA: " + large + "\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: h\r\n" + large + ": a\r\n\r\n",
           "GET /" + large + " HTTP/1.1\r\nHost: h\r\n\r\n",
       }) {
    RequestParser parser({.max_target_bytes = 64 * 1024});
    ASSERT_EQ(feed_whole(parser, request), ParseEvent::kEnd) << request.substr(0, 80);
    parser.start();
    EXPECT_LT(parser.memory_bytes(), 10'000U) << request.substr(0, 80);
  }
}

TEST(RepeatedHeadTest, is_judged_anew_when_one_byte_differs) {
  const std::string good = post("5", "hello");
  const std::size_t head_size = good.size() - 5;
  for (std::size_t i = 0; i < head_size; ++i) {
    for (const char other : {'\0', ' ', '\r', '\n', ':', 'x', '0', '\x7f'}) {
      std::string changed = good;
      changed[i] = other;
      RequestParser fresh({});
      RequestParser repeating({});
      ASSERT_EQ(feed_whole(repeating, good), ParseEvent::kEnd);
      const auto expected = feed_whole(fresh, changed);
      ASSERT_EQ(feed_whole(repeating, changed), expected) << changed;
      EXPECT_EQ(repeating.error().status, fresh.error().status) << changed;
      EXPECT_EQ(repeating.content_length(), fresh.content_length()) << changed;
    }
  }
}

TEST(RepeatedHeadTest, that_ends_the_connection_ends_it_again) {
  const std::string last =
      "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\n\r\na";
  RequestParser parser({});
  ASSERT_EQ(feed_whole(parser, last), ParseEvent::kEnd);
  ASSERT_EQ(feed_whole(parser, last), ParseEvent::kEnd);
  EXPECT_FALSE(parser.keep_alive());
}

TEST(RepeatedHeadTest, with_a_body_cut_short_is_an_error) {
  RequestParser parser({});
  ASSERT_EQ(feed_whole(parser, post("5", "hello")), ParseEvent::kEnd);
  ASSERT_EQ(feed_whole(parser, post("5", "hell")), ParseEvent::kNeedMore);
  EXPECT_FALSE(parser.complete());
  EXPECT_EQ(parser.end_of_input().event, ParseEvent::kError);
}

// Every message here is one that two parsers might read differently, or nonsense.
struct Rejected {
  std::string name;
  std::string input;
  std::uint16_t status;
};

class RejectedRequestTest : public ::testing::TestWithParam<Rejected> {};

TEST_P(RejectedRequestTest, is_rejected_whole_and_byte_by_byte) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{4096}}) {
    const Heard heard = parse_requests(GetParam().input, piece);
    EXPECT_EQ(heard.error_status, GetParam().status) << "pieces of " << piece;
    EXPECT_NE(heard.error, "");
    EXPECT_THAT(heard.bodies, IsEmpty());
  }
}

std::string with_fields(const std::string& fields) {
  return "POST / HTTP/1.1\r\n" + fields + "\r\n";
}

INSTANTIATE_TEST_SUITE_P(
    Smuggling, RejectedRequestTest,
    ::testing::Values(
        Rejected{"cl_te",
                 with_fields("Host: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n"),
                 400},
        Rejected{"te_cl",
                 with_fields("Host: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n"),
                 400},
        Rejected{"two_cl", with_fields("Host: h\r\nContent-Length: 4\r\nContent-Length: 4\r\n"),
                 400},
        Rejected{"cl_list", with_fields("Host: h\r\nContent-Length: 4, 4\r\n"), 400},
        Rejected{"cl_plus", with_fields("Host: h\r\nContent-Length: +4\r\n"), 400},
        Rejected{"cl_negative", with_fields("Host: h\r\nContent-Length: -4\r\n"), 400},
        Rejected{"cl_hex", with_fields("Host: h\r\nContent-Length: 0x4\r\n"), 400},
        Rejected{"cl_overflow", with_fields("Host: h\r\nContent-Length: 18446744073709551616\r\n"),
                 400},
        Rejected{"cl_empty", with_fields("Host: h\r\nContent-Length:\r\n"), 400},
        Rejected{"te_gzip", with_fields("Host: h\r\nTransfer-Encoding: gzip\r\n"), 501},
        Rejected{"te_gzip_chunked", with_fields("Host: h\r\nTransfer-Encoding: gzip, chunked\r\n"),
                 501},
        Rejected{"te_chunked_gzip", with_fields("Host: h\r\nTransfer-Encoding: chunked, gzip\r\n"),
                 400},
        Rejected{
            "te_twice",
            with_fields("Host: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
            400},
        Rejected{"te_folded", with_fields("Host: h\r\nTransfer-Encoding:\r\n chunked\r\n"), 400},
        Rejected{"te_tab",
                 with_fields("Host: h\r\nTransfer-Encoding: \x0b"
                             "chunked\r\n"),
                 400},
        Rejected{"te_space_colon", with_fields("Host: h\r\nTransfer-Encoding : chunked\r\n"), 400},
        Rejected{"te_http10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        Rejected{"folded_value", with_fields("Host: h\r\nA: b\r\n c\r\n"), 400},
        Rejected{"folded_first_line", with_fields(" Host: h\r\n"), 400},
        Rejected{"empty_name", with_fields("Host: h\r\n: b\r\n"), 400},
        Rejected{"name_with_space", with_fields("Host: h\r\nA b: c\r\n"), 400},
        Rejected{"no_colon", with_fields("Host: h\r\nnonsense\r\n"), 400},
        Rejected{"no_host", with_fields("A: b\r\n"), 400},
        Rejected{"two_hosts", with_fields("Host: a\r\nHost: a\r\n"), 400},
        Rejected{"host_list", with_fields("Host: a,b\r\n"), 400},
        Rejected{"host_user", with_fields("Host: a@b\r\n"), 400},
        Rejected{"bare_lf", "GET / HTTP/1.1\nHost: h\n\n", 400},
        Rejected{"bare_lf_in_fields", with_fields("Host: h\nA: b\r\n"), 400},
        Rejected{"bare_cr", with_fields("Host: h\rA: b\r\n"), 400},
        Rejected{"nul_in_value", with_fields("Host: h\r\nA: b" + std::string(1, '\0') + "c\r\n"),
                 400},
        Rejected{"control_in_value", with_fields("Host: h\r\nA: b\x01\r\n"), 400},
        Rejected{"other_host_in_target", "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", 400},
        Rejected{"other_scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Rejected{"fragment", "GET /#f HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Rejected{"star", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Rejected{"connect", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 501},
        Rejected{"unknown_method", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Rejected{"http2_preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
        Rejected{"http09", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
        Rejected{"http12", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
        Rejected{"tls_hello", std::string("\x16\x03\x01\x02\x00", 5), 400}),
    [](const auto& given) { return given.param.name; });

class RejectedChunkTest : public ::testing::TestWithParam<Rejected> {};

TEST_P(RejectedChunkTest, is_rejected_before_the_message_ends) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{4096}}) {
    const Heard heard = parse_requests(head + GetParam().input, piece);
    EXPECT_EQ(heard.error_status, GetParam().status) << "pieces of " << piece;
    EXPECT_THAT(heard.bodies, IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Chunks, RejectedChunkTest,
    ::testing::Values(
        Rejected{"not_hex", "g\r\nabc\r\n", 400}, Rejected{"no_size", "\r\nabc\r\n", 400},
        Rejected{"negative", "-1\r\nabc\r\n", 400}, Rejected{"prefix", "0x3\r\nabc\r\n", 400},
        Rejected{"too_big", "FFFFFFFFFFFFFFFFF\r\n", 400},
        Rejected{"space_before_size", " 3\r\nabc\r\n", 400},
        Rejected{"bare_lf_after_size", "3\nabc\r\n", 400},
        Rejected{"no_line_end_after_data", "3\r\nabcd\r\n", 400},
        Rejected{"bare_lf_after_data", "3\r\nabc\n0\r\n\r\n", 400},
        Rejected{"endless_extension", "3;" + std::string(70'000, 'x') + "\r\n", 431},
        Rejected{"bare_lf_for_the_end_of_trailers", "3\r\nabc\r\n0\r\n\n", 400},
        Rejected{"bare_lf_before_the_end_of_trailers", "0\r\nT: t\r\n\n", 400},
        Rejected{"bare_lf_after_a_trailer", "0\r\nT: t\n\r\n", 400},
        Rejected{"bare_cr_in_a_trailer", "0\r\nT: a\rb\r\n\r\n", 400},
        Rejected{"folded_trailer", "0\r\nT: a\r\n b\r\n\r\n", 400},
        Rejected{"endless_trailer", "0\r\nT: " + std::string(70'000, 'x') + "\r\n", 431}),
    [](const auto& given) { return given.param.name; });

TEST(RequestParserTest, limits_answer_with_their_own_status) {
  ParserLimits limits;
  limits.max_header_bytes = 1'000;
  limits.max_target_bytes = 100;
  limits.max_header_fields = 3;
  for (const std::size_t piece : {std::size_t{1}, std::size_t{4096}}) {
    EXPECT_EQ(parse_requests("GET /" + std::string(100, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n",
                             piece, limits)
                  .error_status,
              414);
    EXPECT_EQ(parse_requests(with_fields("Host: h\r\nA: " + std::string(1'000, 'x') + "\r\n"),
                             piece, limits)
                  .error_status,
              431);
    EXPECT_EQ(parse_requests(with_fields("Host: h\r\nA: 1\r\nB: 2\r\nC: 3\r\n"), piece, limits)
                  .error_status,
              431);
    EXPECT_EQ(parse_requests(with_fields("Host: h\r\nA: 1\r\nB: 2\r\n"), piece, limits).error, "");
  }
}

TEST(RequestParserTest, head_that_never_ends_is_cut_at_the_limit) {
  ParserLimits limits;
  limits.max_header_bytes = 500;
  RequestParser parser(limits);
  std::size_t fed = 0;
  while (parser.next("\r\n").event == ParseEvent::kNeedMore) fed += 2;
  EXPECT_LE(fed, 500U);
  EXPECT_EQ(parser.error().status, 431);
}

TEST(RequestParserTest, absolute_form_becomes_origin_form) {
  EXPECT_THAT(parse_requests("GET http://h:80/a?b HTTP/1.1\r\nHost: H:80\r\n\r\n").heads,
              ElementsAre("GET /a?b 1"));
  EXPECT_THAT(parse_requests("GET https://h HTTP/1.1\r\nHost: h\r\n\r\n").heads,
              ElementsAre("GET / 1"));
  EXPECT_THAT(parse_requests("GET http://h?q HTTP/1.1\r\nHost: h\r\n\r\n").heads,
              ElementsAre("GET /?q 1"));
}

TEST(RequestParserTest, upgrade_offers_are_plain_requests) {
  const Heard heard = parse_requests(
      "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
      "HTTP2-Settings: AAMAAABk\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(heard.error, "");
  EXPECT_THAT(heard.heads, ElementsAre("GET / 4", "GET /next 1"));
}

TEST(RequestParserTest, keep_alive_follows_version_and_connection) {
  const auto keep_alive = [](std::string_view input) {
    RequestParser parser({});
    EXPECT_EQ(parser.next(input).event, ParseEvent::kHead);
    return parser.keep_alive();
  };
  EXPECT_TRUE(keep_alive("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_FALSE(keep_alive("GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n"));
  EXPECT_FALSE(keep_alive("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keep_alive("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(RequestParserTest, end_of_input_within_a_message_is_an_error) {
  RequestParser parser({});
  ASSERT_EQ(parser.next("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n").event,
            ParseEvent::kHead);
  ASSERT_EQ(parser.next("ab").event, ParseEvent::kBody);
  EXPECT_EQ(parser.end_of_input().event, ParseEvent::kError);
}

TEST(RequestParserTest, empty_input_within_a_body_says_nothing) {
  RequestParser parser({});
  ASSERT_EQ(parser.next("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n").event,
            ParseEvent::kHead);
  EXPECT_EQ(parser.next("").event, ParseEvent::kNeedMore);
  EXPECT_EQ(parser.next("ab").event, ParseEvent::kBody);
  EXPECT_EQ(parser.next({}).event, ParseEvent::kNeedMore);
  EXPECT_EQ(parser.next("c").event, ParseEvent::kEnd);
}

TEST(RequestParserTest, expectations_are_known_or_not) {
  RequestHead head;
  EXPECT_EQ(RequestParser::expectation(head), RequestParser::Expectation::kNone);
  head.headers.add("Expect", "100-Continue");
  EXPECT_EQ(RequestParser::expectation(head), RequestParser::Expectation::kContinue);
  head.version = Version::kHttp10;
  EXPECT_EQ(RequestParser::expectation(head), RequestParser::Expectation::kNone);
  head.version = Version::kHttp11;
  head.headers.set("Expect", "the-unexpected");
  EXPECT_EQ(RequestParser::expectation(head), RequestParser::Expectation::kUnknown);
}

TEST(ResponseParserTest, close_ends_an_unframed_body_and_says_so) {
  ResponseParser parser({});
  ASSERT_EQ(parser.next("HTTP/1.1 200 OK\r\n\r\n").event, ParseEvent::kHead);
  EXPECT_FALSE(parser.framed());
  EXPECT_FALSE(parser.keep_alive());
  ASSERT_EQ(parser.next("some").event, ParseEvent::kBody);
  EXPECT_EQ(parser.end_of_input().event, ParseEvent::kEnd);
}

TEST(ResponseParserTest, close_within_a_framed_body_is_an_error) {
  for (const std::string_view framing : {"Content-Length: 5", "Transfer-Encoding: chunked"}) {
    ResponseParser parser({});
    const std::string head = "HTTP/1.1 200 OK\r\n" + std::string(framing) + "\r\n\r\n";
    ASSERT_EQ(parser.next(head).event, ParseEvent::kHead);
    EXPECT_TRUE(parser.framed());
    static_cast<void>(parser.next(framing.starts_with("T") ? "5\r\nab" : "ab"));
    EXPECT_EQ(parser.end_of_input().event, ParseEvent::kError);
  }
}

TEST(ResponseParserTest, answer_to_head_has_no_body_whatever_it_says) {
  for (const std::string_view framing :
       {"Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", ""}) {
    ResponseParser parser({});
    parser.start({.to_head_request = true});
    const std::string head = "HTTP/1.1 200 OK\r\n" + std::string(framing) + "\r\n";
    ASSERT_EQ(parser.next(head + "HTTP/1.1").event, ParseEvent::kHead);
    EXPECT_TRUE(parser.complete());
    EXPECT_TRUE(parser.framed());
    EXPECT_EQ(parser.next("HTTP/1.1").event, ParseEvent::kEnd);
  }
}

TEST(ResponseParserTest, ambiguous_framing_is_an_error) {
  for (const std::string_view fields :
       {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n", "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: chunked, chunked\r\n", "A: b\r\n c\r\n"}) {
    const Heard heard = parse_responses("HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n");
    EXPECT_NE(heard.error, "") << fields;
  }
}

TEST(ResponseParserTest, rubbish_is_an_error) {
  EXPECT_NE(parse_responses("SSH-2.0-OpenSSH_9.2\r\n").error, "");
  EXPECT_NE(parse_responses("HTTP/1.1 2000 OK\r\n\r\n").error, "");
  EXPECT_NE(parse_responses("HTTP/1.1\r\n\r\n").error, "");
}

}  // namespace
}  // namespace llm_edge_cache::http
