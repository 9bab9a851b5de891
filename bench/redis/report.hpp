#pragma once

#include <vector>

namespace llm_edge_cache::bench {

struct Percentiles {
  double p50 = 0;
  double p99 = 0;
};

// Of a list that is not empty, which it sorts.
[[nodiscard]] Percentiles percentiles(std::vector<double>& values);
// Of a list that is not empty.
[[nodiscard]] double median(std::vector<double> values);

}  // namespace llm_edge_cache::bench
