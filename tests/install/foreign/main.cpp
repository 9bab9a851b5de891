// Uses the installed library as a program of somebody else would.
#include <llm_edge_cache/llm_edge_cache.hpp>

#include <cstdio>
#include <memory>

namespace {

bool fails(const char* what) {
  std::fprintf(stderr, "failed: %s\n", what);
  return false;
}

bool works() {
  const auto clock = std::make_shared<llm_edge_cache::ManualClock>();
  const auto cache = llm_edge_cache::CacheManager::builder()
                         .l1({.max_entries = 10, .ttl_ms = 1'000})
                         .name_space("foreign")
                         .clock(clock)
                         .build();
  const auto request = llm_edge_cache::CacheableRequest("model", "question").with_temperature(0.5);
  if (!cache.store(request, {.content = "answer", .tokens = {}, .model = "model"}).ok()) {
    return fails("store");
  }
  const auto found = cache.lookup(request);
  if (!found.ok() || !found->is_hit()) return fails("lookup");
  if (found->response()->content != "answer") return fails("content");
  clock->advance_ms(1'000);
  const auto expired = cache.lookup(request);
  if (!expired.ok() || expired->is_hit()) return fails("expiry");
  return true;
}

// A configured server that is down must not keep the program from working or from ending.
bool works_without_its_server() {
  const auto cache =
      llm_edge_cache::CacheManager::with_l2({.url = "redis+unix:///nonexistent/socket"});
  const auto request = llm_edge_cache::CacheableRequest("model", "question");
  if (!cache.store(request, {.content = "answer", .tokens = {}, .model = "model"}).ok()) {
    return fails("store without L2");
  }
  const auto found = cache.lookup(request);
  return found.ok() && found->is_hit() ? true : fails("lookup without L2");
}

}  // namespace

int main() {
  return works() && works_without_its_server() ? 0 : 1;
}
