// Expiry is exact on the injected clock, to the millisecond.
#include <limits>

#include "tests/conformance/tier_fixture.hpp"

namespace llm_edge_cache::test {
namespace {

class TierExpiryTest : public TierFixture {};
INSTANTIATE_TEST_SUITE_P(Tiers, TierExpiryTest, ::testing::ValuesIn(all_tiers()), tier_name);

TEST_P(TierExpiryTest, entry_ends_at_its_expiry) {
  put(key_of(1), fresh("x", 60'000));
  clock->advance_ms(59'999);
  EXPECT_NE(get(key_of(1)), nullptr);
  clock->advance_ms(1);
  EXPECT_EQ(get(key_of(1)), nullptr);
}

TEST_P(TierExpiryTest, every_entry_has_its_own_life) {
  put(key_of(1), fresh("short", 60'000));
  put(key_of(2), fresh("long", 120'000));
  clock->advance_ms(60'000);
  EXPECT_EQ(get(key_of(1)), nullptr);
  EXPECT_NE(get(key_of(2)), nullptr);
  clock->advance_ms(60'000);
  EXPECT_EQ(get(key_of(2)), nullptr);
}

TEST_P(TierExpiryTest, replacing_an_entry_replaces_its_life) {
  put(key_of(1), fresh("short", 60'000));
  put(key_of(1), fresh("long", 120'000));
  clock->advance_ms(119'999);
  EXPECT_NE(get(key_of(1)), nullptr);

  put(key_of(2), fresh("long", 120'000));
  put(key_of(2), fresh("short", 60'000));
  clock->advance_ms(60'000);
  EXPECT_EQ(get(key_of(2)), nullptr);
}

TEST_P(TierExpiryTest, stale_entry_stays_until_its_stale_until) {
  const auto now_ms = clock->now_ms();
  put(key_of(1), entry_of("x", {.expires_ms = now_ms + 60'000, .stale_until_ms = now_ms + 90'000}));
  clock->advance_ms(60'000);
  const auto stale = get(key_of(1));
  ASSERT_NE(stale, nullptr);
  EXPECT_FALSE(stale->is_fresh(clock->now_ms()));
  clock->advance_ms(29'999);
  EXPECT_NE(get(key_of(1)), nullptr);
  clock->advance_ms(1);
  EXPECT_EQ(get(key_of(1)), nullptr);
}

TEST_P(TierExpiryTest, stale_until_before_the_expiry_does_not_shorten_it) {
  const auto now_ms = clock->now_ms();
  put(key_of(1), entry_of("x", {.expires_ms = now_ms + 60'000, .stale_until_ms = now_ms + 10}));
  clock->advance_ms(59'999);
  EXPECT_NE(get(key_of(1)), nullptr);
}

TEST_P(TierExpiryTest, entry_past_its_end_is_not_stored) {
  put(key_of(1), fresh("x", 0));
  EXPECT_EQ(get(key_of(1)), nullptr);
  EXPECT_EQ(size(), 0U);
}

TEST_P(TierExpiryTest, entry_that_is_only_stale_is_stored) {
  const auto now_ms = clock->now_ms();
  put(key_of(1), entry_of("x", {.expires_ms = now_ms - 1, .stale_until_ms = now_ms + 60'000}));
  EXPECT_NE(get(key_of(1)), nullptr);
}

TEST_P(TierExpiryTest, entry_without_an_end_is_kept) {
  put(key_of(1), entry_of("x", {.expires_ms = std::numeric_limits<UnixMillis>::max()}));
  clock->advance_ms(100LL * 365 * 24 * 3'600'000);
  EXPECT_NE(get(key_of(1)), nullptr);
}

}  // namespace
}  // namespace llm_edge_cache::test
