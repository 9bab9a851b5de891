#include "base/parse_number.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace llm_edge_cache {
namespace {

TEST(ParseNumberTest, reads_a_number_that_is_all_of_the_text) {
  EXPECT_EQ(parse_number<std::uint64_t>("18446744073709551615"), 18446744073709551615U);
  EXPECT_EQ(parse_number<std::int64_t>("-7"), -7);
  EXPECT_EQ(parse_number<double>("1.5"), 1.5);
}

TEST(ParseNumberTest, takes_nothing_before_or_after_it) {
  for (const auto* text : {"", " 1", "1 ", "+1", "1,", "0x1", "one"}) {
    EXPECT_EQ(parse_number<std::uint64_t>(text), std::nullopt) << text;
  }
}

TEST(ParseNumberTest, takes_no_number_that_the_type_cannot_hold) {
  EXPECT_EQ(parse_number<std::uint16_t>("65535"), 65535U);
  EXPECT_EQ(parse_number<std::uint16_t>("65536"), std::nullopt);
  EXPECT_EQ(parse_number<std::uint64_t>("-1"), std::nullopt);
  EXPECT_EQ(parse_number<double>("1e999"), std::nullopt);
}

}  // namespace
}  // namespace llm_edge_cache
