#include "base/decimal.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace llm_edge_cache {
namespace {

TEST(DecimalTest, numbers_are_written_as_they_are_read) {
  EXPECT_EQ(Decimal(0).view(), "0");
  EXPECT_EQ(Decimal(251).view(), "251");
  EXPECT_EQ(Decimal(-30).view(), "-30");
}

TEST(DecimalTest, the_longest_have_room) {
  EXPECT_EQ(Decimal(std::numeric_limits<std::uint64_t>::max()).view(), "18446744073709551615");
  EXPECT_EQ(Decimal(std::numeric_limits<std::int64_t>::min()).view(), "-9223372036854775808");
}

TEST(DecimalTest, stands_where_text_is_wanted) {
  std::string text = "ttl=";
  text.append(Decimal(7));
  EXPECT_EQ(text, "ttl=7");
}

}  // namespace
}  // namespace llm_edge_cache
