#include "http/answer_framing.hpp"

#include <gtest/gtest.h>

#include <string>

namespace llm_edge_cache::http {
namespace {

using Verdict = AnswerFraming::Verdict;

ResponseHead head_of(std::uint16_t status, std::string_view length = "") {
  ResponseHead head;
  head.status = status;
  if (!length.empty()) head.headers.add("Content-Length", length);
  return head;
}

TEST(AnswerFramingTest, content_length_is_counted_down) {
  AnswerFraming framing;
  EXPECT_EQ(framing.begin(head_of(200, "5"), {}).content_length, 5U);
  EXPECT_EQ(framing.offer(3), Verdict::kSend);
  EXPECT_FALSE(framing.is_complete());
  EXPECT_EQ(framing.offer(3), Verdict::kTooMany);
  EXPECT_EQ(framing.offer(2), Verdict::kSend);
  EXPECT_TRUE(framing.is_complete());
}

TEST(AnswerFramingTest, unknown_length_is_chunked_or_ends_with_the_connection) {
  AnswerFraming framing;
  EXPECT_TRUE(framing.begin(head_of(200), {}).chunked);
  EXPECT_EQ(framing.offer(3), Verdict::kChunk);
  EXPECT_TRUE(framing.is_chunked());
  EXPECT_FALSE(framing.ends_by_close());

  const Framing old = framing.begin(head_of(200), {.version = Version::kHttp10});
  EXPECT_FALSE(old.chunked);
  EXPECT_FALSE(old.content_length);
  EXPECT_EQ(framing.offer(3), Verdict::kSend);
  EXPECT_TRUE(framing.ends_by_close());
}

TEST(AnswerFramingTest, length_that_is_no_number_is_none) {
  AnswerFraming framing;
  for (const std::string_view length : {"x", "5x", "-1", "18446744073709551616"}) {
    EXPECT_TRUE(framing.begin(head_of(200, length), {}).chunked) << length;
  }
}

TEST(AnswerFramingTest, answer_to_head_says_what_get_would_and_sends_nothing) {
  AnswerFraming framing;
  EXPECT_EQ(framing.begin(head_of(200, "5"), {.is_head = true}).content_length, 5U);
  EXPECT_EQ(framing.offer(5), Verdict::kDrop);
  EXPECT_TRUE(framing.is_complete());
  EXPECT_TRUE(framing.begin(head_of(200), {.is_head = true}).chunked);
  EXPECT_FALSE(framing.is_chunked());
}

TEST(AnswerFramingTest, statuses_without_body_have_no_framing) {
  AnswerFraming framing;
  const Framing none = framing.begin(head_of(204, "5"), {});
  EXPECT_FALSE(none.content_length);
  EXPECT_FALSE(none.chunked);
  EXPECT_EQ(framing.offer(5), Verdict::kDrop);
  EXPECT_EQ(framing.begin(head_of(304, "5"), {}).content_length, 5U);
  EXPECT_FALSE(framing.begin(head_of(304), {}).chunked);
}

}  // namespace
}  // namespace llm_edge_cache::http
