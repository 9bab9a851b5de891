#include "tests/unit/tiers/disk/faulty_disk.hpp"

#include <rocksdb/file_system.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>

#include "tiers/disk/waiting.hpp"

namespace llm_edge_cache::disk {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

struct FaultyDisk::State {
  std::mutex mutex;
  std::condition_variable thawed;
  bool frozen = false;
  bool full = false;
  int waiting_reads = 0;
  std::shared_ptr<rocksdb::FileSystem> file_system;

  IOStatus before_read() {
    std::unique_lock lock(mutex);
    if (!this_thread_may_wait()) return IOStatus::Busy("not cached");
    ++waiting_reads;
    thawed.wait(lock, [this] { return !frozen; });
    --waiting_reads;
    return IOStatus::OK();
  }
  IOStatus before_write() {
    std::unique_lock lock(mutex);
    thawed.wait(lock, [this] { return !frozen; });
    return full ? IOStatus::NoSpace("the test's disk is full") : IOStatus::OK();
  }
};

namespace {

template <class State>
class ReadFile final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  ReadFile(std::unique_ptr<rocksdb::FSRandomAccessFile> file, State& state)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), state_(state) {}

  IOStatus Read(uint64_t offset, size_t n, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* debug) const override {
    IOStatus status = state_.before_read();
    if (!status.ok()) return status;
    return FSRandomAccessFileOwnerWrapper::Read(offset, n, options, result, scratch, debug);
  }

 private:
  State& state_;
};

template <class State>
class WrittenFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  WrittenFile(std::unique_ptr<rocksdb::FSWritableFile> file, State& state)
      : FSWritableFileOwnerWrapper(std::move(file)), state_(state) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = state_.before_write();
    return status.ok() ? FSWritableFileOwnerWrapper::Append(data, options, debug) : status;
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& info, IODebugContext* debug) override {
    IOStatus status = state_.before_write();
    return status.ok() ? FSWritableFileOwnerWrapper::Append(data, options, info, debug) : status;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = state_.before_write();
    return status.ok() ? FSWritableFileOwnerWrapper::Sync(options, debug) : status;
  }

 private:
  State& state_;
};

template <class State>
class Files final : public rocksdb::FileSystemWrapper {
 public:
  explicit Files(State& state) : FileSystemWrapper(rocksdb::FileSystem::Default()), state_(state) {}

  const char* Name() const override { return "llm_edge_cache.FaultyDisk"; }

  IOStatus NewRandomAccessFile(const std::string& name, const FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               IODebugContext* debug) override {
    IOStatus status = FileSystemWrapper::NewRandomAccessFile(name, options, result, debug);
    if (status.ok()) *result = std::make_unique<ReadFile<State>>(std::move(*result), state_);
    return status;
  }
  IOStatus NewWritableFile(const std::string& name, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext* debug) override {
    IOStatus status = state_.before_write();
    if (!status.ok()) return status;
    status = FileSystemWrapper::NewWritableFile(name, options, result, debug);
    if (status.ok()) *result = std::make_unique<WrittenFile<State>>(std::move(*result), state_);
    return status;
  }

 private:
  State& state_;
};

}  // namespace

FaultyDisk::FaultyDisk() : state_(std::make_shared<State>()) {
  state_->file_system = std::make_shared<Files<State>>(*state_);
}

FaultyDisk::~FaultyDisk() {
  thaw();
}

std::shared_ptr<rocksdb::FileSystem> FaultyDisk::file_system() const {
  return state_->file_system;
}

void FaultyDisk::freeze() {
  const std::lock_guard lock(state_->mutex);
  state_->frozen = true;
}

void FaultyDisk::thaw() {
  const std::lock_guard lock(state_->mutex);
  state_->frozen = false;
  state_->thawed.notify_all();
}

void FaultyDisk::fill_up() {
  const std::lock_guard lock(state_->mutex);
  state_->full = true;
}

void FaultyDisk::make_room() {
  const std::lock_guard lock(state_->mutex);
  state_->full = false;
}

int FaultyDisk::waiting_reads() const {
  const std::lock_guard lock(state_->mutex);
  return state_->waiting_reads;
}

}  // namespace llm_edge_cache::disk
