#include "proxy/credential_table.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

namespace llm_edge_cache::proxy {
namespace {

using std::chrono::seconds;

constexpr RateLimit kOneASecond{.per_1000_s = 1'000, .burst = 1};

TEST(CredentialLimitsTest, none_is_set_by_default) {
  EXPECT_FALSE(CredentialLimits{}.any());
  EXPECT_TRUE(CredentialLimits{.rate = kOneASecond}.any());
  EXPECT_TRUE(CredentialLimits{.max_concurrent = 1}.any());
  EXPECT_TRUE(CredentialLimits{}.validate().ok());
}

TEST(CredentialLimitsTest, what_is_out_of_bounds_is_named) {
  const auto message_of = [](const CredentialLimits& limits) {
    const auto status = limits.validate();
    return status.ok() ? "" : status.error().message;
  };
  EXPECT_EQ(message_of({.rate = {.per_1000_s = 2'000'000'000, .burst = 1}}),
            "credential_limits: the rate must be at most 1000000 requests a second");
  EXPECT_EQ(message_of({.rate = {.per_1000_s = 1, .burst = 0}}),
            "credential_limits: burst must be from 1 to 1000000");
  EXPECT_EQ(message_of({.max_concurrent = 1'000'001}),
            "credential_limits: max_concurrent must be at most 1000000");
}

class CredentialTableTest : public ::testing::Test {
 protected:
  using TimePoint = RateLimiter::TimePoint;

  // Uses up the credential's rate; false where it was used up.
  static bool use(CredentialTable& table, const std::string& credential, TimePoint now) {
    return !table.state_of(credential, now)->rate.take(kOneASecond, now);
  }
  // As many as make every shard full, many times over.
  static void flood(CredentialTable& table, TimePoint now) {
    for (int i = 0; i < 1'000; ++i) use(table, "flood-" + std::to_string(i), now);
  }

  const TimePoint now_{std::chrono::hours(1)};
};

TEST_F(CredentialTableTest, a_credential_has_one_state_and_each_has_its_own) {
  CredentialTable table;
  EXPECT_EQ(table.state_of("a", now_), table.state_of("a", now_));
  EXPECT_NE(table.state_of("a", now_), table.state_of("b", now_));
  EXPECT_NE(table.state_of("a", now_), table.state_of("", now_));
  EXPECT_EQ(table.report().known, 3U);
  EXPECT_EQ(table.report().shared, 0U);
}

TEST_F(CredentialTableTest, it_never_knows_more_than_its_bound) {
  CredentialTable table(64);
  flood(table, now_);
  EXPECT_LE(table.report().known, 64U);
  EXPECT_GE(table.report().shared, 900U);
}

TEST_F(CredentialTableTest, a_flood_gives_nobody_back_what_he_has_used_up) {
  CredentialTable table(64);
  EXPECT_TRUE(use(table, "a", now_));
  flood(table, now_);
  EXPECT_FALSE(use(table, "a", now_));
}

TEST_F(CredentialTableTest, whoever_is_known_keeps_his_limit_in_a_flood) {
  CredentialTable table(64);
  EXPECT_TRUE(use(table, "a", now_));
  const auto later = now_ + seconds(1);
  const auto mine = table.state_of("a", later);  // a request is under way
  flood(table, later);
  EXPECT_EQ(table.state_of("a", later), mine);
  EXPECT_TRUE(use(table, "a", later));
}

TEST_F(CredentialTableTest, newcomers_to_a_full_table_share_one_state) {
  CredentialTable table(64);
  flood(table, now_);
  std::set<CredentialStatePtr> states;
  for (int i = 0; i < 50; ++i) states.insert(table.state_of("new-" + std::to_string(i), now_));
  EXPECT_EQ(states.size(), 1U);
  EXPECT_FALSE(use(table, "new", now_));
}

TEST_F(CredentialTableTest, those_at_rest_make_room) {
  CredentialTable table(64);
  flood(table, now_);
  const auto shared_before = table.report().shared;
  const auto later = now_ + seconds(2);
  for (int i = 0; i < 200; ++i)
    EXPECT_TRUE(use(table, "next-" + std::to_string(i), later + seconds(2 * i)));
  EXPECT_EQ(table.report().shared, shared_before);
  EXPECT_LE(table.report().known, 64U);
}

TEST_F(CredentialTableTest, one_with_a_request_under_way_is_not_at_rest) {
  CredentialTable table(16);  // one in each shard
  const auto held = table.state_of("held", now_);
  for (int i = 0; i < 300; ++i) (void)table.state_of("other-" + std::to_string(i), now_);
  EXPECT_EQ(table.state_of("held", now_), held);
}

TEST_F(CredentialTableTest, tables_know_credentials_under_other_digests) {
  // One per shard: which of them collide depends on the secret, which is fresh in each table.
  std::set<std::string> patterns;
  for (int i = 0; i < 8; ++i) {
    CredentialTable table(16);
    std::string pattern;
    std::vector<CredentialStatePtr> held;
    for (int j = 0; j < 16; ++j) {
      held.push_back(table.state_of(std::to_string(j), now_));
      pattern += std::to_string(table.report().shared) + ",";
    }
    patterns.insert(pattern);
  }
  EXPECT_GT(patterns.size(), 1U);
}

TEST_F(CredentialTableTest, refusals_are_counted_by_limit) {
  CredentialTable table;
  table.count_refused(TenantRefusal::kRate);
  table.count_refused(TenantRefusal::kRate);
  table.count_refused(TenantRefusal::kConcurrency);
  const auto report = table.report();
  EXPECT_EQ(report.refused[static_cast<std::size_t>(TenantRefusal::kRate)], 2U);
  EXPECT_EQ(report.refused[static_cast<std::size_t>(TenantRefusal::kConcurrency)], 1U);
}

TEST_F(CredentialTableTest, threads_that_meet_a_credential_at_once_get_one_state) {
  CredentialTable table(256);
  std::vector<std::thread> threads;
  std::vector<std::vector<CredentialStatePtr>> found(4);
  for (auto& mine : found) {
    threads.emplace_back([&] {
      for (int i = 0; i < 64; ++i) mine.push_back(table.state_of(std::to_string(i % 8), now_));
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& mine : found) EXPECT_EQ(mine, found.front());
  EXPECT_EQ(table.report().known, 8U);
}

}  // namespace
}  // namespace llm_edge_cache::proxy
