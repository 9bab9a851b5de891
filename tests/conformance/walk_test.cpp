#include <map>

#include "tests/conformance/tier_fixture.hpp"

namespace llm_edge_cache::test {
namespace {

class TierWalkTest : public TierFixture {
 protected:
  using Page = std::vector<KeyedEntry>;

  [[nodiscard]] static Page next(TierWalk& walk) {
    const auto page = result_of<Result<Page>>([&](auto done) { walk.next(std::move(done)); });
    EXPECT_TRUE(page.ok()) << page.error().message;
    return page.ok() ? page.value() : Page();
  }
  // Each page is checked to be small.
  [[nodiscard]] std::map<KeyDigest, EntryPtr> all() {
    std::map<KeyDigest, EntryPtr> found;
    const auto walk = tier->walk();
    for (auto page = next(*walk); !page.empty(); page = next(*walk)) {
      EXPECT_LE(page.size(), 2 * TierWalk::kPageEntries);
      for (auto& [key, entry] : page) found[key] = std::move(entry);
    }
    return found;
  }
};
INSTANTIATE_TEST_SUITE_P(Tiers, TierWalkTest, ::testing::ValuesIn(all_tiers()), tier_name);

TEST_P(TierWalkTest, an_empty_tier_is_at_its_end_at_once) {
  const auto walk = tier->walk();
  EXPECT_TRUE(next(*walk).empty());
  EXPECT_TRUE(next(*walk).empty());
}

TEST_P(TierWalkTest, comes_to_every_entry_with_its_key) {
  constexpr std::uint64_t kEntries = 1'000;
  for (std::uint64_t i = 0; i < kEntries; ++i) tier->put(key_of(i), fresh(std::to_string(i)));
  flush();
  const auto found = all();
  ASSERT_EQ(found.size(), kEntries);
  for (std::uint64_t i = 0; i < kEntries; ++i) {
    ASSERT_EQ(found.at(key_of(i))->response.content, std::to_string(i));
  }
}

TEST_P(TierWalkTest, passes_over_what_was_removed_or_has_ended) {
  put(key_of(1), fresh("removed"));
  put(key_of(2), fresh("ended", 60'000));
  put(key_of(3), fresh("there"));
  (void)remove(key_of(1));
  clock->advance_ms(60'000);
  const auto found = all();
  EXPECT_EQ(found.size(), 1U);
  EXPECT_TRUE(found.contains(key_of(3)));
}

TEST_P(TierWalkTest, does_not_come_to_another_tiers_entries) {
  const auto other = GetParam()->make(clock);
  other->put(key_of(1), fresh("theirs"));
  (void)result_of<Status>([&](auto done) { other->flush(std::move(done)); });
  EXPECT_TRUE(all().empty());
}

TEST_P(TierWalkTest, entries_that_are_there_throughout_come_while_others_come_and_go) {
  constexpr std::uint64_t kEntries = 300;
  for (std::uint64_t i = 0; i < kEntries; ++i) tier->put(key_of(i), fresh("stays"));
  flush();
  const auto walk = tier->walk();
  std::map<KeyDigest, int> times;
  std::uint64_t number = kEntries;
  for (auto page = next(*walk); !page.empty(); page = next(*walk)) {
    for (const auto& one : page) ++times[one.key];
    tier->put(key_of(number), fresh("comes"));
    (void)remove(key_of(number));
    ++number;
  }
  for (std::uint64_t i = 0; i < kEntries; ++i) EXPECT_GE(times[key_of(i)], 1) << i;
}

TEST_P(TierWalkTest, may_be_left_before_its_end) {
  for (std::uint64_t i = 0; i < 200; ++i) tier->put(key_of(i), fresh("x"));
  flush();
  EXPECT_FALSE(next(*tier->walk()).empty());
  tier.reset();
}

}  // namespace
}  // namespace llm_edge_cache::test
