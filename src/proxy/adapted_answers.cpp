#include "proxy/adapted_answers.hpp"

#include <cstdint>
#include <utility>

namespace llm_edge_cache::proxy {

std::optional<AdaptedAnswers::Adapted> AdaptedAnswers::find(const EntryPtr& entry,
                                                            AnswerWish wish) const {
  const auto index = slot_of(entry, wish);
  const MutexLock lock(lock_of(index));
  const Slot& slot = slots_[index];
  // The caller keeps its entry alive, so an equal address is the same object.
  if (slot.wish != wish || slot.entry.lock() != entry) {
    return std::nullopt;
  }
  return slot.adapted;
}

void AdaptedAnswers::insert(const EntryPtr& entry, AnswerWish wish, const Adapted& adapted) {
  if (adapted.body && adapted.body->size() > kMaxBytes) {
    return;
  }
  Slot replaced{entry, wish, adapted};
  const auto index = slot_of(entry, wish);
  const MutexLock lock(lock_of(index));
  std::swap(slots_[index], replaced);  // the older answer is freed after the lock
}

std::size_t AdaptedAnswers::slot_of(const EntryPtr& entry, AnswerWish wish) {
  const auto address = reinterpret_cast<std::uintptr_t>(entry.get());
  const std::uint64_t mixed = (address + (wish.form == AnswerForm::kStream ? 1U : 0U) +
                               (wish.include_usage ? 2U : 0U) + (wish.without_padding ? 4U : 0U)) *
                              0x9E3779B97F4A7C15U;
  return (mixed >> 32U) % kSlots;
}

}  // namespace llm_edge_cache::proxy
