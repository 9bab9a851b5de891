// Whether the calling thread may wait for the disk. RocksDB has no such argument to hand down to
// its files, so it stands beside the call.
#pragma once

namespace llm_edge_cache::disk {

[[nodiscard]] bool this_thread_may_wait();

// While it lives, reads on this thread that would have to wait fail instead. Does not nest.
class NoWaitScope {
 public:
  NoWaitScope();
  ~NoWaitScope();
  NoWaitScope(const NoWaitScope&) = delete;
  NoWaitScope& operator=(const NoWaitScope&) = delete;
};

}  // namespace llm_edge_cache::disk
