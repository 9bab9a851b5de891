#include "tiers/disk/database.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/entry_codec.hpp"
#include "tiers/disk/page_cache_files.hpp"
#include "tiers/disk/waiting.hpp"

namespace llm_edge_cache::disk {
namespace {

using rocksdb::Slice;

const std::string kTableName = "entries";
// An absent key asks the filter of every file: about a hundred of them, however large the folder.
constexpr std::uint64_t kFiles = 100;
constexpr std::uint64_t kMinFileBytes = 256U << 10U;
constexpr std::uint64_t kMaxFileBytes = 64U << 20U;
// 0.05 % of absent keys pass the filter of a file: one in twenty reads a block for nothing.
constexpr double kFilterBitsPerKey = 16;
constexpr std::uint64_t kMaxLogBytes = 1U << 20U;
constexpr std::uint64_t kMaxManifestBytes = 4U << 20U;
constexpr std::uint64_t kBytesPerSync = 1U << 20U;  // written out bit by bit, not all at the end
constexpr std::size_t kProbeBytes = 64U << 10U;
constexpr std::size_t kMaxIdleBatchBytes = 4U << 20U;
constexpr std::uint64_t kStopEvery = 1'024;  // entries counted between two questions

using EndTime = std::array<char, sizeof(std::uint64_t)>;

EndTime encode_end(UnixMillis end_ms) {
  static_assert(std::endian::native == std::endian::little);
  return std::bit_cast<EndTime>(end_ms);
}

std::optional<UnixMillis> decode_end(const Slice& value) {
  if (value.size() < sizeof(EndTime)) return std::nullopt;
  UnixMillis end_ms = 0;
  std::memcpy(&end_ms, value.data(), sizeof end_ms);
  return end_ms;
}

Slice slice_of(const KeyDigest& key) {
  return {key.view().data(), key.view().size()};
}

Error error_of(const rocksdb::Status& status) {
  const bool corrupt = status.IsCorruption();
  return {corrupt ? ErrorCode::kCorruptData : ErrorCode::kIo, "disk: " + status.ToString()};
}

std::uint64_t file_bytes(std::uint64_t max_bytes) {
  return std::clamp(max_bytes / kFiles, kMinFileBytes, kMaxFileBytes);
}

rocksdb::DBOptions database_options(rocksdb::Env* env,
                                    std::shared_ptr<rocksdb::EventListener> listener) {
  rocksdb::DBOptions options;
  options.env = env;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.listeners = {std::move(listener)};
  options.max_open_files = -1;  // FIFO's time limit wants it; their number is bounded by kFiles
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.max_log_file_size = kMaxLogBytes;
  options.keep_log_file_num = 2;
  options.max_manifest_file_size = kMaxManifestBytes;
  options.bytes_per_sync = kBytesPerSync;
  options.wal_bytes_per_sync = kBytesPerSync;
  // What is lost at a power cut is the newest, and nothing older survives its own removal.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  // Or else every restart would leave another small file.
  options.avoid_flush_during_recovery = true;
  // Files are deleted by the background threads, never by a reader; the folder is not searched for
  // forgotten ones while others wait.
  options.avoid_unnecessary_blocking_io = true;
  options.delete_obsolete_files_period_micros = std::numeric_limits<std::int64_t>::max();
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.skip_stats_update_on_db_open = true;
  return options;
}

rocksdb::ColumnFamilyOptions table_options(const DatabaseOptions& options,
                                           const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions blocks;
  blocks.block_cache = cache;
  blocks.cache_index_and_filter_blocks = true;
  blocks.pin_l0_filter_and_index_blocks_in_cache = true;
  blocks.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kFilterBitsPerKey));

  rocksdb::ColumnFamilyOptions table;
  table.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
  table.compression = rocksdb::kNoCompression;  // frames are compressed already
  table.write_buffer_size = file_bytes(options.max_bytes);
  table.max_write_buffer_number = 2;
  table.memtable_whole_key_filtering = true;
  table.memtable_prefix_bloom_size_ratio = 0.02;
  table.compaction_style = rocksdb::kCompactionStyleFIFO;
  // The rest is for the logs of the buffers in memory, and for the file that one becomes.
  table.compaction_options_fifo.max_table_files_size =
      options.max_bytes - 3 * table.write_buffer_size;
  table.compaction_options_fifo.allow_compaction = false;
  // By a file's first entry; start_file() sees to it that the last is at most one life younger.
  table.ttl = 2 * (options.ttl_ms / 1'000 + 1);
  return table;
}

// Counts what goes with the files that are dropped, and leaves recovery to the tier.
class Listener final : public rocksdb::EventListener {
 public:
  explicit Listener(AtomicCounters& counters) : counters_(counters) {}

  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status /*error*/,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }

  void OnCompactionBegin(rocksdb::DB* /*database*/,
                         const rocksdb::CompactionJobInfo& drop) override {
    std::uint64_t entries = 0;
    for (const auto& [file, table] : drop.table_properties) {
      entries += table->num_entries - std::min(table->num_entries, 2 * table->num_deletions);
    }
    const bool expired = drop.compaction_reason == rocksdb::CompactionReason::kFIFOTtl;
    AtomicCounters::add(expired ? counters_.evicted_expired : counters_.evicted_for_size, entries);
  }

 private:
  AtomicCounters& counters_;
};

// An open database and what must live as long.
struct Open {
  ~Open() {
    if (default_table != nullptr) (void)database->DestroyColumnFamilyHandle(default_table);
    if (database != nullptr) (void)database->Close();
  }

  std::unique_ptr<rocksdb::Env> env;
  std::shared_ptr<rocksdb::Cache> cache;
  rocksdb::ColumnFamilyOptions table_options;
  std::unique_ptr<rocksdb::DB> database;
  rocksdb::ColumnFamilyHandle* default_table = nullptr;  // RocksDB insists on one; it is empty
};

class RocksTable final : public Table {
 public:
  RocksTable(std::shared_ptr<Open> open, rocksdb::ColumnFamilyHandle* handle, EntryFormat format)
      : open_(std::move(open)), handle_(handle), format_(std::move(format)) {}
  ~RocksTable() override { (void)open_->database->DestroyColumnFamilyHandle(handle_); }
  RocksTable(const RocksTable&) = delete;
  RocksTable& operator=(const RocksTable&) = delete;

  Found find(const KeyDigest& key, UnixMillis now_ms, Wait wait) const override {
    rocksdb::PinnableSlice value;
    rocksdb::Status status;
    if (wait == Wait::kNever) {
      const NoWaitScope no_wait;
      status = open_->database->Get(rocksdb::ReadOptions(), handle_, slice_of(key), &value);
    } else {
      status = open_->database->Get(rocksdb::ReadOptions(), handle_, slice_of(key), &value);
    }
    if (status.ok()) return judge(key, value, now_ms);
    if (status.IsNotFound()) return {};
    if (status.IsCorruption()) return {Found::Kind::kCorrupt, nullptr, error_of(status)};
    if (wait == Wait::kNever) return {Found::Kind::kWouldWait, nullptr, {}};
    return {Found::Kind::kFailed, nullptr, error_of(status)};
  }

  Result<std::uint64_t> count(UnixMillis now_ms,
                              const std::function<bool()>& go_on) const override {
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    const std::unique_ptr<rocksdb::Iterator> entry(open_->database->NewIterator(options, handle_));
    std::uint64_t entries = 0;
    std::uint64_t seen = 0;
    for (entry->SeekToFirst(); entry->Valid(); entry->Next()) {
      if (seen++ % kStopEvery == 0 && !go_on()) {
        return Error{ErrorCode::kCancelled, "disk: counting was stopped"};
      }
      if (decode_end(entry->value()).value_or(0) > now_ms) ++entries;
    }
    if (!entry->status().ok()) return error_of(entry->status());
    return entries;
  }

  Result<Page> page(const std::optional<KeyDigest>& after, std::size_t max_entries,
                    UnixMillis now_ms, const std::function<bool()>& go_on) const override {
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    const std::unique_ptr<rocksdb::Iterator> at(open_->database->NewIterator(options, handle_));
    Page page;
    page.last = after;
    std::uint64_t seen = 0;
    for (seek_behind(*at, after); at->Valid() && page.entries.size() < max_entries; at->Next()) {
      if (seen++ % kStopEvery == 0 && !go_on()) {
        return Error{ErrorCode::kCancelled, "disk: the walk was stopped"};
      }
      if (at->key().size() != sizeof(KeyDigest)) continue;
      KeyDigest key;
      std::memcpy(key.bytes.data(), at->key().data(), sizeof key);
      page.last = key;
      Found found = judge(key, at->value(), now_ms);
      if (found.kind == Found::Kind::kEntry) page.entries.push_back({key, std::move(found.entry)});
    }
    if (!at->status().ok()) return error_of(at->status());
    return page;
  }

  std::uint64_t approximate_count() const override {
    return property(rocksdb::DB::Properties::kEstimateNumKeys);
  }
  std::uint64_t memory_bytes() const override {
    return property(rocksdb::DB::Properties::kCurSizeAllMemTables) + open_->cache->GetUsage();
  }
  std::uint64_t disk_bytes() const override {
    return property(rocksdb::DB::Properties::kTotalSstFilesSize);
  }

  [[nodiscard]] rocksdb::ColumnFamilyHandle* handle() const { return handle_; }

 private:
  static void seek_behind(rocksdb::Iterator& at, const std::optional<KeyDigest>& key) {
    if (!key) return at.SeekToFirst();
    at.Seek(slice_of(*key));
    if (at.Valid() && at.key() == slice_of(*key)) at.Next();
  }

  Found judge(const KeyDigest& key, const Slice& value, UnixMillis now_ms) const {
    const auto end_ms = decode_end(value);
    if (!end_ms) {
      return {Found::Kind::kCorrupt, nullptr, {ErrorCode::kCorruptData, "disk: a value is cut"}};
    }
    if (*end_ms <= now_ms) return {Found::Kind::kExpired, nullptr, {}};
    const std::string_view frame(value.data() + sizeof(EndTime), value.size() - sizeof(EndTime));
    auto entry = decode_entry(key, frame, format_);
    if (!entry.ok()) {
      const bool corrupt = entry.error().code == ErrorCode::kCorruptData;
      return {corrupt ? Found::Kind::kCorrupt : Found::Kind::kFailed, nullptr, entry.error()};
    }
    if ((*entry)->end_ms() <= now_ms) return {Found::Kind::kExpired, nullptr, {}};
    return {Found::Kind::kEntry, std::move(entry).value(), {}};
  }

  std::uint64_t property(const std::string& name) const {
    std::uint64_t value = 0;
    return open_->database->GetIntProperty(handle_, name, &value) ? value : 0;
  }

  const std::shared_ptr<Open> open_;
  rocksdb::ColumnFamilyHandle* const handle_;
  const EntryFormat format_;
};

class RocksDatabase final : public Database {
 public:
  RocksDatabase(std::shared_ptr<Open> open, std::shared_ptr<const RocksTable> table,
                EntryFormat format)
      : open_(std::move(open)), table_(std::move(table)), format_(std::move(format)) {}

  TablePtr table() const override { return table_; }

  void put(const KeyDigest& key, UnixMillis end_ms, std::string_view frame) override {
    if (table_ == nullptr) {
      puts_without_table_ = true;
      return;
    }
    const EndTime end = encode_end(end_ms);
    const std::array<Slice, 1> keys = {slice_of(key)};
    const std::array<Slice, 2> values = {Slice(end.data(), end.size()),
                                         Slice(frame.data(), frame.size())};
    batch_.Put(table_->handle(), rocksdb::SliceParts(keys.data(), keys.size()),
               rocksdb::SliceParts(values.data(), values.size()));
  }

  void remove(const KeyDigest& key) override {
    if (table_ == nullptr) return;
    batch_.Delete(table_->handle(), slice_of(key));
    removes_ = true;
  }

  std::size_t staged_bytes() const override { return batch_.GetDataSize(); }

  Status commit() override {
    rocksdb::WriteOptions options;
    options.sync = std::exchange(removes_, false);
    if (std::exchange(puts_without_table_, false)) return no_table();
    if (batch_.Count() == 0) return {};
    const auto status = open_->database->Write(options, &batch_);
    batch_.Clear();
    if (batch_.Data().capacity() > kMaxIdleBatchBytes) batch_ = rocksdb::WriteBatch();
    return note(status);
  }

  Status clear() override {
    if (table_ != nullptr) {
      // A file that is being written for the table now would be left behind.
      (void)open_->database->PauseBackgroundWork();
      const auto dropped = open_->database->DropColumnFamily(table_->handle());
      (void)open_->database->ContinueBackgroundWork();
      if (!dropped.ok()) return note(dropped);
      table_ = nullptr;
    }
    return note(create_table());
  }

  void sweep() override {
    // The one call that looks for files without an owner.
    (void)open_->database->DisableFileDeletions();
    (void)open_->database->EnableFileDeletions(/*force=*/true);
  }

  void start_file() override {
    if (table_ == nullptr) return;
    rocksdb::FlushOptions options;
    options.wait = false;
    (void)open_->database->Flush(options, table_->handle());
  }

  Status recover() override {
    // With nothing to write, RocksDB would call itself recovered.
    if (const auto probed = probe(); !probed.ok()) return error_of(probed);
    if (fatal_) return Error{ErrorCode::kUnavailable, "disk: the database must be opened anew"};
    const auto status = open_->database->Resume();
    if (!status.ok()) return note(status);
    return table_ == nullptr ? note(create_table()) : Status();
  }

 private:
  // Whether the disk takes anything at all: the database itself is still good for reading.
  rocksdb::Status probe() {
    const std::string file = open_->database->GetName() + "/probe";
    auto status = rocksdb::WriteStringToFile(open_->env.get(), std::string(kProbeBytes, 'x'), file,
                                             /*should_sync=*/true);
    (void)open_->env->DeleteFile(file);
    return status;
  }

  static Error no_table() { return {ErrorCode::kIo, "disk: there is no table to write to"}; }

  rocksdb::Status create_table() {
    rocksdb::ColumnFamilyHandle* handle = nullptr;
    auto status = open_->database->CreateColumnFamily(open_->table_options, kTableName, &handle);
    if (status.ok()) table_ = std::make_shared<RocksTable>(open_, handle, format_);
    return status;
  }

  Status note(const rocksdb::Status& status) {
    if (status.ok()) return {};
    if (status.severity() >= rocksdb::Status::Severity::kFatalError) fatal_ = true;
    return error_of(status);
  }

  const std::shared_ptr<Open> open_;
  std::shared_ptr<const RocksTable> table_;
  const EntryFormat format_;
  rocksdb::WriteBatch batch_;
  bool removes_ = false;
  bool puts_without_table_ = false;
  bool fatal_ = false;
};

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& path,
                                                 const DatabaseOptions& options,
                                                 AtomicCounters& counters) {
  auto open = std::make_shared<Open>();
  open->env = rocksdb::NewCompositeEnv(options.file_system != nullptr
                                           ? options.file_system
                                           : make_page_cache_files(rocksdb::FileSystem::Default()));
  open->cache = rocksdb::NewLRUCache(options.cache_bytes);
  open->table_options = table_options(options, open->cache);
  const std::vector<rocksdb::ColumnFamilyDescriptor> tables = {
      {rocksdb::kDefaultColumnFamilyName, {}}, {kTableName, open->table_options}};
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* database = nullptr;
  const auto status =
      rocksdb::DB::Open(database_options(open->env.get(), std::make_shared<Listener>(counters)),
                        path.string(), tables, &handles, &database);
  if (!status.ok()) return error_of(status);
  open->database.reset(database);
  open->default_table = handles[0];
  auto table = std::make_shared<RocksTable>(open, handles[1], options.format);
  return std::unique_ptr<Database>(
      new RocksDatabase(std::move(open), std::move(table), options.format));
}

Status Database::destroy(const std::filesystem::path& path) {
  const auto status =
      rocksdb::DestroyDB(path.string(), rocksdb::Options(),
                         {{rocksdb::kDefaultColumnFamilyName, {}}, {kTableName, {}}});
  return status.ok() ? Status() : Status(error_of(status));
}

}  // namespace llm_edge_cache::disk
