// How much may be pending at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <limits>
#include <optional>

namespace llm_edge_cache {

// A bound on a number of things and on the bytes they hold. Thread-safe. Two threads at the limit
// may both be refused where one would fit.
class Budget {
 public:
  struct Limits {
    std::size_t max_count = 1;
    std::size_t max_bytes = std::numeric_limits<std::size_t>::max();
  };

  explicit Budget(Limits limits) : limits_(limits) {}

  [[nodiscard]] bool try_acquire(std::size_t bytes);
  void release(std::size_t bytes);

  [[nodiscard]] std::size_t count() const { return count_.load(std::memory_order_acquire); }
  [[nodiscard]] std::size_t bytes() const { return bytes_.load(std::memory_order_acquire); }

 private:
  const Limits limits_;
  std::atomic<std::size_t> count_{0};
  std::atomic<std::size_t> bytes_{0};
};

// A share of a budget, given back on destruction. The budget outlives it.
class Ticket {
 public:
  [[nodiscard]] static std::optional<Ticket> acquire(Budget& budget, std::size_t bytes = 0);
  Ticket(Ticket&& other) noexcept;
  Ticket& operator=(Ticket&&) = delete;
  ~Ticket();

 private:
  Ticket(Budget& budget, std::size_t bytes) : budget_(&budget), bytes_(bytes) {}

  Budget* budget_;
  std::size_t bytes_;
};

}  // namespace llm_edge_cache
