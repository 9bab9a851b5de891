// The yardstick: redis-benchmark, which comes with the server.
#pragma once

#include <cstddef>
#include <cstdint>

namespace llm_edge_cache::bench {

struct RedisBenchmarkOptions {
  std::uint16_t port = 0;
  std::size_t value_bytes = 0;
  std::size_t requests = 0;
  std::size_t connections = 1;
  std::size_t pipeline = 64;
};

// GETs a second of a key that is there.
[[nodiscard]] double redis_benchmark_gets(const RedisBenchmarkOptions& options);

}  // namespace llm_edge_cache::bench
