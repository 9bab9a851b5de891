#include "serve/rate_text.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache::app::rate_text_test {
namespace {

TEST(RateTextTest, a_decimal_number_of_requests_a_second) {
  EXPECT_EQ(read_rate("1"), 1'000U);
  EXPECT_EQ(read_rate("0.5"), 500U);
  EXPECT_EQ(read_rate("0.001"), 1U);
  EXPECT_EQ(read_rate("1.0004"), 1'000U);
  EXPECT_EQ(read_rate("1000000"), 1'000'000'000U);
}

TEST(RateTextTest, what_is_no_such_number_is_nothing) {
  for (const auto* text : {"", "0", "0.0009", "-1", "1e3", "1,5", "1 ", " 1", "nan", "inf", "0x10",
                           "1000000.1", "many"}) {
    EXPECT_FALSE(read_rate(text)) << text;
  }
}

TEST(RateTextTest, after_a_rest_the_requests_of_a_second_may_come_at_once) {
  EXPECT_EQ(burst_of_a_second(5'000), 5U);
  EXPECT_EQ(burst_of_a_second(500), 1U);
  EXPECT_EQ(burst_of_a_second(0), 1U);
}

}  // namespace
}  // namespace llm_edge_cache::app::rate_text_test
