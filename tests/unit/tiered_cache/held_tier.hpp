// A lower tier whose answers the test lets go one by one.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/tier.hpp"

namespace llm_edge_cache::test {

// Looks the answer up when the get is made, as a backend that answers slowly does. Not thread-safe.
class HeldTier final : public Tier {
 public:
  ~HeldTier() override { release_all(); }

  [[nodiscard]] std::string_view name() const override { return "l2"; }

  void get(const KeyDigest& key, Handler<Result<EntryPtr>> handler) override {
    ++gets;
    hold([handler = std::move(handler), reply = answer(key)] { handler(reply); });
  }
  void put(const KeyDigest& key, EntryPtr entry) override { entries[key] = std::move(entry); }
  void remove(const KeyDigest& key, Handler<Result<bool>> handler) override {
    hold([this, key, handler = std::move(handler)] {
      if (failure) return handler(*failure);
      handler(entries.erase(key) > 0);
    });
  }
  void clear(Handler<Status> handler) override {
    hold([this, handler = std::move(handler)] {
      if (failure) return handler(*failure);
      entries.clear();
      handler(Status());
    });
  }
  void size(Handler<Result<std::uint64_t>> handler) override { handler(entries.size()); }
  void flush(Handler<Status> handler) override {
    hold([handler] { handler(Status()); });
  }
  void check(Handler<Status> handler) override { handler(failure ? Status(*failure) : Status()); }

  // All of them on one page.
  [[nodiscard]] std::shared_ptr<TierWalk> walk() override {
    class Walk final : public TierWalk {
     public:
      explicit Walk(std::vector<KeyedEntry> all) : all_(std::move(all)) {}
      void next(Handler handler) override { handler(std::exchange(all_, {})); }

     private:
      std::vector<KeyedEntry> all_;
    };
    std::vector<KeyedEntry> all;
    for (const auto& [key, entry] : entries) all.push_back({key, entry});
    return std::make_shared<Walk>(std::move(all));
  }

  [[nodiscard]] bool is_shared() const override { return claims_to_be_shared; }
  [[nodiscard]] Fleet* fleet() override { return shared_by; }
  [[nodiscard]] TierCounters counters() const override { return counters_to_report; }
  [[nodiscard]] TierGauges gauges() const override { return {}; }
  [[nodiscard]] bool runs_on_this_thread() const override { return claims_this_thread; }

  void release_next() {
    const auto next = std::move(held_.front());
    held_.pop_front();
    next();
  }
  void release_all() {
    while (!held_.empty()) release_next();
  }

  std::map<KeyDigest, EntryPtr> entries;
  std::optional<Error> failure;
  TierCounters counters_to_report;
  bool claims_this_thread = false;
  bool claims_to_be_shared = true;
  Fleet* shared_by = nullptr;  // outlives it
  int gets = 0;

 private:
  [[nodiscard]] Result<EntryPtr> answer(const KeyDigest& key) const {
    if (failure) return *failure;
    const auto found = entries.find(key);
    return found == entries.end() ? EntryPtr() : found->second;
  }
  void hold(std::function<void()> completion) { held_.push_back(std::move(completion)); }

  std::deque<std::function<void()>> held_;
};

}  // namespace llm_edge_cache::test
