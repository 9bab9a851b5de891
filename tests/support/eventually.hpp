// Waits for what another thread or process brings about. The bound is generous: it ends a test that
// is broken, and says nothing of how quick one should be.
#pragma once

#include <chrono>
#include <thread>

namespace llm_edge_cache::test {

inline constexpr std::chrono::milliseconds kEventually{20'000};

// True as soon as the predicate is; false when it never was within the bound.
template <class Predicate>
[[nodiscard]] bool eventually(Predicate&& predicate,
                              std::chrono::milliseconds bound = kEventually) {
  const auto until = std::chrono::steady_clock::now() + bound;
  std::chrono::microseconds pause{50};
  while (!predicate()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(pause);
    if (pause < std::chrono::milliseconds{10}) pause *= 2;
  }
  return true;
}

}  // namespace llm_edge_cache::test
