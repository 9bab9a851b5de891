// Loads under way: at most one for each key, and none that outlives an invalidation.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

namespace llm_edge_cache::engine {

/// One load, which several threads may wait for.
template <class Value>
class Flight {
 public:
  Flight() : leader_(std::this_thread::get_id()) {}

  [[nodiscard]] bool led_by_this_thread() const { return leader_ == std::this_thread::get_id(); }

  /// `value` is empty if the loader had none.
  void land(std::optional<Value> value) { finish(std::move(value), nullptr); }
  void fail(std::exception_ptr error) { finish(std::nullopt, std::move(error)); }

  /// Waits for the leader. Rethrows what its loader threw.
  [[nodiscard]] std::optional<Value> wait() {
    std::unique_lock lock(mutex_);
    landed_.wait(lock, [this] { return done_; });
    if (error_) std::rethrow_exception(error_);
    return value_;
  }

 private:
  void finish(std::optional<Value> value, std::exception_ptr error) {
    {
      const std::lock_guard lock(mutex_);
      value_ = std::move(value);
      error_ = std::move(error);
      done_ = true;
    }
    landed_.notify_all();
  }

  const std::thread::id leader_;
  std::mutex mutex_;  ///< Guards all below.
  std::condition_variable landed_;
  std::optional<Value> value_;
  std::exception_ptr error_;
  bool done_ = false;
};

/// Thread-safe. As many flights as there are threads loading.
template <class Key, class Value, class Equal>
class FlightTable {
 public:
  using FlightPtr = std::shared_ptr<Flight<Value>>;

  struct Boarding {
    FlightPtr flight;
    bool leads;  ///< The caller must load, then `settle`.
  };

  /// Joins the key's flight or starts one.
  Boarding board(std::uint64_t hash, const Key& key) {
    Stripe& stripe = stripe_of(hash);
    const std::lock_guard lock(stripe.mutex);
    const auto [first, last] = stripe.flights.equal_range(hash);
    for (auto at = first; at != last; ++at) {
      if (Equal{}(at->second.key, key)) return {at->second.flight, false};
    }
    auto flight = std::make_shared<Flight<Value>>();
    stripe.flights.emplace(hash, Entry{key, flight});
    flying_.fetch_add(1, std::memory_order_relaxed);
    return {std::move(flight), true};
  }

  /// Ends the flight. Calls `keep()` if it was not invalidated; nobody can invalidate it meanwhile.
  /// If `keep` returns false, nothing has happened yet: call again.
  template <class Keep>
  bool settle(std::uint64_t hash, const FlightPtr& flight, Keep&& keep) {
    Stripe& stripe = stripe_of(hash);
    const std::lock_guard lock(stripe.mutex);
    const auto [first, last] = stripe.flights.equal_range(hash);
    const auto at =
        std::find_if(first, last, [&](const auto& entry) { return entry.second.flight == flight; });
    if (at == last) return true;
    if (!keep()) return false;
    stripe.flights.erase(at);
    flying_.fetch_sub(1, std::memory_order_relaxed);
    return true;
  }

  /// What is being loaded for a key with this hash will not be kept.
  void invalidate(std::uint64_t hash) {
    if (!any()) return;
    Stripe& stripe = stripe_of(hash);
    const std::lock_guard lock(stripe.mutex);
    flying_.fetch_sub(stripe.flights.erase(hash), std::memory_order_relaxed);
  }

  /// What is being loaded for any key will not be kept.
  void invalidate_all() {
    if (!any()) return;
    for (Stripe& stripe : stripes_) {
      const std::lock_guard lock(stripe.mutex);
      flying_.fetch_sub(stripe.flights.size(), std::memory_order_relaxed);
      stripe.flights.clear();
    }
  }

 private:
  struct Entry {
    Key key;
    FlightPtr flight;
  };
  struct Stripe {
    std::mutex mutex;                                       ///< Guards `flights`.
    std::unordered_multimap<std::uint64_t, Entry> flights;  ///< By hash.
  };
  static constexpr std::size_t kStripes = 16;

  /// A flight that starts after an invalidation began need not be seen by it; but one whose loader
  /// may have read what is now invalid must be. Its count was stored before its loader ran.
  [[nodiscard]] bool any() const {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return flying_.load(std::memory_order_relaxed) != 0;
  }

  Stripe& stripe_of(std::uint64_t hash) { return stripes_[hash % kStripes]; }

  std::atomic<std::size_t> flying_{0};
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace llm_edge_cache::engine
