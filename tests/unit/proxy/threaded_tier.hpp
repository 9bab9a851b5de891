// Memory that answers on a thread of its own, as a store across the network does, and only when its
// gate is open.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "http/io_threads.hpp"
#include "tiers/memory/memory_tier.hpp"

namespace llm_edge_cache::proxy::test {

class ThreadedTier final : public Tier {
 public:
  // fleet: null for a tier of this process alone; outlives it.
  explicit ThreadedTier(ClockPtr clock, Fleet* fleet = nullptr)
      : memory_(L1Config{}, std::move(clock)), fleet_(fleet) {}

  [[nodiscard]] std::string_view name() const override { return "l2"; }
  void get(const KeyDigest& key, Handler<Result<EntryPtr>> handler) override {
    ++gets_;
    run([this, key, handler = std::move(handler)] { memory_.get(key, handler); });
  }
  void put(const KeyDigest& key, EntryPtr entry) override { memory_.put(key, std::move(entry)); }
  void remove(const KeyDigest& key, Handler<Result<bool>> handler) override {
    run([this, key, handler = std::move(handler)] { memory_.remove(key, handler); });
  }
  void clear(Handler<Status> handler) override { memory_.clear(std::move(handler)); }
  void size(Handler<Result<std::uint64_t>> handler) override { memory_.size(std::move(handler)); }
  void flush(Handler<Status> handler) override { memory_.flush(std::move(handler)); }
  void check(Handler<Status> handler) override { memory_.check(std::move(handler)); }
  [[nodiscard]] std::shared_ptr<TierWalk> walk() override { return memory_.walk(); }
  [[nodiscard]] Fleet* fleet() override { return fleet_; }
  [[nodiscard]] TierCounters counters() const override { return memory_.counters(); }
  [[nodiscard]] TierGauges gauges() const override { return memory_.gauges(); }

  [[nodiscard]] int gets() const { return gets_; }
  void close_gate() {
    const std::lock_guard lock(mutex_);
    is_open_ = false;
  }
  void open_gate() {
    std::vector<std::function<void()>> held;
    {
      const std::lock_guard lock(mutex_);
      is_open_ = true;
      held.swap(held_);
    }
    for (auto& task : held) thread_.at(0).post(std::move(task));
  }

 private:
  void run(std::function<void()> task) {
    {
      const std::lock_guard lock(mutex_);
      if (!is_open_) {
        held_.push_back(std::move(task));
        return;
      }
    }
    thread_.at(0).post(std::move(task));
  }

  MemoryTier memory_;
  Fleet* const fleet_;
  std::atomic<int> gets_ = 0;
  std::mutex mutex_;
  bool is_open_ = true;
  std::vector<std::function<void()>> held_;
  http::IoThreads thread_{{.threads = 1}};
};

}  // namespace llm_edge_cache::proxy::test
