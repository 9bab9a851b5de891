// What only memory does: bounds, TTL and TTI. The rest is in tests/conformance.
#include "tiers/memory/memory_tier.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/entries.hpp"
#include "tests/support/eventually.hpp"

namespace llm_edge_cache::test {
namespace {

constexpr UnixMillis kNever = std::numeric_limits<UnixMillis>::max();

class MemoryTierTest : public ::testing::Test {
 protected:
  std::unique_ptr<MemoryTier> make(const L1Config& config) {
    return std::make_unique<MemoryTier>(config, clock);
  }
  [[nodiscard]] bool has(MemoryTier& tier, std::uint64_t number) const {
    return tier.find(key_of(number), clock->now_ms()) != nullptr;
  }
  [[nodiscard]] EntryPtr lasting(std::string content = "answer") const {
    return entry_of(std::move(content), {.expires_ms = kNever});
  }
  [[nodiscard]] EntryPtr fresh_for(std::int64_t life_ms, std::int64_t stale_ms = 0) const {
    const auto now_ms = clock->now_ms();
    return entry_of("answer", {.expires_ms = now_ms + life_ms,
                               .stale_until_ms = stale_ms == 0 ? 0 : now_ms + stale_ms});
  }

  const std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
};

TEST_F(MemoryTierTest, ttl_shortens_a_longer_life) {
  const auto tier = make({.ttl_ms = 1'000, .tti_ms = 0});
  tier->put(key_of(1), fresh_for(5'000));
  clock->advance_ms(999);
  EXPECT_TRUE(has(*tier, 1));
  clock->advance_ms(1);
  EXPECT_FALSE(has(*tier, 1));
}

TEST_F(MemoryTierTest, ttl_does_not_lengthen_a_shorter_life) {
  const auto tier = make({.ttl_ms = 1'000, .tti_ms = 0});
  tier->put(key_of(1), fresh_for(500));
  clock->advance_ms(500);
  EXPECT_FALSE(has(*tier, 1));
}

TEST_F(MemoryTierTest, ttl_begins_again_with_every_put) {
  const auto tier = make({.ttl_ms = 1'000, .tti_ms = 0});
  tier->put(key_of(1), lasting());
  clock->advance_ms(900);
  tier->put(key_of(1), lasting());
  clock->advance_ms(900);
  EXPECT_TRUE(has(*tier, 1));
}

TEST_F(MemoryTierTest, keeps_a_stale_entry_where_its_freshness_ended_within_the_ttl) {
  const auto tier = make({.ttl_ms = 1'000, .tti_ms = 0});
  tier->put(key_of(1), fresh_for(1'000, 3'000));
  clock->advance_ms(2'999);
  EXPECT_TRUE(has(*tier, 1));
  clock->advance_ms(1);
  EXPECT_FALSE(has(*tier, 1));
}

TEST_F(MemoryTierTest, lets_a_fresh_entry_go_at_the_ttl_though_it_could_be_stale_later) {
  const auto tier = make({.ttl_ms = 1'000, .tti_ms = 0});
  tier->put(key_of(1), fresh_for(2'000, 3'000));
  clock->advance_ms(1'000);
  EXPECT_FALSE(has(*tier, 1));
}

TEST_F(MemoryTierTest, tti_counts_from_the_last_read) {
  const auto tier = make({.ttl_ms = 0, .tti_ms = 100});
  tier->put(key_of(1), lasting());
  for (int i = 0; i < 10; ++i) {
    clock->advance_ms(99);
    ASSERT_TRUE(has(*tier, 1)) << i;
  }
  clock->advance_ms(100);
  EXPECT_FALSE(has(*tier, 1));
}

TEST_F(MemoryTierTest, reads_do_not_carry_an_entry_over_its_ttl) {
  const auto tier = make({.ttl_ms = 250, .tti_ms = 100});
  tier->put(key_of(1), lasting());
  for (int i = 0; i < 2; ++i) {
    clock->advance_ms(99);
    ASSERT_TRUE(has(*tier, 1));
  }
  clock->advance_ms(52);
  EXPECT_FALSE(has(*tier, 1));
}

TEST_F(MemoryTierTest, zero_means_no_limit) {
  const auto tier = make({.ttl_ms = 0, .tti_ms = 0});
  tier->put(key_of(1), lasting());
  clock->advance_ms(200LL * 365 * 24 * 3'600'000);
  EXPECT_TRUE(has(*tier, 1));
}

TEST_F(MemoryTierTest, longest_limits_are_taken) {
  constexpr std::uint64_t kHundredYearsMs = 100ULL * 366 * 24 * 3'600'000;
  const L1Config config{.ttl_ms = kHundredYearsMs, .tti_ms = kHundredYearsMs};
  ASSERT_TRUE(config.validate().ok());
  const auto tier = make(config);
  tier->put(key_of(1), lasting());
  EXPECT_TRUE(has(*tier, 1));
}

TEST_F(MemoryTierTest, clock_that_steps_back_revives_nothing_and_breaks_nothing) {
  const auto tier = make({.ttl_ms = 1'000, .tti_ms = 0});
  tier->put(key_of(1), lasting());
  clock->advance_ms(1'000);
  EXPECT_FALSE(has(*tier, 1));
  clock->advance_ms(-5'000);
  EXPECT_FALSE(has(*tier, 1));
  tier->put(key_of(2), fresh_for(100));
  EXPECT_TRUE(has(*tier, 2));
  clock->advance_ms(100);
  EXPECT_FALSE(has(*tier, 2));
}

TEST_F(MemoryTierTest, ttl_and_tti_hold_after_the_clock_stepped_back) {
  for (const auto& config : {L1Config{.ttl_ms = 1'000, .tti_ms = 0}, L1Config{.tti_ms = 1'000}}) {
    const auto tier = make(config);
    clock->advance_ms(3'600'000);
    EXPECT_FALSE(has(*tier, 1));
    clock->advance_ms(-3'600'000);
    tier->put(key_of(1), lasting());
    clock->advance_ms(999);
    EXPECT_TRUE(has(*tier, 1));
    clock->advance_ms(1'000);
    EXPECT_FALSE(has(*tier, 1));
  }
}

TEST_F(MemoryTierTest, holds_no_more_entries_than_it_may) {
  const auto tier = make({.max_entries = 100});
  for (std::uint64_t i = 0; i < 1'000; ++i) tier->put(key_of(i), lasting());
  EXPECT_EQ(tier->gauges().entries, 100U);
  EXPECT_EQ(tier->counters().evicted_for_size, 900U);
  EXPECT_EQ(tier->counters().writes, 1'000U);
}

TEST_F(MemoryTierTest, holds_no_more_bytes_than_it_may) {
  constexpr std::size_t kMaxBytes = 1U << 20U;
  const auto tier = make({.max_entries = 100'000, .max_bytes = kMaxBytes});
  for (std::uint64_t i = 0; i < 500; ++i) tier->put(key_of(i), lasting(std::string(10'000, 'a')));
  const auto gauges = tier->gauges();
  EXPECT_LE(gauges.memory_bytes, kMaxBytes);
  EXPECT_GE(gauges.memory_bytes, kMaxBytes * 9 / 10);
  EXPECT_GE(gauges.entries, 90U);
}

TEST_F(MemoryTierTest, entry_weighs_at_least_what_it_holds) {
  const auto tier = make({});
  const auto entry = lasting(std::string(5'000, 'a'));
  tier->put(key_of(1), entry);
  EXPECT_GT(tier->gauges().memory_bytes, entry->memory_bytes() + sizeof(KeyDigest));
  tier->erase_all();
  EXPECT_EQ(tier->gauges().memory_bytes, 0U);
}

TEST_F(MemoryTierTest, entry_over_all_bytes_is_not_kept_and_replaces_its_predecessor) {
  const auto tier = make({.max_bytes = 100'000});
  tier->put(key_of(1), lasting("small"));
  tier->put(key_of(1), lasting(std::string(200'000, 'a')));
  EXPECT_EQ(tier->gauges().entries, 0U);
  EXPECT_FALSE(has(*tier, 1));
}

TEST_F(MemoryTierTest, expired_predecessor_goes_with_a_put_that_is_past_its_end) {
  const auto tier = make({});
  tier->put(key_of(1), lasting("old"));
  tier->put(key_of(1), fresh_for(0));
  EXPECT_FALSE(has(*tier, 1));
}

TEST_F(MemoryTierTest, removes_what_expired_without_traffic) {
  const auto tier = make({.ttl_ms = 1'000, .tti_ms = 0});
  const std::weak_ptr<const Entry> watched = [&] {
    const auto entry = lasting();
    tier->put(key_of(1), entry);
    return std::weak_ptr<const Entry>(entry);
  }();
  clock->advance_ms(2'000);  // the timer wheel may take a tick to notice
  EXPECT_TRUE(eventually([&] { return watched.expired(); }));
  EXPECT_EQ(tier->counters().evicted_expired, 1U);
}

TEST_F(MemoryTierTest, found_entry_stays_valid_after_it_left_and_after_the_tier) {
  auto tier = make({});
  tier->put(key_of(1), lasting("kept"));
  const auto found = tier->find(key_of(1), clock->now_ms());
  tier->erase_all();
  tier.reset();
  EXPECT_EQ(found->response.content, "kept");
}

TEST_F(MemoryTierTest, never_returns_an_expired_entry_while_time_passes_under_load) {
  const auto tier = make({.max_entries = 64, .ttl_ms = 0, .tti_ms = 0});
  std::atomic<bool> stop{false};
  std::atomic<int> expired_returned{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      for (std::uint64_t n = 0; !stop.load(); ++n) {
        const auto now_ms = clock->now_ms();
        const auto found = tier->find(key_of(n % 64), now_ms);
        if (found != nullptr && found->end_ms() <= now_ms) expired_returned.fetch_add(1);
      }
    });
  }
  for (std::uint64_t n = 0; n < 20'000; ++n) {
    tier->put(key_of(n % 64), fresh_for(3));
    if (n % 16 == 0) clock->advance_ms(1);
  }
  stop.store(true);
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(expired_returned.load(), 0);
}

}  // namespace
}  // namespace llm_edge_cache::test
