// A value in the cache, read in place.
#pragma once

#include <atomic>
#include <utility>

#include "llm_edge_cache/engine/hazards.hpp"

namespace llm_edge_cache::engine {

/// Keeps one entry from being freed, without a reference count: no line that other threads write is
/// touched. The entry may leave the cache meanwhile. Empty if nothing was found.
///
/// May be moved to and destroyed on another thread. Must not outlive the cache. To keep the value
/// longer, copy it (for a counted pointer that is one increment).
template <class Key, class Value>
class Pinned {
 public:
  Pinned() = default;
  Pinned(Hazard& hazard, const Key& key, const Value& value)
      : hazard_(&hazard), key_(&key), value_(&value) {}
  ~Pinned() { reset(); }

  Pinned(Pinned&& other) noexcept
      : hazard_(std::exchange(other.hazard_, nullptr)),
        key_(std::exchange(other.key_, nullptr)),
        value_(std::exchange(other.value_, nullptr)) {}
  Pinned& operator=(Pinned&& other) noexcept {
    Pinned(std::move(other)).swap(*this);
    return *this;
  }

  explicit operator bool() const { return value_ != nullptr; }
  [[nodiscard]] const Key& key() const { return *key_; }
  [[nodiscard]] const Value& operator*() const { return *value_; }
  [[nodiscard]] const Value* operator->() const { return value_; }

  void reset() {
    if (hazard_ != nullptr) hazard_->store(0, std::memory_order_release);
    hazard_ = nullptr;
    key_ = nullptr;
    value_ = nullptr;
  }

  void swap(Pinned& other) noexcept {
    std::swap(hazard_, other.hazard_);
    std::swap(key_, other.key_);
    std::swap(value_, other.value_);
  }

 private:
  Hazard* hazard_ = nullptr;
  const Key* key_ = nullptr;
  const Value* value_ = nullptr;
};

}  // namespace llm_edge_cache::engine
