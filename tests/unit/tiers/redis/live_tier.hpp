// A tier under test on a real server, with calls that wait for their answer.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "llm_edge_cache/clock.hpp"
#include "tests/support/entries.hpp"
#include "tests/support/eventually.hpp"
#include "tiers/redis/redis_tier.hpp"

namespace llm_edge_cache::redis {

class LiveTier {
 public:
  explicit LiveTier(L2Config config, std::uint64_t scan_timeout_ms = 30'000) {
    auto created = RedisTier::create(config, clock_,
                                     {.on_event = [this](const TierEvent& event) { note(event); },
                                      .scan_timeout_ms = scan_timeout_ms});
    if (!created.ok()) throw std::runtime_error(created.error().message);
    tier_ = std::move(created).value();
  }

  RedisTier* operator->() { return tier_.get(); }
  RedisTier& tier() { return *tier_; }
  void destroy() { tier_.reset(); }

  Result<EntryPtr> get(std::uint64_t number) {
    return wait<Result<EntryPtr>>([&](auto done) { tier_->get(test::key_of(number), done); });
  }
  // What is stored, "(none)" for a miss, or the name of the error.
  std::string read(std::uint64_t number) {
    const Result<EntryPtr> result = get(number);
    if (!result.ok()) return std::string(to_string(result.error().code));
    return *result == nullptr ? "(none)" : (*result)->response.content;
  }
  void put(std::uint64_t number, std::string content, std::int64_t life_ms = 60'000) {
    tier_->put(test::key_of(number),
               test::entry_of(std::move(content), {.expires_ms = clock_->now_ms() + life_ms}));
  }
  Result<bool> remove(std::uint64_t number) {
    return wait<Result<bool>>([&](auto done) { tier_->remove(test::key_of(number), done); });
  }
  Status clear() {
    return wait<Status>([&](auto done) { tier_->clear(done); });
  }
  Status flush() {
    return wait<Status>([&](auto done) { tier_->flush(done); });
  }
  Status check() {
    return wait<Status>([&](auto done) { tier_->check(done); });
  }
  Result<std::uint64_t> size() {
    return wait<Result<std::uint64_t>>([&](auto done) { tier_->size(done); });
  }

  [[nodiscard]] bool becomes_available() {
    return test::eventually([this] { return check().ok(); });
  }
  [[nodiscard]] bool event_told(TierEventKind kind) {
    return test::eventually([this, kind] { return !last_event(kind).empty(); });
  }
  [[nodiscard]] std::string last_event(TierEventKind kind) {
    const std::lock_guard lock(events_mutex_);
    return events_[kind];
  }

 private:
  // The handler's value; it must come, and come once (a second call would throw in its thread).
  template <class T, class Call>
  T wait(Call&& call) {
    const auto promise = std::make_shared<std::promise<T>>();
    std::future<T> future = promise->get_future();
    call([promise](T value) { promise->set_value(std::move(value)); });
    if (future.wait_for(test::kEventually) != std::future_status::ready) {
      throw std::runtime_error("the tier did not complete a call");
    }
    return future.get();
  }
  void note(const TierEvent& event) {
    const std::lock_guard lock(events_mutex_);
    events_[event.kind] = event.message;
  }

  const ClockPtr clock_ = std::make_shared<SystemClock>();
  std::mutex events_mutex_;
  std::map<TierEventKind, std::string> events_;
  std::unique_ptr<RedisTier> tier_;
};

}  // namespace llm_edge_cache::redis
