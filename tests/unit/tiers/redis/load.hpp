// Callers who read and write without pause while a test breaks something, and what became of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/entries.hpp"
#include "tiers/redis/redis_tier.hpp"

namespace llm_edge_cache::redis {

// Each caller has keys of its own, and knows what may be under them: what it wrote last, or
// nothing.
class Load {
 public:
  static constexpr std::uint64_t kKeysPerCaller = 50;
  static constexpr std::uint64_t kFirstKey = 1'000'000;

  Load(RedisTier& tier, int callers) : tier_(tier) {
    for (int i = 0; i < callers; ++i) {
      threads_.emplace_back([this, i] { run(static_cast<std::uint64_t>(i)); });
    }
  }
  ~Load() { stop(); }

  void stop() {
    stopping_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }

  [[nodiscard]] std::uint64_t answered() const { return hits_ + misses_; }
  [[nodiscard]] std::uint64_t hits() const { return hits_; }
  [[nodiscard]] std::uint64_t errors() const { return errors_; }
  [[nodiscard]] std::string last_error() const {
    const std::lock_guard lock(mutex_);
    return last_error_;
  }
  // Lookups of one caller that ended with the deadline: the most that any caller met.
  [[nodiscard]] std::uint64_t most_timeouts() const { return most_timeouts_; }
  // Answers that were another key's, or older than what was removed.
  [[nodiscard]] std::uint64_t wrong() const { return wrong_; }

 private:
  void run(std::uint64_t caller) {
    std::vector<std::uint64_t> newest(kKeysPerCaller, 0);
    std::uint64_t timeouts = 0;
    for (std::uint64_t round = 1; !stopping_; ++round) {
      const std::uint64_t number = round % kKeysPerCaller;
      const std::uint64_t id = kFirstKey + caller * kKeysPerCaller + number;
      if (round % 4 == 0) {
        newest[number] = round;
        tier_.put(
            test::key_of(id),
            test::entry_of(content(id, round), {.expires_ms = SystemClock().now_ms() + 60'000}));
      } else {
        if (look_up(id, newest[number]) != ErrorCode::kDeadlineExceeded) continue;
        ++timeouts;
        std::uint64_t most = most_timeouts_;
        while (most < timeouts && !most_timeouts_.compare_exchange_weak(most, timeouts)) {
        }
      }
    }
  }

  // The error, if any.
  std::optional<ErrorCode> look_up(std::uint64_t id, std::uint64_t newest) {
    std::binary_semaphore ended(0);
    std::optional<ErrorCode> error;
    tier_.get(test::key_of(id), [&](const Result<EntryPtr>& entry) {
      judge(entry, id, newest);
      if (!entry.ok()) error = entry.error().code;
      ended.release();
    });
    ended.acquire();
    return error;
  }

  void judge(const Result<EntryPtr>& entry, std::uint64_t id, std::uint64_t newest) {
    if (!entry.ok()) {
      ++errors_;
      const std::lock_guard lock(mutex_);
      last_error_ = entry.error().message;
    } else if (*entry == nullptr) {
      ++misses_;
    } else {
      ++hits_;
      const std::string& text = (*entry)->response.content;
      const std::string own = std::to_string(id) + " ";
      if (!text.starts_with(own) || std::stoull(text.substr(own.size())) > newest) ++wrong_;
    }
  }

  static std::string content(std::uint64_t id, std::uint64_t round) {
    return std::to_string(id) + " " + std::to_string(round);
  }

  RedisTier& tier_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> hits_{0};
  std::atomic<std::uint64_t> misses_{0};
  std::atomic<std::uint64_t> errors_{0};
  std::atomic<std::uint64_t> wrong_{0};
  std::atomic<std::uint64_t> most_timeouts_{0};
  mutable std::mutex mutex_;
  std::string last_error_;
  std::vector<std::thread> threads_;
};

}  // namespace llm_edge_cache::redis
