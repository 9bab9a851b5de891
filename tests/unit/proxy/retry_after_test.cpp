#include "proxy/retry_after.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache::proxy {
namespace {

using std::chrono::milliseconds;

constexpr UnixMillis kNow = 784'111'777'000;  // Sun, 06 Nov 1994 08:49:37 GMT

std::optional<milliseconds> told(std::string_view text) {
  return retry_after({{"Retry-After", text}}, kNow);
}

TEST(RetryAfterTest, reads_seconds_and_their_fractions) {
  EXPECT_EQ(told("0"), milliseconds(0));
  EXPECT_EQ(told("20"), milliseconds(20'000));
  EXPECT_EQ(told("0.25"), milliseconds(250));
}

TEST(RetryAfterTest, reads_a_date_and_never_looks_back) {
  EXPECT_EQ(told("Sun, 06 Nov 1994 08:49:40 GMT"), milliseconds(3'000));
  EXPECT_EQ(told("Sun, 06 Nov 1994 08:49:30 GMT"), milliseconds(0));
}

TEST(RetryAfterTest, the_field_in_milliseconds_goes_first) {
  EXPECT_EQ(retry_after({{"retry-after", "20"}, {"retry-after-ms", "150"}}, kNow),
            milliseconds(150));
}

TEST(RetryAfterTest, is_bounded_by_a_day) {
  EXPECT_EQ(told("99999999999"), std::chrono::hours(24));
}

TEST(RetryAfterTest, says_nothing_where_the_provider_does_not) {
  EXPECT_EQ(retry_after({}, kNow), std::nullopt);
  for (const auto* text : {"", "soon", "-1", "nan", "inf", "1 s", "Sun, 06 Nov 1994"}) {
    EXPECT_EQ(told(text), std::nullopt) << text;
  }
}

TEST(RetryAfterTest, a_provider_that_wants_no_retry_gets_none) {
  EXPECT_EQ(retry_after({{"retry-after", "1"}, {"x-should-retry", "false"}}, kNow), std::nullopt);
  EXPECT_EQ(retry_after({{"retry-after", "1"}, {"x-should-retry", "true"}}, kNow),
            milliseconds(1'000));
}

}  // namespace
}  // namespace llm_edge_cache::proxy
