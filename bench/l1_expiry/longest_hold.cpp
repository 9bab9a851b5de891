// The longest time that one of the engine's locks was held while a million entries arrived, were
// displaced, expired all at once, and their memory went back. Prints one JSON line.
//
// Held time is the holder's CPU time: what a lock costs on a machine that has a processor for the
// holder. Wall time would show who else runs here. A lock taken under another counts with that.
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <thread>

#include "llm_edge_cache/engine/cache.hpp"

namespace {

namespace engine = llm_edge_cache::engine;

std::int64_t cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

std::atomic<std::int64_t> longest_ns{0};
thread_local int locks_held = 0;

class TimedMutex {
 public:
  void lock() {
    mutex_.lock();
    begin();
  }
  bool try_lock() {
    if (!mutex_.try_lock()) return false;
    begin();
    return true;
  }
  void unlock() {
    const bool is_outermost = --locks_held == 0;
    const std::int64_t held_ns = is_outermost ? cpu_ns() - since_ns_ : 0;
    mutex_.unlock();
    std::int64_t longest = longest_ns.load();
    while (longest < held_ns && !longest_ns.compare_exchange_weak(longest, held_ns)) {
    }
  }

 private:
  void begin() {
    if (locks_held++ == 0) since_ns_ = cpu_ns();
  }

  std::mutex mutex_;
  std::int64_t since_ns_ = 0;
};

struct TimedSync {
  using Mutex = TimedMutex;
  static constexpr void yield_point() noexcept {}
};

struct Traits : engine::CacheTraits<std::uint64_t, std::uint64_t> {
  using Sync = TimedSync;
};
using Cache = engine::Cache<std::uint64_t, std::uint64_t, Traits>;

constexpr std::uint64_t kEntries = 1'000'000;

double longest_us() {
  return static_cast<double>(longest_ns.exchange(0)) / 1e3;
}

void fill(Cache& cache, std::uint64_t from) {
  const auto write_half = [&cache, from](std::uint64_t half) {
    for (std::uint64_t key = half; key < kEntries; key += 2) cache.put(from + key, key);
  };
  const std::jthread odd(write_half, 1);
  write_half(0);
}

}  // namespace

int main() {
  constexpr std::chrono::seconds kTtl(15);
  Cache cache({.max_entries = kEntries, .time_to_live = kTtl});
  fill(cache, 0);
  const double growing_us = longest_us();
  fill(cache, kEntries);
  const double evicting_us = longest_us();
  const std::uint64_t full = cache.size();
  std::this_thread::sleep_for(kTtl + std::chrono::seconds(1));
  const std::uint64_t left = cache.size();
  std::printf(
      "{\"entries\":%zu,\"entries_left\":%zu,\"longest_hold_us\":{\"growing\":%.0f,"
      "\"evicting\":%.0f,\"expiring\":%.0f}}\n",
      static_cast<std::size_t>(full), static_cast<std::size_t>(left), growing_us, evicting_us,
      longest_us());
}
