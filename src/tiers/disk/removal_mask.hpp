// What was removed, and is still in the table until its removal has been written.
#pragma once

#include <atomic>
#include <cstddef>
#include <unordered_map>

#include "base/key_digest.hpp"
#include "base/thread_annotations.hpp"

namespace llm_edge_cache::disk {

// Thread-safe. As large as the removals that wait, which the write queue bounds.
class RemovalMask {
 public:
  void hide(const KeyDigest& key) LEC_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    ++keys_[key];
    hidden_.fetch_add(1, std::memory_order_release);
  }
  void unhide(const KeyDigest& key) LEC_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto place = keys_.find(key);
    if (--place->second == 0) keys_.erase(place);
    hidden_.fetch_sub(1, std::memory_order_release);
  }
  // Everything, until unhide_all() was called as often.
  void hide_all() { hidden_wholly_.fetch_add(1, std::memory_order_release); }
  void unhide_all() { hidden_wholly_.fetch_sub(1, std::memory_order_release); }

  [[nodiscard]] bool hides(const KeyDigest& key) const LEC_EXCLUDES(mutex_) {
    if (hidden_wholly_.load(std::memory_order_acquire) > 0) return true;
    if (hidden_.load(std::memory_order_acquire) == 0) return false;
    const MutexLock lock(mutex_);
    return keys_.contains(key);
  }

 private:
  struct Hash {
    std::size_t operator()(const KeyDigest& key) const { return key.hash(); }
  };

  std::atomic<std::size_t> hidden_{0};
  std::atomic<std::size_t> hidden_wholly_{0};
  mutable Mutex mutex_;
  std::unordered_map<KeyDigest, std::size_t, Hash> keys_ LEC_GUARDED_BY(mutex_);
};

}  // namespace llm_edge_cache::disk
