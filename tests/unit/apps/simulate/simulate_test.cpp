#include "simulate/simulate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::app {
namespace {

using ::testing::ElementsAre;

TEST(ReadTraceTest, numbers_keys_by_first_appearance) {
  const test::TempDir directory;
  const auto path = (directory.path() / "trace.txt").string();
  std::ofstream(path) << "apple\npear\napple\n# not a comment\n\npear\n";
  const auto trace = read_trace(path);
  ASSERT_TRUE(trace.ok());
  EXPECT_THAT(*trace, ElementsAre(0, 1, 0, 2, 3, 1));
}

TEST(ReadTraceTest, a_file_that_is_not_there_is_an_error) {
  EXPECT_EQ(read_trace("/nonexistent").error().code, ErrorCode::kIo);
}

TEST(SimulateTest, everything_that_fits_misses_once) {
  const KeyTrace trace{0, 1, 2, 0, 1, 2, 2};
  for (const auto policy : {SimulatedPolicy::kTinyLfu, SimulatedPolicy::kLru}) {
    const auto result = simulate(trace, 10, policy);
    EXPECT_EQ(result.requests, 7U);
    EXPECT_EQ(result.hits, 4U);
  }
}

TEST(SimulateTest, lru_forgets_what_was_used_longest_ago) {
  EXPECT_EQ(simulate({0, 1, 0, 2, 0, 1}, 2, SimulatedPolicy::kLru).hits, 2U);
}

TEST(SimulateTest, lru_gets_nothing_from_a_loop_larger_than_the_cache_and_tinylfu_does) {
  KeyTrace loop;
  for (int round = 0; round < 50; ++round) {
    for (std::uint32_t key = 0; key < 200; ++key) loop.push_back(key);
  }
  EXPECT_EQ(simulate(loop, 100, SimulatedPolicy::kLru).hits, 0U);
  EXPECT_GT(simulate(loop, 100, SimulatedPolicy::kTinyLfu).hit_ratio(), 0.2);
}

TEST(SimulateTest, repeats_itself) {
  KeyTrace trace;
  for (std::uint32_t i = 0; i < 5'000; ++i) trace.push_back((i * i) % 997);
  EXPECT_EQ(simulate(trace, 64, SimulatedPolicy::kTinyLfu).hits,
            simulate(trace, 64, SimulatedPolicy::kTinyLfu).hits);
}

TEST(SimulateTest, json_is_an_array_of_results) {
  const auto json = nlohmann::json::parse(
      simulation_json({{.capacity = 4, .requests = 10, .hits = 5}, {.capacity = 8}}));
  EXPECT_EQ(json[0],
            nlohmann::json({{"capacity", 4}, {"requests", 10}, {"hits", 5}, {"hit_ratio", 0.5}}));
  EXPECT_EQ(json[1]["hit_ratio"], 0.0);
}

}  // namespace
}  // namespace llm_edge_cache::app
