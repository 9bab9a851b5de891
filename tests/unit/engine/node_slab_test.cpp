#include "llm_edge_cache/engine/node_slab.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace llm_edge_cache::engine {
namespace {

using Slab = NodeSlab<int, int>;

std::vector<Handle> allocate(Slab& slab, std::size_t count) {
  std::vector<Handle> handles(count);
  slab.allocate(handles);
  return handles;
}

TEST(NodeSlabTest, a_node_costs_fifty_six_bytes_beyond_key_and_value) {
  using LongSlab = NodeSlab<std::uint64_t, std::uint64_t>;
  EXPECT_EQ(LongSlab::kNodeBytes, 56U + 16U);
}

TEST(NodeSlabTest, handles_are_distinct) {
  Slab slab;
  const auto handles = allocate(slab, 5000);
  EXPECT_EQ(std::set<Handle>(handles.begin(), handles.end()).size(), 5000U);
  EXPECT_EQ(slab.allocated(), 5000U);
  slab.release(handles);
}

TEST(NodeSlabTest, nodes_keep_what_is_stored_in_them) {
  Slab slab;
  const auto handles = allocate(slab, 3000);
  for (std::size_t i = 0; i < handles.size(); ++i) {
    const int key = static_cast<int>(i);
    slab.read_part(handles[i]).construct(int{key}, key * 2, 0, kNeverNs);
    slab.write_part(handles[i]).hash = i;
  }
  for (std::size_t i = 0; i < handles.size(); ++i) {
    ASSERT_EQ(slab.read_part(handles[i]).value(), static_cast<int>(i) * 2);
    ASSERT_EQ(slab.hash(handles[i]), i);
    slab.read_part(handles[i]).destroy();
  }
  slab.release(handles);
}

TEST(NodeSlabTest, released_nodes_are_used_again) {
  Slab slab;
  const auto first = allocate(slab, 100);
  const std::size_t bytes = slab.memory_bytes();
  slab.release(first);
  const auto second = allocate(slab, 100);
  EXPECT_EQ(std::set<Handle>(first.begin(), first.end()),
            std::set<Handle>(second.begin(), second.end()));
  EXPECT_EQ(slab.memory_bytes(), bytes);
  slab.release(second);
}

TEST(NodeSlabTest, trim_gives_empty_chunks_back_except_one) {
  Slab slab;
  const auto few = allocate(slab, 1);
  const std::size_t bytes_for_few = slab.memory_bytes();
  const auto many = allocate(slab, 20'000);
  EXPECT_GT(slab.memory_bytes(), 10 * bytes_for_few);
  slab.write_part(many[10'000]).linked = true;
  slab.release(many);
  EXPECT_GT(slab.trim(), 30U);
  EXPECT_LT(slab.memory_bytes(), 3 * bytes_for_few);
  EXPECT_EQ(slab.trim(), 0U);
  EXPECT_FALSE(slab.write_part(many[10'000]).linked) << "a late event finds an empty node";
  slab.release(few);
}

TEST(NodeSlabTest, trimmed_chunks_can_be_used_again) {
  Slab slab;
  for (int round = 0; round < 5; ++round) {
    const auto handles = allocate(slab, 10'000);
    for (const Handle handle : handles) slab.write_part(handle).weight = handle;
    for (const Handle handle : handles) ASSERT_EQ(slab.weight(handle), handle);
    slab.release(handles);
    EXPECT_GT(slab.trim(), 0U);
  }
}

TEST(NodeSlabTest, large_values_are_at_home_too) {
  struct Large {
    char text[32 << 10];
  };
  NodeSlab<int, Large> slab;
  std::vector<Handle> handles(40);
  slab.allocate(handles);
  EXPECT_EQ(std::set<Handle>(handles.begin(), handles.end()).size(), 40U);
  slab.release(handles);
}

TEST(ReadPartTest, the_deadline_is_the_sooner_of_life_and_idleness) {
  Slab slab;
  const auto handles = allocate(slab, 1);
  auto& part = slab.read_part(handles.front());
  part.construct(1, 2, 100, 1000);
  EXPECT_EQ(part.deadline_ns(kNeverNs), 1000);
  EXPECT_EQ(part.deadline_ns(50), 150);
  EXPECT_TRUE(part.read_if_live(149, 50));
  EXPECT_EQ(part.deadline_ns(50), 199);
  EXPECT_EQ(part.deadline_ns(1000), 1000);
  EXPECT_EQ(part.deadline_ns(kNeverNs - 1), 1000) << "no overflow";
  part.destroy();
  slab.release(handles);
}

TEST(ReadPartTest, a_read_is_noted_while_the_entry_lives) {
  Slab slab;
  const auto handles = allocate(slab, 1);
  auto& part = slab.read_part(handles.front());
  part.construct(1, 2, 100, 1000);
  EXPECT_TRUE(part.read_if_live(140, 50));
  EXPECT_TRUE(part.read_if_live(120, 50)) << "an older time is ignored";
  EXPECT_EQ(part.deadline_ns(50), 190);
  EXPECT_FALSE(part.read_if_live(190, 50)) << "idle";
  EXPECT_EQ(part.deadline_ns(50), 190);
  EXPECT_TRUE(part.read_if_live(999, kNeverNs));
  EXPECT_EQ(part.deadline_ns(50), 190) << "without a limit nothing is stored";
  EXPECT_FALSE(part.read_if_live(1000, kNeverNs)) << "expired";
  EXPECT_TRUE(part.read_if_live(150, kNeverNs - 1)) << "no overflow";
  part.destroy();
  slab.release(handles);
}

}  // namespace
}  // namespace llm_edge_cache::engine
