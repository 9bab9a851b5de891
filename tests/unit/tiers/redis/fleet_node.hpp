// A tier among others on one store, with what its memory would hear of them.
#pragma once

#include <atomic>
#include <future>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "core/fleet.hpp"
#include "tests/unit/tiers/redis/live_tier.hpp"

namespace llm_edge_cache::redis {

class RecordingListener final : public FleetListener {
 public:
  void on_changed(const KeyDigest& key) override {
    const std::lock_guard lock(mutex_);
    changed_.insert(key);
  }
  void on_all_changed() override { ++clears_; }
  void on_overtaken(const KeyDigest& key) override {
    const std::lock_guard lock(mutex_);
    overtaken_.insert(key);
  }

  [[nodiscard]] bool has_heard_of(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    return changed_.contains(test::key_of(number));
  }
  [[nodiscard]] bool was_overtaken(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    return overtaken_.contains(test::key_of(number));
  }
  [[nodiscard]] std::size_t changes() {
    const std::lock_guard lock(mutex_);
    return changed_.size();
  }
  [[nodiscard]] int clears() const { return clears_; }

 private:
  std::mutex mutex_;
  std::set<KeyDigest> changed_;
  std::set<KeyDigest> overtaken_;
  std::atomic<int> clears_{0};
};

// Made when its channel is up.
class FleetNode {
 public:
  explicit FleetNode(const L2Config& config) : tier_(config) {
    fleet().listen(listener_);
    if (config.coherence && !is_listening_again()) throw std::runtime_error("no channel");
  }

  LiveTier& tier() { return tier_; }
  Fleet& fleet() { return *tier_.tier().fleet(); }
  [[nodiscard]] FleetReport report() { return fleet().report(); }
  [[nodiscard]] bool is_listening_again() {
    return test::eventually([this] { return report().is_listening; });
  }
  [[nodiscard]] bool hears_of(std::uint64_t number) {
    return test::eventually([this, number] { return listener_.has_heard_of(number); });
  }
  RecordingListener& listener() { return listener_; }

  std::future<FlightTurn> take_turn(std::uint64_t number) {
    auto promise = std::make_shared<std::promise<FlightTurn>>();
    fleet().take_turn(test::key_of(number),
                      [promise](FlightTurn turn) { promise->set_value(std::move(turn)); });
    return promise->get_future();
  }
  // Fails where the turn does not come.
  FlightTurn turn(std::uint64_t number) { return come(take_turn(number)); }
  static FlightTurn come(std::future<FlightTurn> turn) {
    if (turn.wait_for(test::kEventually) != std::future_status::ready) {
      throw std::runtime_error("a turn did not come");
    }
    return turn.get();
  }
  void put(std::uint64_t number, std::string content, FlightLeasePtr lease) {
    fleet().put(test::key_of(number),
                test::entry_of(std::move(content), {.expires_ms = SystemClock().now_ms() + 60'000}),
                std::move(lease));
  }

 private:
  RecordingListener listener_;  // outlives the tier
  LiveTier tier_;
};

}  // namespace llm_edge_cache::redis
