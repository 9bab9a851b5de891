// Two processes' worth of caches on one Redis: what one has paid for, the other has too.
//
//   distributed_cache redis://127.0.0.1:6379
#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <thread>

#include "llm_edge_cache/llm_edge_cache.hpp"

namespace lec = llm_edge_cache;

namespace {

// Oslo's memory hears of what Berlin did over Redis, within milliseconds; half a second at most
// here.
bool has_let_go(const lec::CacheManager& cache, const lec::CacheableRequest& request) {
  for (int i = 0; i < 500; ++i) {
    const auto found = cache.lookup(request);
    if (found.ok() && !found->is_hit()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

int run(const char* url) {
  const auto config = lec::L2Config{.url = url, .key_prefix = "distributed_cache_example:"};
  const auto berlin = lec::CacheManager::with_l2(config);
  const auto oslo = lec::CacheManager::with_l2(config);

  // A server that is down is not an error: both would run on memory until it is back.
  if (!berlin.health_check().is_fully_healthy()) {
    std::cerr << "Redis does not answer\n";
    return EXIT_FAILURE;
  }

  const auto request = lec::CacheableRequest("gpt-4o", "Name the longest river of Norway.");
  const auto stored = berlin.store(
      request, {.content = "Glomma, 621 km.", .tokens = std::nullopt, .model = "gpt-4o"});
  if (!stored.ok()) return EXIT_FAILURE;
  // store() returns before Redis has it; waiting is for shutdowns and for examples.
  if (const auto flushed = berlin.flush(1'000); !flushed.ok()) {
    std::cerr << flushed.error().message << '\n';
    return EXIT_FAILURE;
  }

  for (int i = 0; i < 2; ++i) {
    const auto found = oslo.lookup(request);
    if (!found.ok()) return EXIT_FAILURE;
    std::cout << "oslo: " << to_string(found->outcome());
    if (found->is_hit()) std::cout << ": " << found->response()->content;
    std::cout << '\n';
  }
  if (const auto size = oslo.l2_approximate_size(); size.ok()) {
    std::cout << "answers in Redis: " << *size << '\n';
  }

  const auto removed = berlin.invalidate(request);
  std::cout << "berlin invalidated it: " << (removed.ok() && *removed ? "yes" : "no") << '\n';
  std::cout << "oslo has let go of it: " << (has_let_go(oslo, request) ? "yes" : "no") << '\n';

  return oslo.clear_all().ok() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: distributed_cache redis://HOST:PORT\n";
    return EXIT_FAILURE;
  }
  try {
    return run(argv[1]);
  } catch (const std::exception& error) {  // the configuration is not valid
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
