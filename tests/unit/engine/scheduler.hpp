// Runs threads one at a time and decides by a seed who runs next at every yield point, so that an
// interleaving can be found by trying seeds and found again by its seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

namespace llm_edge_cache::engine {

class Scheduler {
 public:
  /// The seed also decides how long a thread is likely to go on: bugs that need one thread to stand
  /// still while another does much are not found by switching at every step.
  explicit Scheduler(std::uint64_t seed) : random_(seed), stretch_(1U << (2 * (random_() % 5))) {}

  /// Runs all `works` to their end.
  void run(const std::vector<std::function<void()>>& works) {
    for (std::size_t i = 0; i < works.size(); ++i) {
      turns_.push_back(std::make_unique<std::binary_semaphore>(0));
      running_.push_back(i);
    }
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < works.size(); ++i) {
      threads.emplace_back([this, &works, i] {
        turns_[i]->acquire();
        current() = this;
        works[i]();
        current() = nullptr;
        std::erase(running_, i);
        if (!running_.empty()) hand_over();
      });
    }
    hand_over();
    for (auto& thread : threads) thread.join();
  }

  /// Lets the seed decide who goes on. Does nothing on a thread that no scheduler runs.
  static void yield_point() {
    if (current() != nullptr) current()->yield(current()->stretch_);
  }
  /// For a thread that cannot go on before another has.
  static void wait_point() {
    if (current() != nullptr) current()->yield(1);
  }

  [[nodiscard]] std::uint64_t switches() const { return switches_; }

 private:
  static Scheduler*& current() {
    thread_local Scheduler* scheduler = nullptr;
    return scheduler;
  }

  void yield(std::uint64_t stretch) {
    if (random_() % stretch != 0) return;
    const std::size_t own = turn_;
    if (hand_over()) turns_[own]->acquire();
  }

  /// Returns whether another than the present thread has the turn now. Whoever is given the turn
  /// sees all that was done before, by its semaphore.
  bool hand_over() {
    const std::size_t before = turn_;
    const std::size_t next = running_[random_() % running_.size()];
    turn_ = next;
    if (next == before) return false;
    ++switches_;
    turns_[next]->release();
    return true;
  }

  // Touched only by the thread that has the turn.
  std::mt19937_64 random_;
  const std::uint64_t stretch_;  ///< Mean number of yield points between two choices.
  std::vector<std::unique_ptr<std::binary_semaphore>> turns_;
  std::vector<std::size_t> running_;
  std::size_t turn_ = static_cast<std::size_t>(-1);
  std::uint64_t switches_ = 0;
};

/// Traits::Sync for caches whose threads a Scheduler runs.
struct ScheduledSync {
  /// Waiting is yielding.
  class Mutex {
   public:
    void lock() {
      Scheduler::yield_point();
      while (locked_) Scheduler::wait_point();
      locked_ = true;
    }
    bool try_lock() {
      Scheduler::yield_point();
      return !std::exchange(locked_, true);
    }
    void unlock() {
      locked_ = false;
      Scheduler::yield_point();
    }

   private:
    bool locked_ = false;
  };

  static void yield_point() { Scheduler::yield_point(); }
};

}  // namespace llm_edge_cache::engine
