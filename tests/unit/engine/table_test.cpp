#include "llm_edge_cache/engine/table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace llm_edge_cache::engine {
namespace {

Table::Position position_of(const Table& table, std::uint64_t hash, Handle handle) {
  Table::Position found;
  table.find(hash, [&](Group& group, std::uint32_t slot) {
    if (group.handles[slot].load() != handle) return false;
    found = {&group, slot};
    return true;
  });
  return found;
}

bool contains(const Table& table, std::uint64_t hash, Handle handle) {
  return position_of(table, hash, handle).group != nullptr;
}

TEST(MatchBytesTest, words_and_vectors_match_as_bytes_do) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 10'000; ++i) {
    alignas(16) std::uint64_t words[] = {random() & random(), random() & 0x00FF00FF01010101U};
    const auto tag = static_cast<std::uint8_t>(i % 3 == 0 ? 0 : words[0] >> (i % 8 * 8));
    std::uint32_t expected = 0;
    for (std::uint32_t byte = 0; byte < 16; ++byte) {
      const auto at = static_cast<std::uint8_t>(words[byte / 8] >> (byte % 8 * 8));
      expected |= std::uint32_t{at == tag} << byte;
    }
    ASSERT_EQ(detail::match_bytes(words[0], words[1], tag), expected);
#ifdef LEC_ENGINE_SSE2
    ASSERT_EQ(detail::match_bytes(static_cast<const void*>(words), tag), expected);
#endif
  }
}

TEST(TableTest, finds_what_was_inserted) {
  const Table::Ptr owner = Table::make(4);
  Table& table = *owner;
  table.insert(0x1234, 7);
  EXPECT_TRUE(contains(table, 0x1234, 7));
  EXPECT_FALSE(contains(table, 0x1234, 8));
}

TEST(TableTest, a_tag_of_zero_is_not_taken_for_a_free_slot) {
  const Table::Ptr owner = Table::make(1);
  Table& table = *owner;
  for (Handle handle = 0; handle < 9; ++handle) table.insert(0x1200, handle);
  for (Handle handle = 0; handle < 9; ++handle) EXPECT_TRUE(contains(table, 0x1200, handle));
}

TEST(TableTest, finds_entries_that_overflowed_their_group) {
  const Table::Ptr owner = Table::make(4);
  Table& table = *owner;
  for (Handle handle = 0; handle < 40; ++handle) table.insert(5, handle);
  for (Handle handle = 0; handle < 40; ++handle) EXPECT_TRUE(contains(table, 5, handle));
}

TEST(TableTest, erasing_leaves_the_overflowed_entries_findable) {
  const Table::Ptr owner = Table::make(4);
  Table& table = *owner;
  for (Handle handle = 0; handle < 40; ++handle) table.insert(5, handle);
  for (Handle handle = 0; handle < 39; ++handle) {
    table.erase(5, position_of(table, 5, handle));
    EXPECT_FALSE(contains(table, 5, handle));
    EXPECT_TRUE(contains(table, 5, 39));
  }
}

TEST(TableTest, overflow_ends_when_what_overflowed_is_erased) {
  const Table::Ptr owner = Table::make(2);
  Table& table = *owner;
  for (Handle handle = 0; handle < 13; ++handle) table.insert(5, handle);
  EXPECT_NE(table.group(0).overflow(), 0U);
  for (Handle handle = 0; handle < 13; ++handle) table.erase(5, position_of(table, 5, handle));
  EXPECT_EQ(table.group(0).overflow(), 0U);
  EXPECT_EQ(table.entries(), 0U);
}

TEST(TableTest, a_saturated_overflow_count_stays) {
  const Table::Ptr owner = Table::make(64);
  Table& table = *owner;
  for (Handle handle = 0; handle < 400; ++handle) table.insert(5, handle);
  EXPECT_EQ(table.group(0).overflow(), 255U);
  for (Handle handle = 0; handle < 390; ++handle) table.erase(5, position_of(table, 5, handle));
  for (Handle handle = 390; handle < 400; ++handle) EXPECT_TRUE(contains(table, 5, handle));
}

TEST(TableTest, agrees_with_a_map_under_random_inserts_and_erases) {
  std::mt19937_64 random(7);
  const Table::Ptr owner = Table::make(Table::groups_for(500));
  Table& table = *owner;
  std::map<Handle, std::uint64_t> model;
  for (int step = 0; step < 20'000; ++step) {
    const auto handle = static_cast<Handle>(random() % 600);
    const auto known = model.find(handle);
    if (known != model.end()) {
      const auto at = position_of(table, known->second, handle);
      ASSERT_NE(at.group, nullptr);
      table.erase(known->second, at);
      model.erase(known);
    } else if (!table.full()) {
      const std::uint64_t hash = random() & 0xFFFFFF03;
      table.insert(hash, handle);
      model.emplace(handle, hash);
    }
    ASSERT_EQ(table.entries(), model.size());
  }
  for (const auto& [handle, hash] : model) EXPECT_TRUE(contains(table, hash, handle));
}

TEST(TableTest, as_many_groups_as_asked_for_hold_the_entries) {
  for (std::size_t entries = 0; entries < 5000; entries += 7) {
    EXPECT_GE(Table::capacity(Table::groups_for(entries)), entries);
  }
}

}  // namespace
}  // namespace llm_edge_cache::engine
