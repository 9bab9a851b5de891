#include "bench/redis/redis_benchmark.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "tests/support/child_process.hpp"

namespace llm_edge_cache::bench {
namespace {

std::string run(const RedisBenchmarkOptions& options, const char* command, std::size_t requests) {
  test::ChildProcess child(
      {.argv = {LEC_REDIS_BENCHMARK, "-p", std::to_string(options.port), "-t", command, "-d",
                std::to_string(options.value_bytes), "-n", std::to_string(requests), "-c",
                std::to_string(options.connections), "-P", std::to_string(options.pipeline),
                "--csv"}});
  if (child.wait(std::chrono::minutes{5}) != 0) {
    throw std::runtime_error("redis-benchmark failed: " + child.error_output());
  }
  return child.output();
}

}  // namespace

double redis_benchmark_gets(const RedisBenchmarkOptions& options) {
  run(options, "set", options.pipeline);
  const std::string csv = run(options, "get", options.requests);
  constexpr const char* kRow = "\"GET\",\"";
  const std::size_t row = csv.find(kRow);
  if (row == std::string::npos) throw std::runtime_error("redis-benchmark said: " + csv);
  return std::strtod(csv.c_str() + row + std::char_traits<char>::length(kRow), nullptr);
}

}  // namespace llm_edge_cache::bench
