#include "tiers/disk/page_cache_files.hpp"

#include <fcntl.h>
#include <rocksdb/file_system.h>
#include <sys/uio.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "tiers/disk/waiting.hpp"

namespace llm_edge_cache::disk {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

class PageCacheFile final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  PageCacheFile(std::unique_ptr<rocksdb::FSRandomAccessFile> file, int descriptor)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), descriptor_(descriptor) {}
  ~PageCacheFile() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  PageCacheFile(const PageCacheFile&) = delete;
  PageCacheFile& operator=(const PageCacheFile&) = delete;

  IOStatus Read(uint64_t offset, size_t n, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* debug) const override {
    if (this_thread_may_wait()) {
      return FSRandomAccessFileOwnerWrapper::Read(offset, n, options, result, scratch, debug);
    }
    const iovec room{scratch, n};
    if (::preadv2(descriptor_, &room, 1, static_cast<off_t>(offset), RWF_NOWAIT) !=
        static_cast<ssize_t>(n)) {
      return IOStatus::Busy("the read would wait");
    }
    *result = Slice(scratch, n);
    return IOStatus::OK();
  }

 private:
  const int descriptor_;  // -1: every read that must not wait is refused
};

class PageCacheFiles final : public rocksdb::FileSystemWrapper {
 public:
  explicit PageCacheFiles(const std::shared_ptr<FileSystem>& base) : FileSystemWrapper(base) {}

  const char* Name() const override { return "llm_edge_cache.PageCacheFiles"; }

  IOStatus NewRandomAccessFile(const std::string& name, const FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               IODebugContext* debug) override {
    IOStatus status = FileSystemWrapper::NewRandomAccessFile(name, options, result, debug);
    if (!status.ok()) return status;
    *result = std::make_unique<PageCacheFile>(std::move(*result),
                                              ::open(name.c_str(), O_RDONLY | O_CLOEXEC));
    return status;
  }
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> make_page_cache_files(
    std::shared_ptr<rocksdb::FileSystem> base) {
  return std::make_shared<PageCacheFiles>(std::move(base));
}

}  // namespace llm_edge_cache::disk
