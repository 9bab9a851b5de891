// What every fuzzer here asserts with: a failure ends the process with its reason.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace llm_edge_cache {

inline void fuzz_check(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "fuzz check failed: %s\n", what);
    std::abort();
  }
}

}  // namespace llm_edge_cache
