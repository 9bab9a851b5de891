// What another process changed must not be answered from this one's memory.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/tiered_cache.hpp"
#include "tests/support/entries.hpp"
#include "tests/unit/tiered_cache/held_tier.hpp"
#include "tiers/memory/memory_tier.hpp"

namespace llm_edge_cache::test {
namespace {

class Lease final : public FlightLease {
 public:
  void note_landed() override {}
};

class ScriptedFleet final : public Fleet {
 public:
  void listen(FleetListener& to) override { listener = &to; }
  void take_turn(const KeyDigest& /*key*/, TurnHandler handler) override {
    handler({.kind = FlightTurn::Kind::kLease, .lease = std::make_shared<Lease>()});
  }
  void put(const KeyDigest& key, EntryPtr /*entry*/, FlightLeasePtr /*lease*/) override {
    written_under_lease.push_back(key);
  }
  [[nodiscard]] FleetReport report() const override { return {.has_channel = true, .sent = 3}; }

  FleetListener* listener = nullptr;
  std::vector<KeyDigest> written_under_lease;
};

class FleetTest : public ::testing::Test {
 protected:
  static std::unique_ptr<HeldTier> tier_of(Fleet& fleet) {
    auto tier = std::make_unique<HeldTier>();
    tier->shared_by = &fleet;
    return tier;
  }
  [[nodiscard]] EntryPtr fresh(std::string content) const {
    return entry_of(std::move(content), {.expires_ms = clock_->now_ms() + 1'000});
  }
  [[nodiscard]] std::string in_l1() {
    const auto found = cache_.lookup_l1(key_);
    return found.entry == nullptr ? "" : found.entry->response.content;
  }

  const std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  const KeyDigest key_ = key_of(1);
  ScriptedFleet fleet_;
  std::unique_ptr<HeldTier> owned_l2_ = tier_of(fleet_);
  HeldTier& l2_ = *owned_l2_;
  TieredCache cache_{std::make_unique<MemoryTier>(L1Config{}, clock_), std::move(owned_l2_),
                     clock_};
};

TEST_F(FleetTest, memory_lets_go_of_what_another_changed_and_of_nothing_else) {
  cache_.store(key_, fresh("one"));
  cache_.store(key_of(2), fresh("two"));
  fleet_.listener->on_changed(key_);
  EXPECT_EQ(in_l1(), "");
  EXPECT_TRUE(cache_.lookup_l1(key_of(2)).is_hit());
  EXPECT_EQ(cache_.fleet_report().l1_drops, 1U);
}

TEST_F(FleetTest, a_change_of_what_memory_has_not_drops_nothing) {
  fleet_.listener->on_changed(key_);
  EXPECT_EQ(cache_.fleet_report().l1_drops, 0U);
}

TEST_F(FleetTest, memory_lets_go_of_all_where_news_may_have_been_missed) {
  cache_.store(key_, fresh("one"));
  fleet_.listener->on_all_changed();
  EXPECT_EQ(in_l1(), "");
  EXPECT_EQ(cache_.fleet_report().l1_clears, 1U);
}

TEST_F(FleetTest, a_lookup_that_began_before_the_news_does_not_bring_the_old_answer_back) {
  l2_.entries[key_] = fresh("old");
  std::optional<LookedUp> found;
  cache_.lookup(key_, [&](LookedUp looked_up) { found = std::move(looked_up); });
  fleet_.listener->on_changed(key_);
  l2_.release_all();
  EXPECT_TRUE(found->is_hit());
  EXPECT_EQ(in_l1(), "");
}

TEST_F(FleetTest, nor_does_one_that_began_before_the_channel_was_back) {
  l2_.entries[key_] = fresh("old");
  cache_.lookup(key_, [](const LookedUp&) {});
  fleet_.listener->on_all_changed();
  l2_.release_all();
  EXPECT_EQ(in_l1(), "");
}

TEST_F(FleetTest, one_that_began_after_the_news_is_kept) {
  fleet_.listener->on_changed(key_);
  l2_.entries[key_] = fresh("new");
  cache_.lookup(key_, [](const LookedUp&) {});
  l2_.release_all();
  EXPECT_EQ(in_l1(), "new");
}

TEST_F(FleetTest, an_answer_asked_for_before_another_removed_its_key_is_not_stored) {
  const auto watch = cache_.watch(key_);
  const auto other = cache_.watch(key_of(2));
  fleet_.listener->on_changed(key_);
  cache_.store(key_, fresh("asked before"), nullptr, nullptr, watch);
  EXPECT_EQ(in_l1(), "");
  EXPECT_TRUE(l2_.entries.empty());
  EXPECT_FALSE(other->is_over());
}

TEST_F(FleetTest, nor_is_any_where_a_removal_may_have_been_missed) {
  const auto watch = cache_.watch(key_);
  fleet_.listener->on_all_changed();
  cache_.store(key_, fresh("asked before"), nullptr, nullptr, watch);
  EXPECT_EQ(in_l1(), "");
}

TEST_F(FleetTest, its_lease_goes_back_unwritten) {
  FlightTurn turn;
  cache_.take_turn(key_, [&](FlightTurn given) { turn = std::move(given); });
  const std::weak_ptr<FlightLease> lease = turn.lease;
  const auto watch = cache_.watch(key_);
  fleet_.listener->on_changed(key_);
  cache_.store(key_, fresh("asked before"), nullptr, std::move(turn.lease), watch);
  EXPECT_TRUE(fleet_.written_under_lease.empty());
  EXPECT_TRUE(lease.expired());
}

TEST_F(FleetTest, an_own_write_that_was_not_the_last_ends_what_memory_has_and_no_watch) {
  cache_.store(key_, fresh("one"));
  const auto watch = cache_.watch(key_);
  fleet_.listener->on_overtaken(key_);
  EXPECT_EQ(in_l1(), "");
  EXPECT_FALSE(watch->is_over());
}

TEST_F(FleetTest, a_tag_that_another_purged_ends_its_answers_here) {
  auto tagged = std::make_shared<Entry>(*fresh("tagged"));
  tagged->tags = {"t"};
  cache_.store(key_, tagged);
  l2_.release_all();
  ASSERT_EQ(in_l1(), "tagged");
  // The marker of the tag is what a purge removes.
  const auto ticket = cache_.stamp({"t"});
  std::optional<KeyDigest> marker;
  ticket->when_ready([&](const std::vector<TagStamp>* stamps) { marker = stamps->front().marker; });
  fleet_.listener->on_changed(*marker);
  EXPECT_EQ(in_l1(), "");
}

TEST_F(FleetTest, an_answer_under_a_lease_goes_to_l2_with_it_and_to_memory_at_once) {
  FlightTurn turn;
  cache_.take_turn(key_, [&](FlightTurn given) { turn = std::move(given); });
  cache_.store(key_, fresh("one"), nullptr, std::move(turn.lease));
  EXPECT_EQ(fleet_.written_under_lease, std::vector{key_});
  EXPECT_TRUE(l2_.entries.empty());
  EXPECT_EQ(in_l1(), "one");
}

TEST_F(FleetTest, other_answers_go_to_l2_as_ever) {
  cache_.store(key_, fresh("one"));
  EXPECT_EQ(l2_.entries.size(), 1U);
  EXPECT_TRUE(fleet_.written_under_lease.empty());
}

TEST_F(FleetTest, reports_what_the_fleet_says) {
  EXPECT_EQ(cache_.fleet_report().sent, 3U);
}

TEST(FleetlessTest, without_others_every_turn_is_one_s_own) {
  const auto clock = std::make_shared<ManualClock>();
  TieredCache cache(std::make_unique<MemoryTier>(L1Config{}, clock), nullptr, clock);
  std::optional<FlightTurn> turn;
  cache.take_turn(key_of(1), [&](FlightTurn given) { turn = std::move(given); });
  EXPECT_EQ(turn->kind, FlightTurn::Kind::kAlone);
  EXPECT_FALSE(cache.fleet_report().has_channel);
}

}  // namespace
}  // namespace llm_edge_cache::test
