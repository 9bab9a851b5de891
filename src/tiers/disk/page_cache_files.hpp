// RocksDB's files, read without waiting where the caller asks for it (waiting.hpp): what the kernel
// has in its page cache is read in place, what it has not is refused (preadv2 with RWF_NOWAIT,
// Linux 4.14). A file system that knows no such reads refuses all of them; nothing is lost but
// time.
#pragma once

#include <memory>

namespace rocksdb {
class FileSystem;
}

namespace llm_edge_cache::disk {

[[nodiscard]] std::shared_ptr<rocksdb::FileSystem> make_page_cache_files(
    std::shared_ptr<rocksdb::FileSystem> base);

}  // namespace llm_edge_cache::disk
