// What waits to be written, in the order in which it was asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/key_digest.hpp"
#include "core/entry.hpp"
#include "tiers/common/budget.hpp"
#include "tiers/disk/timed_call.hpp"

namespace llm_edge_cache::disk {

struct WriteOp {
  enum class Kind : std::uint8_t {
    kPut,
    kRemove,   // hidden in the mask until it is written
    kDiscard,  // remove what has ended or does not verify; nobody waits
    kReplace,  // remove what was to be replaced by what cannot be written; nobody waits
    kClear,    // everything is hidden in the mask until it is written
    kFlush,    // tells that what came before is written or dropped
  };

  Kind kind = Kind::kPut;
  KeyDigest key{};
  EntryPtr entry = nullptr;
  std::optional<Ticket> ticket = std::nullopt;
  RemovalCall removal = nullptr;  // of kRemove
  StatusCall call = nullptr;      // of kClear and kFlush
};

}  // namespace llm_edge_cache::disk
