#include "tiers/common/atomic_counters.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache {
namespace {

TEST(AtomicCountersTest, sorts_errors_into_the_kinds_that_are_told) {
  AtomicCounters counters;
  counters.add_error(ErrorCode::kUnavailable);
  counters.add_error(ErrorCode::kOverloaded);
  counters.add_error(ErrorCode::kDeadlineExceeded);
  counters.add_error(ErrorCode::kCorruptData);
  counters.add_error(ErrorCode::kProtocol);
  counters.add_error(ErrorCode::kIo);
  const TierCounters told = counters.snapshot();
  EXPECT_EQ(told.errors_unavailable, 2U);
  EXPECT_EQ(told.errors_timeout, 1U);
  EXPECT_EQ(told.errors_corrupt, 1U);
  EXPECT_EQ(told.errors_protocol, 2U);
}

TEST(AtomicCountersTest, what_was_cancelled_is_nobodys_error) {
  AtomicCounters counters;
  counters.add_error(ErrorCode::kCancelled);
  const TierCounters told = counters.snapshot();
  EXPECT_EQ(told.errors_unavailable + told.errors_timeout + told.errors_protocol, 0U);
}

TEST(AtomicCountersTest, tells_every_count) {
  AtomicCounters counters;
  AtomicCounters::add(counters.hits, 1);
  AtomicCounters::add(counters.misses, 2);
  AtomicCounters::add(counters.writes, 3);
  AtomicCounters::add(counters.removals, 4);
  AtomicCounters::add(counters.evicted_for_size, 5);
  AtomicCounters::add(counters.evicted_expired, 6);
  AtomicCounters::add(counters.dropped_writes, 7);
  const TierCounters told = counters.snapshot();
  EXPECT_EQ(told.hits, 1U);
  EXPECT_EQ(told.misses, 2U);
  EXPECT_EQ(told.writes, 3U);
  EXPECT_EQ(told.removals, 4U);
  EXPECT_EQ(told.evicted_for_size, 5U);
  EXPECT_EQ(told.evicted_expired, 6U);
  EXPECT_EQ(told.dropped_writes, 7U);
}

}  // namespace
}  // namespace llm_edge_cache
