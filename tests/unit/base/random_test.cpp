#include "base/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace llm_edge_cache {
namespace {

TEST(RandomTest, gives_as_many_bytes_as_asked_for) {
  EXPECT_EQ(random_bytes(0).size(), 0U);
  EXPECT_EQ(random_bytes(33).size(), 33U);
}

TEST(RandomTest, draws_differ) {
  std::set<std::string> draws;
  for (int i = 0; i < 100; ++i) {
    draws.insert(random_bytes(16));
  }
  EXPECT_EQ(draws.size(), 100U);
}

TEST(RandomTest, fills_more_than_one_call_takes) {
  std::vector<std::uint8_t> bytes((2U << 20U) + 5);
  fill_random(bytes);
  // 64 zero bytes in a row would be an end that nobody wrote.
  const std::vector<std::uint8_t> zeros(64);
  EXPECT_TRUE(std::ranges::search(bytes, zeros).empty());
}

}  // namespace
}  // namespace llm_edge_cache
