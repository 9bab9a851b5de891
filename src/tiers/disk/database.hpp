// Entries in RocksDB: FIFO compaction with a bound in bytes, the mode that was made for caches.
//
// A value is the time in milliseconds at which the entry ends for this tier (8 bytes,
// little-endian), then the entry's frame (docs/format.md). Every file is in level 0 and is dropped
// whole, the oldest first. A removal is a tombstone. It is newer than what it hides, files are
// dropped from the old end only and never merged, so it never leaves before that.
//
// What was written is in the kernel's hands when commit() returns: it survives the death of the
// process. At power loss the last entries may go, in order from the newest; removals and clear()
// wait for the disk, and stay. Blocks carry a checksum, frames another: what is damaged is found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/key_digest.hpp"
#include "core/entry.hpp"
#include "core/entry_format.hpp"
#include "core/tier.hpp"
#include "llm_edge_cache/result.hpp"
#include "tiers/common/atomic_counters.hpp"

namespace rocksdb {
class FileSystem;
}

namespace llm_edge_cache::disk {

enum class Wait {
  kNever,     // only memory and the kernel's page cache
  kAsNeeded,  // for the disk
};

struct Found {
  enum class Kind {
    kEntry,
    kNothing,
    kExpired,    // it is stored, and ended
    kCorrupt,    // it is stored, and does not verify
    kWouldWait,  // not known without the disk
    kFailed,     // the disk, or an entry over the limit
  };
  Kind kind = Kind::kNothing;
  EntryPtr entry;  // of kEntry
  Error error;     // of kCorrupt and kFailed
};

// Entries in the order of their keys.
struct Page {
  std::vector<KeyedEntry> entries;  // empty at the end alone
  std::optional<KeyDigest> last;    // the key that was looked at last
};

// The entries since the last clear(). Thread-safe; keeps its database open.
class Table {
 public:
  virtual ~Table() = default;
  [[nodiscard]] virtual Found find(const KeyDigest& key, UnixMillis now_ms, Wait wait) const = 0;
  // Reads all there is. kCancelled where `go_on`, asked now and then, says no.
  [[nodiscard]] virtual Result<std::uint64_t> count(UnixMillis now_ms,
                                                    const std::function<bool()>& go_on) const = 0;
  // The first entries whose keys come after that one; what does not verify is passed over.
  // `go_on` as above.
  [[nodiscard]] virtual Result<Page> page(const std::optional<KeyDigest>& after,
                                          std::size_t max_entries, UnixMillis now_ms,
                                          const std::function<bool()>& go_on) const = 0;
  // Counts what was replaced as well.
  [[nodiscard]] virtual std::uint64_t approximate_count() const = 0;
  // Write buffers, blocks, indexes and filters.
  [[nodiscard]] virtual std::uint64_t memory_bytes() const = 0;
  [[nodiscard]] virtual std::uint64_t disk_bytes() const = 0;
};

using TablePtr = std::shared_ptr<const Table>;

struct DatabaseOptions {
  std::uint64_t max_bytes = 4ULL << 30U;     // of the folder, but for one entry
  std::uint64_t cache_bytes = 64ULL << 20U;  // of blocks, indexes and filters in memory
  std::uint64_t ttl_ms = 3'600'000;          // no entry is kept longer
  EntryFormat format{};
  // Null: the system's, with reads that need not wait. One that is given must fail reads that would
  // wait where this_thread_may_wait() says no.
  std::shared_ptr<rocksdb::FileSystem> file_system = nullptr;
};

// Not thread-safe, but for the tables that it hands out.
class Database {
 public:
  // Counts what the bound and the time limit drop. kCorruptData where the files are damaged beyond
  // opening, kIo where the system refuses. `counters` outlives it.
  [[nodiscard]] static Result<std::unique_ptr<Database>> open(const std::filesystem::path& path,
                                                              const DatabaseOptions& options,
                                                              AtomicCounters& counters);
  // Deletes the database's files, and no others.
  [[nodiscard]] static Status destroy(const std::filesystem::path& path);

  virtual ~Database() = default;

  // Null after a clear() that failed half-way: nothing is stored, nothing can be.
  [[nodiscard]] virtual TablePtr table() const = 0;

  // Staged, until commit() writes all of it or nothing.
  virtual void put(const KeyDigest& key, UnixMillis end_ms, std::string_view frame) = 0;
  virtual void remove(const KeyDigest& key) = 0;
  [[nodiscard]] virtual std::size_t staged_bytes() const = 0;
  // What was staged is gone in either case. Waits for the disk where something was removed.
  virtual Status commit() = 0;

  // Deletes all entries, for good when it returns; a crash in between leaves all of them or none.
  virtual Status clear() = 0;
  // Deletes the files that nobody needs any more, readers of a former table included.
  virtual void sweep() = 0;
  // Begins a new file, so that old entries and new ones do not leave together.
  virtual void start_file() = 0;

  // After a commit() or clear() that failed: whether writing can go on. kUnavailable where it has
  // to be opened anew for that, and the disk takes what is written.
  virtual Status recover() = 0;
};

}  // namespace llm_edge_cache::disk
