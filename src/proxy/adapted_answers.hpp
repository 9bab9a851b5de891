// Remembers what was made of stored answers for requests that want another form, so that a popular
// answer is not assembled or split for each of its hits.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "base/thread_annotations.hpp"
#include "core/entry.hpp"
#include "http/shared_bytes.hpp"
#include "proxy/dialects/dialect.hpp"

namespace llm_edge_cache::proxy {

// A table of fixed size in which a newer answer takes the place of an older one. What it holds
// belongs to one entry object, not to a key: an entry that was replaced or purged is not found
// again, whatever its key. Thread-safe.
class AdaptedAnswers {
 public:
  static constexpr std::size_t kSlots = 512;
  // Larger answers are made anew each time: the table holds 64 MiB at most.
  static constexpr std::size_t kMaxBytes = 128U << 10U;

  struct Adapted {
    std::optional<http::SharedBytes> body;  // empty: the recorded bytes answer the wish
  };

  AdaptedAnswers() : slots_(kSlots) {}

  [[nodiscard]] std::optional<Adapted> find(const EntryPtr& entry, AnswerWish wish) const;
  void insert(const EntryPtr& entry, AnswerWish wish, const Adapted& adapted);

 private:
  static constexpr std::size_t kLocks = 64;
  struct Slot {
    std::weak_ptr<const Entry> entry;
    AnswerWish wish;
    Adapted adapted;
  };

  [[nodiscard]] static std::size_t slot_of(const EntryPtr& entry, AnswerWish wish);
  [[nodiscard]] Mutex& lock_of(std::size_t slot) const { return locks_[slot % kLocks]; }

  mutable std::array<Mutex, kLocks> locks_;
  std::vector<Slot> slots_;  // slot i belongs to lock i % kLocks
};

}  // namespace llm_edge_cache::proxy
