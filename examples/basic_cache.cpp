// Ask once, answer from memory afterwards.
#include <cstdlib>
#include <iostream>
#include <string>

#include "llm_edge_cache/llm_edge_cache.hpp"

namespace lec = llm_edge_cache;

namespace {

// Stands for the call to a provider.
lec::CachedResponse ask_provider(const lec::CacheableRequest& request) {
  std::cout << "  asking the provider\n";
  return {
      .content = "A set that may say yes by mistake, but never no.",
      .tokens = lec::TokenUsage{.prompt_tokens = 7, .completion_tokens = 12, .total_tokens = 19},
      .model = request.model()};
}

std::string answer(const lec::CacheManager& cache, const lec::CacheableRequest& request) {
  const auto found = cache.lookup(request);
  if (!found.ok()) {  // the request has no key: a temperature of NaN, say
    std::cerr << found.error().message << '\n';
    return ask_provider(request).content;
  }
  std::cout << "  " << to_string(found->outcome()) << '\n';
  if (found->is_hit()) return found->response()->content;

  auto response = ask_provider(request);
  if (const auto stored = cache.store(request, response); !stored.ok()) {
    std::cerr << "not cached: " << stored.error().message << '\n';
  }
  return response.content;
}

}  // namespace

int main() {
  const auto cache = lec::CacheManager();  // memory only
  const auto request = lec::CacheableRequest("gpt-4o", "What is a bloom filter?")
                           .with_temperature(0.7)
                           .with_max_tokens(256)
                           .with_parameter("top_p", 0.9);
  const auto key = lec::generate_cache_key(request);
  if (!key.ok()) return EXIT_FAILURE;
  std::cout << "key " << lec::generate_short_key(*key) << '\n';

  for (const auto* time : {"first", "second"}) {
    std::cout << time << " time:\n";
    const auto text = answer(cache, request);
    std::cout << "  " << text << '\n';
  }

  // Whatever can change the answer changes the key.
  auto creative = request;
  creative.with_temperature(1.0);
  std::cout << "another temperature:\n";
  const auto text = answer(cache, creative);
  std::cout << "  " << text << '\n';

  const auto removed = cache.invalidate(request);
  std::cout << "invalidated: " << (removed.ok() && *removed ? "yes" : "no") << '\n';
  std::cout << "entries left: " << cache.l1_entry_count() << '\n';
}
