// What waits to be told to the other processes. Bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/thread_annotations.hpp"
#include "tiers/redis/fleet_message.hpp"

namespace llm_edge_cache::redis {

// Thread-safe. In the order in which it came, so that nobody hears of an answer's landing before
// its change.
class NewsQueue {
 public:
  // 2 MiB. Changes over it become one kAll, which says more than them; news of leases over it are
  // lost, and those who wait find out by asking again.
  static constexpr std::size_t kMaxKeys = 1U << 16U;

  struct Batch {
    FleetMessage::Kind kind = FleetMessage::Kind::kAll;
    std::vector<KeyDigest> keys{};
  };

  // True where nothing waited before: somebody has to be woken.
  bool add(FleetMessage::Kind kind, const KeyDigest& key) LEC_EXCLUDES(mutex_);
  bool add_all() LEC_EXCLUDES(mutex_);

  // The next message's worth; empty for none.
  [[nodiscard]] std::optional<Batch> take() LEC_EXCLUDES(mutex_);
  // In front again: it could not be told.
  void give_back(Batch batch) LEC_EXCLUDES(mutex_);

  [[nodiscard]] std::size_t size() const LEC_EXCLUDES(mutex_);
  [[nodiscard]] std::uint64_t overflows() const LEC_EXCLUDES(mutex_);

 private:
  struct Item {
    FleetMessage::Kind kind;
    KeyDigest key;
  };

  void become_all() LEC_REQUIRES(mutex_);

  mutable Mutex mutex_;
  bool all_ LEC_GUARDED_BY(mutex_) = false;  // before the items
  std::deque<Item> items_ LEC_GUARDED_BY(mutex_);
  std::uint64_t overflows_ LEC_GUARDED_BY(mutex_) = 0;
};

}  // namespace llm_edge_cache::redis
