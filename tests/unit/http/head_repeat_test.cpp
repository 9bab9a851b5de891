#include "http/head_repeat.hpp"

#include <gtest/gtest.h>

#include <string>

namespace llm_edge_cache::http {
namespace {

std::string head_with(std::string_view length_line) {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(length_line) + "\r\nA: 7\r\n\r\n";
}

TEST(HeadRepeatTest, matches_nothing_before_it_has_seen_a_head) {
  const HeadRepeat repeat;
  EXPECT_FALSE(repeat.match(""));
  EXPECT_FALSE(repeat.match(head_with("Content-Length: 1")));
}

TEST(HeadRepeatTest, matches_the_same_head_with_whatever_follows) {
  HeadRepeat repeat;
  const auto head = head_with("Content-Length: 42");
  repeat.remember(head);
  const auto input = head + "body";
  const auto match = repeat.match(input);
  ASSERT_TRUE(match);
  EXPECT_EQ(match->head_bytes, head.size());
  EXPECT_EQ(match->content_length, 42U);
  EXPECT_EQ(match->length_digits, "42");
}

TEST(HeadRepeatTest, lets_the_length_differ_in_its_digits_but_not_in_their_number) {
  HeadRepeat repeat;
  repeat.remember(head_with("content-length:  42 "));
  EXPECT_EQ(repeat.match(head_with("content-length:  99 "))->content_length, 99U);
  EXPECT_EQ(repeat.match(head_with("content-length:  07 "))->content_length, 7U);
  for (const auto* other : {"content-length:  421 ", "content-length:  4 ", "content-length:  4x ",
                            "content-length:  -4 ", "content-length:  +4 ", "content-length:   4 ",
                            "content-length: 42 ", "Content-length:  42 ", "content-length:  42"}) {
    EXPECT_FALSE(repeat.match(head_with(other))) << other;
  }
}

TEST(HeadRepeatTest, does_not_match_a_part_of_the_head) {
  HeadRepeat repeat;
  const auto head = head_with("Content-Length: 1");
  repeat.remember(head);
  for (std::size_t size = 0; size < head.size(); ++size) {
    EXPECT_FALSE(repeat.match(std::string_view(head).substr(0, size))) << size;
  }
}

TEST(HeadRepeatTest, keeps_no_head_that_is_long_or_has_no_length_of_its_own) {
  HeadRepeat repeat;
  const auto forgets = [&](const std::string& head) {
    repeat.remember(head_with("Content-Length: 1"));
    repeat.remember(head);
    return !repeat.match(head) && !repeat.match(head_with("Content-Length: 1"));
  };
  EXPECT_TRUE(forgets(head_with("A: b")));
  EXPECT_TRUE(forgets(head_with("X-Content-Length: 1")));
  EXPECT_TRUE(forgets(head_with("Content-Length: ")));
  EXPECT_TRUE(forgets(head_with("Content-Length: 1234567890123456789")));
  EXPECT_TRUE(
      forgets(head_with("Content-Length: 1\r\nB: " + std::string(HeadRepeat::kMaxBytes, 'b'))));
}

TEST(HeadRepeatTest, forgets) {
  HeadRepeat repeat;
  repeat.remember(head_with("Content-Length: 1"));
  repeat.forget();
  EXPECT_FALSE(repeat.match(head_with("Content-Length: 1")));
}

}  // namespace
}  // namespace llm_edge_cache::http
