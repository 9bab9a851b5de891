#include "proxy/dialects/event_blocks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llm_edge_cache::proxy::event_blocks_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(EventBlocksTest, cuts_after_blank_lines_and_loses_no_byte) {
  EXPECT_THAT(event_blocks("data: a\n\ndata: b\n\n"), ElementsAre("data: a\n\n", "data: b\n\n"));
}

TEST(EventBlocksTest, takes_every_kind_of_line_end) {
  EXPECT_THAT(event_blocks("data: a\r\n\r\ndata: b\r\rdata: c\n\n"),
              ElementsAre("data: a\r\n\r\n", "data: b\r\r", "data: c\n\n"));
}

TEST(EventBlocksTest, keeps_a_last_block_without_its_end) {
  EXPECT_THAT(event_blocks("data: a\n\ndata: b"), ElementsAre("data: a\n\n", "data: b"));
}

TEST(EventBlocksTest, finds_nothing_in_nothing) {
  EXPECT_THAT(event_blocks(""), IsEmpty());
}

TEST(EventBlocksTest, keeps_stray_blank_lines_as_blocks_of_their_own) {
  EXPECT_THAT(event_blocks("\n\ndata: a\n\n"), ElementsAre("\n", "\n", "data: a\n\n"));
}

TEST(EventBlocksTest, tell_whether_the_last_event_will_be_heard_of) {
  for (const auto* whole : {"data: a\n\n", "data: a\r\n\r\n", "data: a\r\r", "data: a\r\n\n"}) {
    EXPECT_TRUE(ends_with_whole_event(whole)) << whole;
  }
  for (const auto* cut :
       {"", "\n", "data: a", "data: a\n", "data: a\r\n", "data: a\n\ndata: b\n"}) {
    EXPECT_FALSE(ends_with_whole_event(cut)) << cut;
  }
}

TEST(EventDataTest, drops_one_space_after_the_colon) {
  EXPECT_EQ(event_data("data: a\n\n"), "a");
  EXPECT_EQ(event_data("data:a\n\n"), "a");
  EXPECT_EQ(event_data("data:  a\n\n"), " a");
}

TEST(EventDataTest, joins_the_lines_of_one_event) {
  EXPECT_EQ(event_data("data: {\ndata: }\n\n"), "{\n}");
  EXPECT_EQ(event_data("data\ndata\n\n"), "\n");
}

TEST(EventDataTest, ignores_comments_and_other_fields) {
  EXPECT_EQ(event_data(": ping\n\n"), "");
  EXPECT_EQ(event_data("event: x\nid: 7\ndata: a\ndatabase: b\n\n"), "a");
}

TEST(EventTypeTest, is_what_the_block_names) {
  EXPECT_EQ(event_type("event: error\ndata: a\n\n"), "error");
  EXPECT_EQ(event_type("data: a\n\n"), "");
}

}  // namespace
}  // namespace llm_edge_cache::proxy::event_blocks_test
