// Random steps against the reference; fuzz/fuzz_engine_model.cpp lets libFuzzer choose them.
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/engine/model_run.hpp"

namespace llm_edge_cache::engine {
namespace {

template <class Traits>
void run_seeds() {
  for (unsigned seed = 0; seed < 400; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::uint8_t> bytes(300);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    EXPECT_NO_THROW(ModelRun<Traits>(bytes).run()) << "seed " << seed;
  }
}

TEST(CacheModelTest, an_lru_cache_does_as_the_reference_does) {
  run_seeds<ModelLruTraits>();
}

TEST(CacheModelTest, a_tiny_lfu_cache_differs_only_in_what_it_evicts) {
  run_seeds<ModelTraits>();
}

}  // namespace
}  // namespace llm_edge_cache::engine
