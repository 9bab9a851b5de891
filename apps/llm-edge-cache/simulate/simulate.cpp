#include "simulate/simulate.hpp"

#include <nlohmann/json.hpp>
#include <unordered_map>

#include "line_reader.hpp"
#include "llm_edge_cache/engine/cache.hpp"

namespace llm_edge_cache::app {

namespace {

struct Present {};
using TinyLfuTraits = engine::CacheTraits<std::uint32_t, Present>;
using LruTraits = engine::LruCacheTraits<std::uint32_t, Present>;

template <class Traits>
SimulationResult run(const KeyTrace& trace, std::uint64_t capacity) {
  engine::Cache<std::uint32_t, Present, Traits> cache(
      {.max_entries = capacity, .maintenance = engine::MaintenanceMode::kInline});
  SimulationResult result{.capacity = capacity, .requests = trace.size()};
  for (const auto key : trace) {
    if (cache.get(key)) {
      ++result.hits;
    } else {
      cache.put(key, Present{});
    }
  }
  return result;
}

}  // namespace

Result<KeyTrace> read_trace(const std::string& path) {
  auto reader = LineReader::open(path);
  if (!reader) return reader.error();
  KeyTrace trace;
  std::unordered_map<std::string, std::uint32_t> numbers;
  while (true) {
    const auto line = reader->next();
    if (!line) return line.error();
    if (!line->has_value()) return trace;
    const auto next = static_cast<std::uint32_t>(numbers.size());
    trace.push_back(numbers.try_emplace(std::string(**line), next).first->second);
  }
}

SimulationResult simulate(const KeyTrace& trace, std::uint64_t capacity, SimulatedPolicy policy) {
  return policy == SimulatedPolicy::kLru ? run<LruTraits>(trace, capacity)
                                         : run<TinyLfuTraits>(trace, capacity);
}

std::string simulation_json(const std::vector<SimulationResult>& results) {
  auto json = nlohmann::ordered_json::array();
  for (const auto& result : results) {
    json.push_back({{"capacity", result.capacity},
                    {"requests", result.requests},
                    {"hits", result.hits},
                    {"hit_ratio", result.hit_ratio()}});
  }
  return json.dump(2) + "\n";
}

}  // namespace llm_edge_cache::app
