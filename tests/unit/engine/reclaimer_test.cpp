#include "llm_edge_cache/engine/reclaimer.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace llm_edge_cache::engine {
namespace {

using Value = std::shared_ptr<int>;
using Slab = NodeSlab<int, Value>;

class ReclaimerTest : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kCacheId = 77;

  Handle node(std::uint32_t weight = 1) {
    std::vector<Handle> handles(1);
    slab_.allocate(handles);
    slab_.read_part(handles[0]).construct(1, Value(watched_), 0, kNeverNs);
    slab_.write_part(handles[0]).weight = weight;
    return handles[0];
  }
  void retire(Handle handle) { reclaimer_.retire(std::vector<Handle>{handle}); }
  [[nodiscard]] long alive() const { return watched_.use_count() - 1; }

  Value watched_ = std::make_shared<int>(1);
  Slab slab_;
  Reclaimer<Slab, ProductSync> reclaimer_{slab_, kCacheId, {.max_entries = 4, .max_weight = 100}};
};

TEST_F(ReclaimerTest, frees_when_the_bound_of_entries_is_met) {
  for (int i = 0; i < 3; ++i) retire(node());
  EXPECT_EQ(alive(), 3);
  EXPECT_EQ(reclaimer_.deferred().entries, 3U);
  retire(node());
  EXPECT_EQ(alive(), 0);
  EXPECT_EQ(slab_.allocated(), 0U);
}

TEST_F(ReclaimerTest, frees_when_the_bound_of_weight_is_met) {
  retire(node(99));
  EXPECT_EQ(alive(), 1);
  retire(node(1));
  EXPECT_EQ(alive(), 0);
}

TEST_F(ReclaimerTest, keeps_what_a_reader_holds) {
  const Handle held = node(5);
  Hazard& pin = free_pin(this_threads_hazards());
  pin.store(hazard_name(kCacheId, held));
  retire(held);
  retire(node());
  reclaimer_.reclaim();
  EXPECT_EQ(alive(), 1);
  EXPECT_EQ(reclaimer_.deferred().weight, 5U);
  pin.store(0);
  reclaimer_.reclaim();
  EXPECT_EQ(alive(), 0);
}

TEST_F(ReclaimerTest, another_caches_node_of_the_same_number_is_not_kept) {
  const Handle handle = node();
  Hazard& pin = free_pin(this_threads_hazards());
  pin.store(hazard_name(kCacheId + 1, handle));
  retire(handle);
  reclaimer_.reclaim();
  EXPECT_EQ(alive(), 0);
  pin.store(0);
}

TEST_F(ReclaimerTest, keeps_a_table_that_a_reader_is_in) {
  auto table = Table::make(4);
  Hazard& pin = free_pin(this_threads_hazards());
  pin.store(hazard_name(table.get()));
  reclaimer_.retire(std::move(table));
  reclaimer_.reclaim();
  EXPECT_GT(reclaimer_.deferred().memory_bytes, 4 * sizeof(Group));
  pin.store(0);
  reclaimer_.reclaim();
  EXPECT_LT(reclaimer_.deferred().memory_bytes, 4 * sizeof(Group));
}

TEST_F(ReclaimerTest, tables_do_not_pile_up) {
  for (int i = 0; i < 100; ++i) reclaimer_.retire(Table::make(4));
  EXPECT_LT(reclaimer_.deferred().memory_bytes, 10 * 5 * sizeof(Group));
}

TEST_F(ReclaimerTest, frees_the_rest_when_it_ends) {
  {
    Reclaimer<Slab, ProductSync> other(slab_, 5, {.max_entries = 10, .max_weight = 100});
    other.retire(std::vector<Handle>{node()});
    EXPECT_EQ(alive(), 1);
  }
  EXPECT_EQ(alive(), 0);
}

}  // namespace
}  // namespace llm_edge_cache::engine
