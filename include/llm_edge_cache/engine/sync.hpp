// How the engine's threads meet. Tests put a scheduler in the place of ProductSync.
#pragma once

#include <mutex>

namespace llm_edge_cache::engine {

/// `Mutex` guards what the comment beside it names. `yield_point` stands before every step that
/// another thread can see: a test may run another thread there; in the product it is nothing.
struct ProductSync {
  using Mutex = std::mutex;
  static constexpr void yield_point() noexcept {}
};

}  // namespace llm_edge_cache::engine
