// Watch a cache at work: hit rates, and what an expiry does to them.
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <memory>
#include <string>

#include "llm_edge_cache/llm_edge_cache.hpp"

namespace lec = llm_edge_cache;

namespace {

// Twenty users ask five questions over and over.
bool ask_all(const lec::CacheManager& cache) {
  for (int user = 0; user < 20; ++user) {
    const auto request = lec::CacheableRequest("gpt-4o", "question " + std::to_string(user % 5));
    const auto found = cache.lookup(request);
    if (!found.ok()) return false;
    if (found->is_hit()) continue;
    const auto stored = cache.store(
        request, {.content = "answer", .tokens = std::nullopt, .model = request.model()});
    if (!stored.ok()) return false;
  }
  return true;
}

void report(const lec::CacheManager& cache) {
  const auto metrics = cache.metrics_snapshot();
  std::cout << std::fixed << std::setprecision(3)           //
            << "requests " << metrics.total_requests        //
            << "  l1 hits " << metrics.l1.hits              //
            << "  misses " << metrics.l1.misses             //
            << "  writes " << metrics.l1.writes             //
            << "  hit rate " << metrics.overall_hit_rate()  //
            << "  entries " << cache.l1_entry_count() << '\n';
}

}  // namespace

int main() {
  // Time is injected, so that an example need not wait for an expiry.
  const auto clock = std::make_shared<lec::ManualClock>();
  const auto cache = lec::CacheManager::builder()
                         .l1({.max_entries = 100, .ttl_ms = 60'000, .tti_ms = 0})
                         .clock(clock)
                         .build();

  if (!ask_all(cache)) return EXIT_FAILURE;
  report(cache);

  clock->advance_ms(60'000);
  std::cout << "a minute later\n";
  if (!ask_all(cache)) return EXIT_FAILURE;
  report(cache);

  const auto health = cache.health_check();
  std::cout << "healthy: " << (health.is_fully_healthy() ? "yes" : "no") << '\n';
}
