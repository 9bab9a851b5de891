#include "core/backoff.hpp"

#include <gtest/gtest.h>

#include <set>

namespace llm_edge_cache {
namespace {

using std::chrono::milliseconds;

const Backoff::Options kOptions{milliseconds{50}, milliseconds{1'000}};

TEST(BackoffTest, stays_between_the_minimum_and_a_bound_that_doubles) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Backoff backoff(kOptions, seed);
    milliseconds bound{100};
    for (int i = 0; i < 10; ++i) {
      const milliseconds wait = backoff.next();
      EXPECT_GE(wait, kOptions.min);
      EXPECT_LE(wait, bound);
      bound = std::min(bound * 2, kOptions.max);
    }
  }
}

TEST(BackoffTest, spreads_clients_from_the_first_wait_on) {
  std::set<milliseconds> waits;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) waits.insert(Backoff(kOptions, seed).next());
  EXPECT_GT(waits.size(), 20U);
}

TEST(BackoffTest, reaches_the_maximum) {
  Backoff backoff(kOptions, 1);
  milliseconds longest{0};
  for (int i = 0; i < 200; ++i) longest = std::max(longest, backoff.next());
  EXPECT_GT(longest, milliseconds{900});
}

TEST(BackoffTest, starts_over_after_a_reset) {
  Backoff backoff(kOptions, 1);
  for (int i = 0; i < 20; ++i) (void)backoff.next();
  backoff.reset();
  EXPECT_LE(backoff.next(), milliseconds{100});
}

TEST(BackoffTest, takes_equal_bounds) {
  Backoff backoff({milliseconds{50}, milliseconds{50}}, 1);
  EXPECT_EQ(backoff.next(), milliseconds{50});
}

}  // namespace
}  // namespace llm_edge_cache
