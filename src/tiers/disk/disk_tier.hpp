// L2 in a folder of this machine: what was stored is there again after a restart.
//
// RocksDB in FIFO compaction, its cache mode (database.hpp): bounded in bytes, the oldest leave
// first. Expiry is per entry and exact. One process holds the folder at a time.
//
// Who waits for the disk: never the caller. get() answers inside the call what memory and the
// kernel's page cache have, and leaves the rest to io_threads readers; a writer has the
// write-behind queue. Calls end within operation_timeout_ms, flush() and clear() within the longer
// of that and shutdown_flush_ms, size(), which reads everything, within scan_timeout_ms; with
// kDeadlineExceeded where the disk does not answer. While it does not, get() is refused at once
// (kUnavailable), and where more than kMaxQueuedReads wait.
//
// Where the folder cannot be opened or written (held by another process, read-only, full), that is
// counted, told and tried again with backoff; meanwhile a folder that is open is still read. A
// removal that could not be written hides its entry until it is. What does not verify is a miss,
// counted and removed; a database that is damaged beyond opening begins anew.
//
// Durability: what was flushed survives the death of the process. At power loss the newest entries
// may go; removals and clear() that were confirmed stay.
//
// Memory: L2Config::disk_cache_bytes, two write buffers of a hundredth of disk_max_bytes (64 MiB at
// most) each, and the write-behind queue. A disk that holds up a system call holds up the
// destructor.
#pragma once

#include <cstdint>
#include <memory>

#include "core/tier.hpp"
#include "llm_edge_cache/clock.hpp"
#include "llm_edge_cache/config.hpp"
#include "llm_edge_cache/result.hpp"
#include "tiers/common/tier_event.hpp"

namespace rocksdb {
class FileSystem;
}

namespace llm_edge_cache::disk {

struct DiskTierOptions {
  TierEventSink on_event = nullptr;
  std::uint64_t scan_timeout_ms = 30'000;  // of size(), 1 to a day
  // For tests of faults; see DatabaseOptions.
  std::shared_ptr<rocksdb::FileSystem> file_system = nullptr;
};

class DiskTier final : public Tier {
 public:
  static constexpr std::size_t kMaxQueuedReads = 1'024;
  static constexpr std::size_t kMaxQueuedScans = 8;
  static constexpr std::size_t kMaxFlushes = 1'024;  // clear() included

  // kInvalidArgument where the configuration or its URL cannot be used, or the path is a file or
  // another's folder; the error of a key or dictionary that cannot be used. Waits
  // connect_timeout_ms at most for the folder to open, and goes on trying in the background.
  [[nodiscard]] static Result<std::unique_ptr<DiskTier>> create(const L2Config& config,
                                                                ClockPtr clock,
                                                                DiskTierOptions options = {});
  // Waits up to shutdown_flush_ms for pending writes, then closes the folder.
  ~DiskTier() override;

  [[nodiscard]] std::string_view name() const override { return "l2"; }
  [[nodiscard]] bool is_shared() const override { return false; }  // the folder is locked
  void get(const KeyDigest& key, Handler<Result<EntryPtr>> handler) override;
  void put(const KeyDigest& key, EntryPtr entry) override;
  void remove(const KeyDigest& key, Handler<Result<bool>> handler) override;
  void clear(Handler<Status> handler) override;
  void size(Handler<Result<std::uint64_t>> handler) override;
  void flush(Handler<Status> handler) override;
  // Ok where a reader answers and the last write went well.
  void check(Handler<Status> handler) override;
  // A page is read within scan_timeout_ms.
  [[nodiscard]] std::shared_ptr<TierWalk> walk() override;
  [[nodiscard]] TierCounters counters() const override;
  [[nodiscard]] TierGauges gauges() const override;
  [[nodiscard]] bool runs_on_this_thread() const override;

 private:
  struct Impl;
  class Walk;

  explicit DiskTier(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace llm_edge_cache::disk
