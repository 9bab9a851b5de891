// A tier under test on a real folder, with calls that wait for their answer.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>

#include "llm_edge_cache/clock.hpp"
#include "tests/support/entries.hpp"
#include "tests/support/eventually.hpp"
#include "tiers/disk/disk_tier.hpp"

namespace llm_edge_cache::disk {

// Tries again quickly, and leaves a busy machine all the time it needs.
inline L2Config config_of(const std::filesystem::path& folder) {
  return {.url = "disk:" + folder.string(),
          .connect_timeout_ms = 20'000,
          .operation_timeout_ms = 20'000,
          .shutdown_flush_ms = 20'000,
          .breaker_open_ms = 50,
          .reconnect_min_ms = 5,
          .reconnect_max_ms = 20,
          .disk_max_bytes = 64U << 20U};
}

// Does not compress, so that the folder grows as a test wants it.
inline std::string noise(std::uint64_t seed, std::size_t size) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
    const std::uint64_t word = random();
    std::memcpy(&bytes[at], &word, std::min(sizeof word, size - at));
  }
  return bytes;
}

class LiveTier {
 public:
  using Clock = std::shared_ptr<const llm_edge_cache::Clock>;

  explicit LiveTier(const L2Config& config, Clock clock = std::make_shared<SystemClock>(),
                    std::shared_ptr<rocksdb::FileSystem> file_system = nullptr)
      : clock_(std::move(clock)) {
    auto created = DiskTier::create(config, clock_,
                                    {.on_event = [this](const TierEvent& event) { note(event); },
                                     .file_system = std::move(file_system)});
    if (!created.ok()) throw std::runtime_error(created.error().message);
    tier_ = std::move(created).value();
  }

  DiskTier* operator->() { return tier_.get(); }
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
  [[nodiscard]] std::string last_event(TierEventKind kind) {
    const std::lock_guard lock(events_mutex_);
    return events_[kind];
  }
  [[nodiscard]] bool event_told(TierEventKind kind) {
    return test::eventually([this, kind] { return !last_event(kind).empty(); });
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

  const Clock clock_;
  std::mutex events_mutex_;
  std::map<TierEventKind, std::string> events_;
  std::unique_ptr<DiskTier> tier_;
};

}  // namespace llm_edge_cache::disk
