// How long the library takes to answer a hit in memory: key included, metrics on.
//
// The peer is what one writes without the library: a mutex around an std::unordered_map, keyed by
// the request's fields joined into a string. It has no bound, no expiry and no metrics.
//
// Every lookup is timed on its own, so that a median can be told; the two clock readings (about
// 25 ns) are part of each time.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "llm_edge_cache/llm_edge_cache.hpp"

namespace llm_edge_cache {
namespace {

constexpr std::size_t kRequests = 1'024;
constexpr std::size_t kPromptBytes = 500;
constexpr std::size_t kAnswerBytes = 2'000;

std::string prompt_of(std::size_t number) {
  auto prompt = "Question " + std::to_string(number) + ": ";
  while (prompt.size() < kPromptBytes) prompt += "the quick brown fox jumps over the lazy dog, ";
  prompt.resize(kPromptBytes);
  return prompt;
}

const std::vector<CacheableRequest>& requests() {
  static const auto all = [] {
    std::vector<CacheableRequest> made;
    for (std::size_t i = 0; i < kRequests; ++i) {
      made.push_back(CacheableRequest("gpt-4o", prompt_of(i))
                         .with_temperature(0.7)
                         .with_max_tokens(256)
                         .with_parameter("top_p", 0.9));
    }
    return made;
  }();
  return all;
}

CachedResponse answer() {
  return {.content = std::string(kAnswerBytes, 'a'), .tokens = TokenUsage{}, .model = "gpt-4o"};
}

class Library {
 public:
  Library() {
    for (const auto& request : requests()) {
      if (!cache_.store(request, answer()).ok()) std::abort();
    }
  }
  [[nodiscard]] bool hits(const CacheableRequest& request) const {
    const auto found = cache_.lookup(request);
    return found.ok() && found->is_hit();
  }

 private:
  const CacheManager cache_ =
      CacheManager::builder().l1({.max_entries = 10'000, .ttl_ms = 0, .tti_ms = 0}).build();
};

class LockedMap {
 public:
  LockedMap() {
    for (const auto& request : requests()) {
      map_[text_of(request)] = std::make_shared<const CachedResponse>(answer());
    }
  }
  [[nodiscard]] bool hits(const CacheableRequest& request) {
    const auto key = text_of(request);
    const std::lock_guard lock(mutex_);
    const auto found = map_.find(key);
    const auto response = found == map_.end() ? nullptr : found->second;
    return response != nullptr;
  }

 private:
  static std::string text_of(const CacheableRequest& request) {
    auto text = request.model() + '|' + request.prompt() + '|' +
                std::to_string(*request.temperature()) + '|' +
                std::to_string(*request.max_tokens());
    for (const auto& [name, value] : request.parameters()) text += '|' + name + '=' + value;
    return text;
  }

  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const CachedResponse>> map_;
};

double percentile(std::vector<std::uint32_t>& times_ns, double share) {
  const auto at = times_ns.begin() +
                  static_cast<std::ptrdiff_t>(share * static_cast<double>(times_ns.size() - 1));
  std::nth_element(times_ns.begin(), at, times_ns.end());
  return *at;
}

template <class Cache>
void hit(benchmark::State& state) {
  static Cache cache;
  using Clock = std::chrono::steady_clock;
  std::vector<std::uint32_t> times_ns;
  times_ns.reserve(static_cast<std::size_t>(state.max_iterations));
  auto next = static_cast<std::size_t>(state.thread_index()) * (kRequests / 2);
  for (auto _ : state) {
    const auto started = Clock::now();
    const bool found = cache.hits(requests()[next]);
    times_ns.push_back(static_cast<std::uint32_t>((Clock::now() - started).count()));
    if (!found) state.SkipWithError("not a hit");
    next = (next + 1) % kRequests;
  }
  using benchmark::Counter;
  state.counters["p50_ns"] = Counter(percentile(times_ns, 0.5), Counter::kAvgThreads);
  state.counters["p99_ns"] = Counter(percentile(times_ns, 0.99), Counter::kAvgThreads);
}

constexpr std::int64_t kLookups = 200'000;  // per thread and repetition

template <class Cache>
void add(const char* name) {
  for (const int threads : {1, 2}) {
    benchmark::RegisterBenchmark(name, hit<Cache>)
        ->Threads(threads)
        ->UseRealTime()
        ->Iterations(kLookups)
        ->Repetitions(9)
        ->ReportAggregatesOnly();
  }
}

}  // namespace
}  // namespace llm_edge_cache

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  llm_edge_cache::add<llm_edge_cache::Library>("CacheManager::lookup");
  llm_edge_cache::add<llm_edge_cache::LockedMap>("mutex+unordered_map");
  benchmark::RunSpecifiedBenchmarks();
}
