#include "llm_edge_cache/engine/hazards.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <set>
#include <thread>
#include <vector>

namespace llm_edge_cache::engine {
namespace {

using ::testing::Contains;
using ::testing::Not;

std::vector<HazardName> announced() {
  fence_before_scan();
  std::vector<HazardName> names;
  HazardRegistry::collect(names);
  return names;
}

TEST(HazardsTest, an_announcement_is_seen_until_it_is_taken_back) {
  Hazard& pin = free_pin(this_threads_hazards());
  const HazardName name = hazard_name(7, 42);
  pin.store(name);
  EXPECT_THAT(announced(), Contains(name));
  pin.store(0);
  EXPECT_THAT(announced(), Not(Contains(name)));
}

TEST(HazardsTest, names_of_nodes_tell_caches_apart) {
  EXPECT_NE(hazard_name(1, 5), hazard_name(2, 5));
  EXPECT_NE(hazard_name(1, 5), hazard_name(1, 6));
  EXPECT_NE(hazard_name(0, 0), 0U);
}

TEST(HazardsTest, a_thread_may_pin_more_than_a_record_holds) {
  std::set<Hazard*> pins;
  for (std::uint32_t i = 0; i < 30; ++i) {
    Hazard& pin = free_pin(this_threads_hazards());
    pin.store(hazard_name(3, i));
    pins.insert(&pin);
  }
  EXPECT_EQ(pins.size(), 30U);
  EXPECT_THAT(announced(), Contains(hazard_name(3, 29)));
  for (Hazard* pin : pins) pin->store(0);
}

TEST(HazardsTest, threads_that_live_at_once_have_different_indices) {
  constexpr int kBorrowers = 6;
  std::vector<std::uint32_t> indices(kBorrowers);
  std::latch all(kBorrowers);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kBorrowers; ++i) {
    threads.emplace_back([&, i] {
      indices[i] = this_threads_hazards().index;
      all.arrive_and_wait();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(std::set<std::uint32_t>(indices.begin(), indices.end()).size(), indices.size());
}

TEST(HazardsTest, the_record_of_a_thread_that_ended_is_lent_again) {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  std::thread([&] { first = this_threads_hazards().index; }).join();
  std::thread([&] { second = this_threads_hazards().index; }).join();
  EXPECT_EQ(first, second);
}

TEST(HazardsTest, a_pin_outlives_the_thread_that_made_it) {
  Hazard* pin = nullptr;
  std::thread([&] {
    pin = &free_pin(this_threads_hazards());
    pin->store(hazard_name(9, 9));
  }).join();
  EXPECT_THAT(announced(), Contains(hazard_name(9, 9)));
  pin->store(0, std::memory_order_release);
}

}  // namespace
}  // namespace llm_edge_cache::engine
