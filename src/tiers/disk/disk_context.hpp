// What the parts of one disk tier share.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/entry.hpp"
#include "tiers/common/store_context.hpp"
#include "tiers/disk/deadlines.hpp"
#include "tiers/disk/removal_mask.hpp"

namespace llm_edge_cache::disk {

// Thread-safe. Outlives every part that refers to it.
struct DiskContext : StoreContext {
  using StoreContext::StoreContext;

  RemovalMask mask;
  Deadlines deadlines;

  // When the tier lets go of the entry, at its own end at the latest.
  [[nodiscard]] UnixMillis end_of(const Entry& entry) const {
    if (entry.outlives_ttl) return entry.end_ms();
    const UnixMillis now_ms = clock->now_ms();
    const auto life_ms =
        static_cast<std::uint64_t>(std::max<UnixMillis>(0, entry.end_ms() - now_ms));
    return now_ms + static_cast<UnixMillis>(std::min(life_ms, config.ttl_ms));
  }
};

}  // namespace llm_edge_cache::disk
