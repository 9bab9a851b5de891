// The thread that owns the database: opens it, writes to it, and brings it back after faults.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>

#include "base/thread_annotations.hpp"
#include "core/backoff.hpp"
#include "tiers/disk/committer.hpp"
#include "tiers/disk/database.hpp"
#include "tiers/disk/disk_context.hpp"
#include "tiers/disk/folder.hpp"
#include "tiers/disk/write_op.hpp"

namespace llm_edge_cache::disk {

// Thread-safe but for construction and destruction. While the database cannot be opened or written,
// it is tried again with backoff; what waits then waits within the budget, and puts that the disk
// refused are dropped. The destructor gives up what is left, and waits for the disk where the disk
// holds it up.
class Writer final : private Committer::Owner {
 public:
  Writer(DiskContext& context, std::filesystem::path path, DatabaseOptions options);
  ~Writer() override;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Returns when the first attempt at opening has ended, or after that time.
  void wait_for_first_attempt(TimePoint until) LEC_EXCLUDES(mutex_);

  // Null while the database is not open.
  [[nodiscard]] TablePtr table() const LEC_EXCLUDES(table_mutex_);
  // Ok where the last write went well, and the one under way is not overdue.
  [[nodiscard]] Status check() const LEC_EXCLUDES(mutex_);

  void push(WriteOp op) LEC_EXCLUDES(mutex_);
  [[nodiscard]] bool runs_on_this_thread() const {
    return thread_.get_id() == std::this_thread::get_id();
  }

 private:
  void run() LEC_EXCLUDES(mutex_);
  // Takes what waits; nothing when it is time to end.
  [[nodiscard]] bool wait_for_work() LEC_EXCLUDES(mutex_);
  [[nodiscard]] bool wait_before_retry() LEC_EXCLUDES(mutex_);
  // One attempt each; false where it failed, which has been told.
  [[nodiscard]] bool attempt() LEC_EXCLUDES(mutex_);
  [[nodiscard]] bool open();
  [[nodiscard]] bool recover();
  [[nodiscard]] bool write() LEC_EXCLUDES(mutex_);
  Result<std::unique_ptr<Database>> open_or_start_anew(const std::filesystem::path& path);
  void close() LEC_EXCLUDES(table_mutex_);
  void publish_table() LEC_EXCLUDES(table_mutex_);
  void note(const Status& outcome) LEC_EXCLUDES(mutex_);
  void on_fault(TierEventKind kind, const Error& error) LEC_EXCLUDES(mutex_);
  void on_new_table() override;
  void on_write_failed(const Error& error) override;
  void start_file_in_time();

  DiskContext& context_;
  const std::filesystem::path path_;
  const DatabaseOptions options_;

  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<WriteOp> queue_ LEC_GUARDED_BY(mutex_);
  bool stopping_ LEC_GUARDED_BY(mutex_) = false;
  bool attempted_ LEC_GUARDED_BY(mutex_) = false;
  Status last_ LEC_GUARDED_BY(mutex_);
  std::optional<TimePoint> writing_since_ LEC_GUARDED_BY(mutex_);

  mutable Mutex table_mutex_;
  TablePtr table_ LEC_GUARDED_BY(table_mutex_);

  // Of the writer's thread:
  std::optional<Folder> folder_;
  std::unique_ptr<Database> database_;
  Committer committer_;
  Backoff backoff_;
  std::deque<WriteOp> taken_;
  bool ailing_ = false;  // the last write failed
  TimePoint next_file_{};

  std::thread thread_;
};

}  // namespace llm_edge_cache::disk
