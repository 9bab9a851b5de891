#include "proxy/key_memo.hpp"

namespace llm_edge_cache::proxy {

KeyMemo::KeyMemo(std::size_t entries) : slots_(entries) {}

std::optional<KeyedRequest> KeyMemo::find(const KeyDigest& raw) const {
  if (slots_.empty()) {
    return std::nullopt;
  }
  const auto index = slot_of(raw);
  const MutexLock lock(lock_of(index));
  const Slot& slot = slots_[index];
  return slot.is_used && slot.raw == raw ? std::optional(slot.request) : std::nullopt;
}

void KeyMemo::insert(const KeyDigest& raw, const KeyedRequest& request) {
  if (slots_.empty()) {
    return;
  }
  const auto index = slot_of(raw);
  const MutexLock lock(lock_of(index));
  slots_[index] = {raw, request, true};
}

}  // namespace llm_edge_cache::proxy
