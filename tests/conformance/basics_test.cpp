#include "tests/conformance/tier_fixture.hpp"

namespace llm_edge_cache::test {
namespace {

class TierBasicsTest : public TierFixture {};
INSTANTIATE_TEST_SUITE_P(Tiers, TierBasicsTest, ::testing::ValuesIn(all_tiers()), tier_name);

TEST_P(TierBasicsTest, has_nothing_at_first) {
  EXPECT_EQ(get(key_of(1)), nullptr);
  EXPECT_EQ(size(), 0U);
}

TEST_P(TierBasicsTest, returns_what_was_put) {
  const auto entry = fresh("the answer");
  put(key_of(1), entry);
  const auto found = get(key_of(1));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(*found, *entry);
}

TEST_P(TierBasicsTest, keeps_keys_apart) {
  put(key_of(1), fresh("one"));
  put(key_of(2), fresh("two"));
  EXPECT_EQ(get(key_of(1))->response.content, "one");
  EXPECT_EQ(get(key_of(2))->response.content, "two");
  EXPECT_EQ(get(key_of(3)), nullptr);
}

TEST_P(TierBasicsTest, later_put_replaces_the_earlier) {
  put(key_of(1), fresh("old"));
  put(key_of(1), fresh("new"));
  EXPECT_EQ(get(key_of(1))->response.content, "new");
  EXPECT_EQ(size(), 1U);
}

constexpr std::size_t kTooManyBytes = (8U << 20U) + 1;  // for L2, as it is set up by default

TEST_P(TierBasicsTest, what_is_too_large_to_be_stored_leaves_nothing_in_its_place) {
  put(key_of(1), fresh("old"));
  put(key_of(1), fresh(std::string(kTooManyBytes, 'x')));
  const auto found = get(key_of(1));  // memory may have room for it
  EXPECT_TRUE(found == nullptr || found->response.content.starts_with("xxx"));
}

TEST_P(TierBasicsTest, puts_of_one_key_keep_their_order) {
  for (int i = 0; i < 100; ++i) tier->put(key_of(1), fresh(std::to_string(i)));
  flush();
  EXPECT_EQ(get(key_of(1))->response.content, "99");
}

TEST_P(TierBasicsTest, remove_says_whether_there_was_an_entry) {
  EXPECT_FALSE(remove(key_of(1)));
  put(key_of(1), fresh("one"));
  put(key_of(2), fresh("two"));
  EXPECT_TRUE(remove(key_of(1)));
  EXPECT_EQ(get(key_of(1)), nullptr);
  EXPECT_NE(get(key_of(2)), nullptr);
  EXPECT_FALSE(remove(key_of(1)));
}

TEST_P(TierBasicsTest, remove_comes_after_every_earlier_put) {
  for (int i = 0; i < 50; ++i) {
    tier->put(key_of(1), fresh("one"));
    EXPECT_TRUE(remove(key_of(1))) << i;
    flush();
    ASSERT_EQ(get(key_of(1)), nullptr) << i;
  }
}

TEST_P(TierBasicsTest, put_after_a_remove_stays) {
  put(key_of(1), fresh("old"));
  (void)remove(key_of(1));
  put(key_of(1), fresh("new"));
  EXPECT_EQ(get(key_of(1))->response.content, "new");
}

TEST_P(TierBasicsTest, clear_removes_everything_that_was_put_before) {
  for (std::uint64_t i = 0; i < 2'500; ++i) tier->put(key_of(i), fresh("x"));
  clear();
  flush();
  EXPECT_EQ(size(), 0U);
  EXPECT_EQ(get(key_of(17)), nullptr);
  put(key_of(17), fresh("again"));
  EXPECT_NE(get(key_of(17)), nullptr);
}

TEST_P(TierBasicsTest, clear_leaves_other_tiers_alone) {
  const auto other = GetParam()->make(clock);
  other->put(key_of(1), fresh("theirs"));
  (void)result_of<Status>([&](auto done) { other->flush(std::move(done)); });
  put(key_of(1), fresh("ours"));
  clear();
  const auto theirs =
      result_of<Result<EntryPtr>>([&](auto done) { other->get(key_of(1), std::move(done)); });
  ASSERT_NE(theirs.value(), nullptr);
  EXPECT_EQ(theirs.value()->response.content, "theirs");
}

TEST_P(TierBasicsTest, size_counts_entries) {
  for (std::uint64_t i = 0; i < 1'234; ++i) tier->put(key_of(i), fresh("x"));
  flush();
  EXPECT_EQ(size(), 1'234U);
  (void)remove(key_of(0));
  EXPECT_EQ(size(), 1'233U);
}

TEST_P(TierBasicsTest, check_is_ok) {
  EXPECT_TRUE(result_of<Status>([&](auto done) { tier->check(std::move(done)); }).ok());
}

TEST_P(TierBasicsTest, has_a_name_and_does_not_own_the_callers_thread) {
  EXPECT_TRUE(tier->name() == "l1" || tier->name() == "l2" || tier->name() == "l3");
  EXPECT_FALSE(tier->runs_on_this_thread());
}

TEST_P(TierBasicsTest, counts_what_it_did) {
  put(key_of(1), fresh("one"));
  (void)get(key_of(1));
  (void)get(key_of(1));
  (void)get(key_of(2));
  (void)remove(key_of(1));
  const auto counters = tier->counters();
  EXPECT_EQ(counters.hits, 2U);
  EXPECT_EQ(counters.misses, 1U);
  EXPECT_EQ(counters.writes, 1U);
  EXPECT_EQ(counters.removals, 1U);
  EXPECT_EQ(counters.dropped_writes, 0U);
  EXPECT_EQ(counters.errors_unavailable + counters.errors_timeout + counters.errors_protocol +
                counters.errors_corrupt,
            0U);
}

TEST_P(TierBasicsTest, nothing_is_pending_after_a_flush) {
  for (std::uint64_t i = 0; i < 500; ++i) tier->put(key_of(i), fresh("x"));
  flush();
  EXPECT_EQ(tier->gauges().pending_writes, 0U);
  EXPECT_EQ(tier->gauges().pending_bytes, 0U);
  EXPECT_EQ(tier->gauges().breaker, BreakerState::kClosed);
}

}  // namespace
}  // namespace llm_edge_cache::test
