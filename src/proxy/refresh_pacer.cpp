#include "proxy/refresh_pacer.hpp"

namespace llm_edge_cache::proxy {

bool RefreshPacer::may_start(const KeyDigest& key, UnixMillis now_ms) {
  const MutexLock lock(mu_);
  Slot& slot = slots_[key.hash() % kSlots];
  // A clock that was set back must not keep a key waiting.
  if (slot.key == key && now_ms >= slot.started_ms && now_ms - slot.started_ms < kIntervalMs) {
    return false;
  }
  slot = {key, now_ms};
  return true;
}

}  // namespace llm_edge_cache::proxy
