// Interleavings chosen by seed, and histories checked for linearizability.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <random>
#include <thread>

#include "llm_edge_cache/engine/cache.hpp"
#include "tests/unit/engine/linearizability.hpp"
#include "tests/unit/engine/scheduler.hpp"

namespace llm_edge_cache::engine {
namespace {

using Kind = Call::Kind;

TEST(LinearizabilityCheckTest, accepts_calls_that_overlap_in_a_possible_way) {
  EXPECT_TRUE(LinearizabilityCheck({{Kind::kPut, 1, 0, 10}, {Kind::kGet, 1, 2, 3}}).linearizable());
  EXPECT_TRUE(LinearizabilityCheck({{Kind::kPut, 1, 0, 10}, {Kind::kGet, std::nullopt, 2, 3}})
                  .linearizable());
}

TEST(LinearizabilityCheckTest, refuses_a_lost_put) {
  EXPECT_FALSE(LinearizabilityCheck({{Kind::kPut, 1, 0, 1}, {Kind::kGet, std::nullopt, 2, 3}})
                   .linearizable());
}

TEST(LinearizabilityCheckTest, refuses_a_value_that_comes_back) {
  EXPECT_FALSE(
      LinearizabilityCheck({{Kind::kPut, 1, 0, 1}, {Kind::kRemove, 1, 2, 3}, {Kind::kGet, 1, 4, 5}})
          .linearizable());
}

TEST(LinearizabilityCheckTest, refuses_readers_who_disagree_about_the_order) {
  EXPECT_FALSE(LinearizabilityCheck({{Kind::kPut, 1, 0, 9},
                                     {Kind::kPut, 2, 0, 9},
                                     {Kind::kGet, 1, 1, 2},
                                     {Kind::kGet, 2, 3, 4},
                                     {Kind::kGet, 1, 5, 6}})
                   .linearizable());
}

/// All keys fall into one group of one shard.
struct FreeTraits : CacheTraits<int, int> {
  using Clock = ManualClock;
  struct Hash {
    std::size_t operator()(int) const { return 1; }
  };
};
struct ScheduledTraits : FreeTraits {
  using Sync = ScheduledSync;
};

constexpr int kKeys = 2;
constexpr int kCallsPerThread = 6;
constexpr int kThreads = 3;

/// A few random calls on each of a few threads; records what was returned and when.
template <class Traits>
class HistoryRun {
 public:
  HistoryRun(std::uint64_t seed, MaintenanceMode maintenance)
      : seed_(seed), cache_(options(maintenance), {.clock = ManualClock(now_ns_)}) {}

  void work(int id) {
    std::mt19937_64 random(seed_ * kThreads + static_cast<std::uint64_t>(id));
    for (int i = 0; i < kCallsPerThread; ++i) {
      const int key = static_cast<int>(random() % kKeys);
      Call call{
          .kind = static_cast<Kind>(random() % 3), .value = {}, .began = tick(), .returned = 0};
      perform(call, key, id * kCallsPerThread + i);
      call.returned = tick();
      calls_[static_cast<std::size_t>(id)].emplace_back(key, call);
    }
  }

  std::vector<Call> calls_on(int wanted) const {
    std::vector<Call> calls;
    for (const auto& thread : calls_) {
      for (const auto& [key, call] : thread) {
        if (key == wanted) calls.push_back(call);
      }
    }
    return calls;
  }

  auto& cache() { return cache_; }

 private:
  static CacheOptions options(MaintenanceMode maintenance) {
    CacheOptions options;
    options.max_entries = 100;
    options.maintenance = maintenance;
    return options;
  }

  std::uint64_t tick() { return time_.fetch_add(1); }

  void perform(Call& call, int key, int value) {
    switch (call.kind) {
      case Kind::kGet:
        call.value = cache_.get(key);
        break;
      case Kind::kPut:
        call.value = value;
        cache_.put(key, value);
        break;
      case Kind::kRemove:
        if (cache_.remove(key)) call.value = 1;
    }
  }

  std::uint64_t seed_;
  std::atomic<std::int64_t> now_ns_{0};
  std::atomic<std::uint64_t> time_{0};
  std::array<std::vector<std::pair<int, Call>>, kThreads> calls_;
  Cache<int, int, Traits> cache_;
};

std::vector<std::function<void()>> works_of(HistoryRun<ScheduledTraits>& run) {
  std::vector<std::function<void()>> works;
  for (int id = 0; id < kThreads; ++id) works.emplace_back([&run, id] { run.work(id); });
  return works;
}

TEST(CacheInterleavingTest, every_scheduled_history_is_linearizable) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    HistoryRun<ScheduledTraits> run(
        seed, seed % 2 == 0 ? MaintenanceMode::kCallers : MaintenanceMode::kInline);
    Scheduler(seed).run(works_of(run));
    for (int key = 0; key < kKeys; ++key) {
      ASSERT_TRUE(LinearizabilityCheck(run.calls_on(key)).linearizable())
          << "key " << key << " seed " << seed;
    }
    ASSERT_TRUE(run.cache().validate()) << "seed " << seed;
  }
}

TEST(CacheInterleavingTest, a_seed_replays_its_interleaving) {
  const auto history = [](std::uint64_t seed) {
    HistoryRun<ScheduledTraits> run(seed, MaintenanceMode::kCallers);
    Scheduler scheduler(seed);
    scheduler.run(works_of(run));
    std::vector<std::uint64_t> times{scheduler.switches()};
    for (const Call& call : run.calls_on(0)) times.push_back(call.returned);
    return times;
  };
  EXPECT_EQ(history(11), history(11));
  EXPECT_NE(history(11), history(12));
}

TEST(CacheInterleavingTest, every_history_of_free_threads_is_linearizable) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    HistoryRun<FreeTraits> run(seed, MaintenanceMode::kCallers);
    std::vector<std::thread> threads;
    std::atomic<int> ready{0};
    for (int id = 0; id < kThreads; ++id) {
      threads.emplace_back([&run, &ready, id] {
        ++ready;
        while (ready < kThreads) std::this_thread::yield();
        run.work(id);
      });
    }
    for (auto& thread : threads) thread.join();
    for (int key = 0; key < kKeys; ++key) {
      ASSERT_TRUE(LinearizabilityCheck(run.calls_on(key)).linearizable()) << "seed " << seed;
    }
  }
}

/// Counts itself, so that a value read after it was freed, or never freed, shows.
class Counted {
 public:
  explicit Counted(int value) : value_(value) { ++alive; }
  Counted(const Counted& other) : value_(other.value()) { ++alive; }
  Counted(Counted&& other) noexcept : value_(other.value_) { ++alive; }
  Counted& operator=(const Counted&) = delete;
  ~Counted() {
    value_ = kDead;
    --alive;
  }
  [[nodiscard]] int value() const {
    const int value = value_;
    EXPECT_NE(value, kDead);
    return value;
  }

  static inline std::atomic<int> alive{0};

 private:
  static constexpr int kDead = -1;
  volatile int value_;  // or the compiler drops the store of kDead
};

struct ReclaimTraits : CacheTraits<int, Counted> {
  using Clock = ManualClock;
  using Sync = ScheduledSync;
};

TEST(CacheInterleavingTest, what_a_reader_holds_is_not_freed_under_any_schedule) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    std::atomic<std::int64_t> now{0};
    {
      CacheOptions options;
      options.max_entries = 2;
      options.maintenance = MaintenanceMode::kCallers;
      Cache<int, Counted, ReclaimTraits> cache(options, {.clock = ManualClock(now)});
      const auto reader = [&] {
        for (int i = 0; i < 6; ++i) {
          const auto pinned = cache.find(i % 3);
          Scheduler::yield_point();
          EXPECT_TRUE(!pinned || pinned->value() % 3 == i % 3) << "seed " << seed;
        }
      };
      const auto writer = [&] {
        for (int i = 0; i < 9; ++i) {
          cache.put(i % 3, Counted(i));
          if (i % 4 == 3) cache.run_maintenance();
        }
      };
      Scheduler(seed).run({reader, writer, reader, writer});
      ASSERT_TRUE(cache.validate()) << "seed " << seed;
    }
    ASSERT_EQ(Counted::alive, 0) << "seed " << seed;
  }
}

}  // namespace
}  // namespace llm_edge_cache::engine
