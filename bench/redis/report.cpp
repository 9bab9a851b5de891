#include "bench/redis/report.hpp"

#include <algorithm>

namespace llm_edge_cache::bench {

Percentiles percentiles(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  return {values[values.size() / 2], values[values.size() * 99 / 100]};
}

double median(std::vector<double> values) {
  return percentiles(values).p50;
}

}  // namespace llm_edge_cache::bench
