#include "http/sse.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace llm_edge_cache::http {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// "type|data|id" of each event, fed in pieces.
std::vector<std::string> parse(std::string_view stream, std::size_t piece, SseParser& parser) {
  std::vector<std::string> events;
  while (!stream.empty()) {
    const std::string_view part = stream.substr(0, piece);
    stream.remove_prefix(part.size());
    const Status status = parser.feed(part, [&](const SseEvent& event) {
      events.push_back(std::string(event.type) + "|" + std::string(event.data) + "|" +
                       std::string(event.id));
    });
    if (!status.ok()) events.push_back("error");
    if (!status.ok()) break;
  }
  return events;
}

class SseSplitTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  std::vector<std::string> events(std::string_view stream) {
    SseParser parser(1'000);
    return parse(stream, GetParam(), parser);
  }
};
INSTANTIATE_TEST_SUITE_P(Pieces, SseSplitTest, ::testing::Values(1, 2, 3, 7, 4096));

TEST_P(SseSplitTest, every_line_end_is_understood) {
  EXPECT_THAT(events("data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\r\n\n"),
              ElementsAre("|a|", "|b|", "|c|", "|d|"));
}

TEST_P(SseSplitTest, data_lines_are_joined) {
  EXPECT_THAT(events("data: a\ndata\ndata:  b\n\n"), ElementsAre("|a\n\n b|"));
}

TEST_P(SseSplitTest, type_is_of_one_event_and_id_stays) {
  EXPECT_THAT(events("event: ping\nid: 7\ndata: x\n\ndata: y\n\nid\ndata: z\n\n"),
              ElementsAre("ping|x|7", "|y|7", "|z|"));
}

TEST_P(SseSplitTest, event_without_data_is_none) {
  EXPECT_THAT(events("event: ping\n\ndata: x\n\n"), ElementsAre("|x|"));
  EXPECT_THAT(events("data\n\n"), ElementsAre("||"));
}

TEST_P(SseSplitTest, comments_unknown_fields_and_byte_order_mark_are_ignored) {
  EXPECT_THAT(events("\xEF\xBB\xBF: hello\n:\nfoo: bar\ndata: x\n\n"), ElementsAre("|x|"));
  EXPECT_THAT(events("\xEF\xBB\xBF"
                     "data: x\n\n\xEF\xBB\xBF"
                     "data: y\n\ndata: z\n\n"),
              ElementsAre("|x|", "|z|"));
}

TEST_P(SseSplitTest, id_with_nul_is_ignored) {
  EXPECT_THAT(events(std::string("id: a\0b\ndata: x\n\n", 17)), ElementsAre("|x|"));
}

TEST_P(SseSplitTest, event_that_the_stream_cuts_is_dropped) {
  EXPECT_THAT(events("data: a\n\ndata: b\n"), ElementsAre("|a|"));
}

TEST_P(SseSplitTest, event_over_the_limit_is_an_error) {
  EXPECT_THAT(events("data: " + std::string(2'000, 'x') + "\n\n"), ElementsAre("error"));
  std::string many;
  for (int i = 0; i < 200; ++i) many += "data: 12345678\n";
  EXPECT_THAT(events(many), ElementsAre("error"));
  EXPECT_THAT(events(":" + std::string(2'000, 'x')), ElementsAre("error"));
}

TEST_P(SseSplitTest, many_small_events_are_no_large_one) {
  std::string many;
  for (int i = 0; i < 500; ++i) many += "data: 12345678\n\n";
  EXPECT_EQ(events(many).size(), 500U);
}

TEST(SseParserTest, retry_is_kept_if_it_is_a_number) {
  SseParser parser(100);
  EXPECT_EQ(parser.retry_ms(), -1);
  EXPECT_THAT(parse("retry: 10x\nretry: -5\nretry:\n", 100, parser), IsEmpty());
  EXPECT_EQ(parser.retry_ms(), -1);
  EXPECT_THAT(parse("retry: 250\n", 100, parser), IsEmpty());
  EXPECT_EQ(parser.retry_ms(), 250);
}

TEST(SseParserTest, boundary_tells_a_whole_stream_from_a_cut_one) {
  SseParser parser(100);
  EXPECT_TRUE(parser.at_boundary());
  parse("data: a\n", 100, parser);
  EXPECT_FALSE(parser.at_boundary());
  parse("\n", 100, parser);
  EXPECT_TRUE(parser.at_boundary());
  parse("da", 100, parser);
  EXPECT_FALSE(parser.at_boundary());
}

TEST(SseWriterTest, what_is_written_is_read_again) {
  std::string stream;
  append_sse_event(stream, {.type = "delta", .data = "one\ntwo\n", .id = "3"});
  append_sse_event(stream, {.type = "", .data = "", .id = ""});
  EXPECT_EQ(stream, "event: delta\nid: 3\ndata: one\ndata: two\ndata: \n\ndata: \n\n");
  SseParser parser(100);
  EXPECT_THAT(parse(stream, 100, parser), ElementsAre("delta|one\ntwo\n|3", "||3"));
}

TEST(SseWriterTest, carriage_returns_become_line_ends) {
  std::string stream;
  append_sse_event(stream, {.type = "", .data = "a\r\nb\rc", .id = ""});
  EXPECT_EQ(stream, "data: a\ndata: b\ndata: c\n\n");
}

}  // namespace
}  // namespace llm_edge_cache::http
