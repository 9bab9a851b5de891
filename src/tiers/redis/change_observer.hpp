// Who is told of what this process does to the store.
#pragma once

#include "base/key_digest.hpp"

namespace llm_edge_cache::redis {

// On any thread; must not block.
class ChangeObserver {
 public:
  virtual ~ChangeObserver() = default;
  // A write is queued; on_write_ended() follows, whatever becomes of it.
  virtual void on_write_begun(const KeyDigest& key) = 0;
  virtual void on_write_ended(const KeyDigest& key) = 0;
  // The store may have another answer under the key, or none: it has been written or removed, or
  // the attempt has failed in a way that leaves it open.
  virtual void on_changed(const KeyDigest& key) = 0;
  virtual void on_all_changed() = 0;
  // What was removed while nobody waited for it any more: whoever looked meanwhile may hold it.
  virtual void on_removed_late(const KeyDigest& key) = 0;
  // An answer was not written: its lease had been lost.
  virtual void on_superseded(const KeyDigest& key) = 0;
};

}  // namespace llm_edge_cache::redis
