#include "proxy/label_table.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace llm_edge_cache::proxy {
namespace {

std::string numbered(std::size_t i) {
  return "label-" + std::to_string(i);
}

TEST(LabelTableTest, a_label_keeps_its_index) {
  LabelTable table;
  const auto first = table.index_of("a");
  const auto second = table.index_of("b");
  EXPECT_NE(first, second);
  EXPECT_EQ(table.index_of("a"), first);
  EXPECT_EQ(table.size(), 2U);
  EXPECT_EQ(table.label(second), "b");
}

TEST(LabelTableTest, labels_that_come_too_late_share_one_index) {
  LabelTable table;
  for (std::size_t i = 0; i < LabelTable::kMaxLabels; ++i) {
    EXPECT_EQ(table.index_of(numbered(i)), i);
  }
  EXPECT_EQ(table.index_of("late"), LabelTable::kOther);
  EXPECT_EQ(table.index_of(numbered(3)), 3U);
  EXPECT_EQ(table.size(), LabelTable::kMaxLabels);
}

TEST(LabelTableTest, neither_an_empty_nor_a_huge_label_takes_room) {
  LabelTable table;
  EXPECT_EQ(table.index_of(""), LabelTable::kOther);
  EXPECT_EQ(table.index_of(std::string(LabelTable::kMaxLabelBytes + 1, 'x')), LabelTable::kOther);
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(table.index_of(std::string(LabelTable::kMaxLabelBytes, 'x')), 0U);
}

TEST(LabelTableTest, threads_that_add_the_same_labels_agree_on_them) {
  LabelTable table;
  constexpr std::size_t kLabels = LabelTable::kMaxLabels;
  std::vector<std::vector<std::size_t>> seen(4, std::vector<std::size_t>(kLabels));
  std::vector<std::thread> threads;
  threads.reserve(seen.size());
  for (auto& mine : seen) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < kLabels; ++i) mine[i] = table.index_of(numbered(i));
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(table.size(), kLabels);
  for (const auto& mine : seen) EXPECT_EQ(mine, seen.front());
  for (std::size_t i = 0; i < kLabels; ++i) EXPECT_EQ(table.label(seen[0][i]), numbered(i));
}

}  // namespace
}  // namespace llm_edge_cache::proxy
