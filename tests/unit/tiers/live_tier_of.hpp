// A tier under test on a real store, with calls that wait for their answer, and what it reports.
#pragma once

#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/tier.hpp"
#include "llm_edge_cache/clock.hpp"
#include "tests/support/entries.hpp"
#include "tests/support/eventually.hpp"
#include "tiers/common/tier_event.hpp"

namespace llm_edge_cache {

template <class TierType>
class LiveTierOf {
 public:
  TierType* operator->() { return tier_.get(); }
  TierType& tier() { return *tier_; }
  void destroy() { tier_.reset(); }

  Result<EntryPtr> get(const KeyDigest& key) {
    return wait<Result<EntryPtr>>([&](auto done) { tier_->get(key, done); });
  }
  // What is stored, "(none)" for a miss, or the name of the error.
  std::string read(std::uint64_t number) {
    const Result<EntryPtr> result = get(test::key_of(number));
    if (!result.ok()) return std::string(to_string(result.error().code));
    return *result == nullptr ? "(none)" : (*result)->response.content;
  }
  void put(std::uint64_t number, std::string content, std::int64_t life_ms = 600'000) {
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

 protected:
  // make(clock, sink) returns a Result of the tier; std::runtime_error with its error's words.
  template <class Make>
  LiveTierOf(ClockPtr clock, Make&& make) : clock_(std::move(clock)) {
    auto created = make(clock_, [this](const TierEvent& event) { note(event); });
    if (!created.ok()) throw std::runtime_error(created.error().message);
    tier_ = std::move(created).value();
  }
  ~LiveTierOf() = default;

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

  const ClockPtr clock_;
  std::mutex events_mutex_;
  std::map<TierEventKind, std::string> events_;
  std::unique_ptr<TierType> tier_;
};

}  // namespace llm_edge_cache
