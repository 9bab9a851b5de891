#include "tiers/disk/writer.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <utility>

namespace llm_edge_cache::disk {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLongestFile{24 * 3'600 * 1'000};
constexpr milliseconds kReaderPause{1};

Error cancelled() {
  return {ErrorCode::kCancelled, "disk: the tier is being closed"};
}

milliseconds file_life(const DatabaseOptions& options) {
  return milliseconds(std::min<std::uint64_t>(options.ttl_ms, kLongestFile.count()));
}

}  // namespace

Writer::Writer(DiskContext& context, std::filesystem::path path, DatabaseOptions options)
    : context_(context),
      path_(std::move(path)),
      options_(std::move(options)),
      last_(Error{ErrorCode::kUnavailable, "disk: not open yet"}),
      committer_(context, *this),
      backoff_({milliseconds(context.config.reconnect_min_ms),
                milliseconds(context.config.reconnect_max_ms)},
               std::random_device()()),
      thread_([this] { run(); }) {}

Writer::~Writer() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Writer::wait_for_first_attempt(TimePoint until) {
  const MutexLock lock(mutex_);
  while (!attempted_ && steady_clock::now() < until) changed_.wait_until(mutex_, until);
}

TablePtr Writer::table() const {
  const MutexLock lock(table_mutex_);
  return table_;
}

Status Writer::check() const {
  const MutexLock lock(mutex_);
  const milliseconds timeout(context_.config.operation_timeout_ms);
  if (writing_since_ && steady_clock::now() - *writing_since_ > timeout) {
    return Error{ErrorCode::kDeadlineExceeded, "disk: a write does not come to its end"};
  }
  return last_;
}

void Writer::push(WriteOp op) {
  const MutexLock lock(mutex_);
  queue_.push_back(std::move(op));
  if (queue_.size() == 1) changed_.notify_all();
}

void Writer::run() {
  while (wait_for_work()) {
    if (attempt()) {
      backoff_.reset();
      note({});
    } else if (!wait_before_retry()) {
      break;
    }
  }
  {
    const MutexLock lock(mutex_);
    std::move(queue_.begin(), queue_.end(), std::back_inserter(taken_));
    queue_.clear();
  }
  committer_.abandon(taken_, cancelled());
  close();
}

bool Writer::wait_for_work() {
  const MutexLock lock(mutex_);
  while (!stopping_ && database_ != nullptr && !ailing_ && queue_.empty() && taken_.empty() &&
         steady_clock::now() < next_file_) {
    changed_.wait_until(mutex_, next_file_);
  }
  std::move(queue_.begin(), queue_.end(), std::back_inserter(taken_));
  queue_.clear();
  return !stopping_;
}

bool Writer::wait_before_retry() {
  const TimePoint until = steady_clock::now() + backoff_.next();
  const MutexLock lock(mutex_);
  while (!stopping_ && steady_clock::now() < until) changed_.wait_until(mutex_, until);
  return !stopping_;
}

bool Writer::attempt() {
  if (database_ == nullptr && !open()) return false;
  if (ailing_ && !recover()) return false;
  if (!write()) return false;
  start_file_in_time();
  return true;
}

bool Writer::open() {
  auto folder = Folder::acquire(path_);
  auto database = folder.ok() ? open_or_start_anew(folder->database())
                              : Result<std::unique_ptr<Database>>(folder.error());
  if (!database.ok()) {
    on_fault(TierEventKind::kConnectFailed, database.error());
    return false;
  }
  folder_.emplace(std::move(folder).value());
  database_ = std::move(database).value();
  next_file_ = steady_clock::now() + file_life(options_);
  ailing_ = false;
  publish_table();
  context_.tell(TierEventKind::kConnected, "disk: using the folder '" + path_.string() + "'");
  return true;
}

bool Writer::recover() {
  const Status recovered = database_->recover();
  ailing_ = !recovered.ok();
  if (ailing_) {
    on_fault(TierEventKind::kStoreError, recovered.error());
    committer_.drop_puts(taken_, recovered.error());
    if (recovered.error().code == ErrorCode::kUnavailable) close();
  }
  publish_table();
  return recovered.ok();
}

Result<std::unique_ptr<Database>> Writer::open_or_start_anew(const std::filesystem::path& path) {
  auto database = Database::open(path, options_, context_.counters);
  if (database.ok() || database.error().code != ErrorCode::kCorruptData) return database;
  context_.counters.add_error(ErrorCode::kCorruptData);
  context_.tell(TierEventKind::kCorruptEntry,
                "the database was damaged and begins anew: " + database.error().message);
  if (Status destroyed = Database::destroy(path); !destroyed) return destroyed.error();
  return Database::open(path, options_, context_.counters);
}

bool Writer::write() {
  if (taken_.empty()) return true;
  {
    const MutexLock lock(mutex_);
    writing_since_ = steady_clock::now();
  }
  const bool written = committer_.write(taken_, *database_).ok();
  const MutexLock lock(mutex_);
  writing_since_.reset();
  return written;
}

void Writer::note(const Status& outcome) {
  const MutexLock lock(mutex_);
  attempted_ = true;
  last_ = outcome;
  changed_.notify_all();
}

void Writer::on_fault(TierEventKind kind, const Error& error) {
  context_.counters.add_error(error.code);
  context_.tell(kind, error.message);
  note(error);
}

void Writer::on_new_table() {
  publish_table();
}

void Writer::on_write_failed(const Error& error) {
  ailing_ = true;
  on_fault(TierEventKind::kStoreError, error);
}

void Writer::start_file_in_time() {
  if (steady_clock::now() < next_file_) return;
  database_->start_file();
  next_file_ = steady_clock::now() + file_life(options_);
}

void Writer::publish_table() {
  const MutexLock lock(table_mutex_);
  table_ = database_ == nullptr ? nullptr : database_->table();
}

void Writer::close() {
  TablePtr last;
  if (database_ != nullptr) last = database_->table();
  database_.reset();
  publish_table();
  // A reader that is under way must not be the one that closes the files.
  while (last != nullptr && last.use_count() > 1) std::this_thread::sleep_for(kReaderPause);
  last.reset();
  folder_.reset();
}

}  // namespace llm_edge_cache::disk
