// What keeps the machine busy while a fleet is measured.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "bench/fleet/fleet.hpp"

namespace llm_edge_cache::bench {

// Callers that ask without pause: nine times in ten for one of a thousand answers that all proxies
// come to have in memory, else for one that is new to all and is told to the others.
class Load {
 public:
  Load(const Fleet& fleet, std::size_t callers);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  [[nodiscard]] std::uint64_t answered() const { return answered_; }

 private:
  void run(const std::string& address, std::size_t caller);

  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> answered_{0};
  std::vector<std::thread> threads_;
};

// Threads that never give a CPU up.
class Spinners {
 public:
  explicit Spinners(std::size_t count);
  ~Spinners();
  Spinners(const Spinners&) = delete;
  Spinners& operator=(const Spinners&) = delete;

 private:
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

}  // namespace llm_edge_cache::bench
