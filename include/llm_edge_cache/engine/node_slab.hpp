// Where nodes live: two arrays that grow in place, addressed by 32-bit handles; chunks of them that
// are empty go back to the system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "llm_edge_cache/engine/address_range.hpp"
#include "llm_edge_cache/engine/nodes.hpp"
#include "llm_edge_cache/engine/platform.hpp"
#include "llm_edge_cache/engine/sync.hpp"

namespace llm_edge_cache::engine {

/// Thread-safe. Also the store of nodes that a policy threads its lists through.
///
/// `read_part` may be used for a handle that the caller knows to be allocated, `write_part` for any
/// that ever was.
template <class Key, class Value, class Sync = ProductSync>
class NodeSlab {
 public:
  using Read = ReadPart<Key, Value>;

  /// Reserves addresses, not memory. Throws std::bad_alloc.
  NodeSlab()
      : reads_(kMostNodes * sizeof(Read), kLeastReserved * sizeof(Read)),
        writes_(kMostNodes * sizeof(WritePart), kLeastReserved * sizeof(WritePart)),
        read_parts_(reinterpret_cast<Read*>(reads_.start())),
        write_parts_(reinterpret_cast<WritePart*>(writes_.start())) {}
  NodeSlab(const NodeSlab&) = delete;
  NodeSlab& operator=(const NodeSlab&) = delete;

  /// Fills `handles` with nodes whose read part is not constructed. Throws std::bad_alloc, or
  /// std::length_error at 2^30 nodes; then nothing was allocated.
  void allocate(std::span<Handle> handles) {
    const std::lock_guard lock(mutex_);
    std::size_t done = 0;
    try {
      for (; done < handles.size(); ++done) handles[done] = allocate_one();
    } catch (...) {
      for (std::size_t i = 0; i < done; ++i) release_one(handles[i]);
      throw;
    }
  }

  /// Takes nodes back whose read part was destroyed and that no reader can reach.
  void release(std::span<const Handle> handles) {
    const std::lock_guard lock(mutex_);
    for (const Handle handle : handles) release_one(handle);
  }

  /// Gives the memory of the empty chunks, except one, back to the system, which takes a while;
  /// allocations go on beside it. Returns how many.
  std::size_t trim() {
    const std::vector<std::uint32_t> emptied = take_empty();
    for (const std::uint32_t index : emptied) {
      reads_.give_back(index * kReadChunkBytes, kReadChunkBytes);
      writes_.give_back(index * kWriteChunkBytes, kWriteChunkBytes);
    }
    const std::lock_guard lock(mutex_);
    vacant_.insert(vacant_.end(), emptied.begin(), emptied.end());
    return emptied.size();
  }

  [[nodiscard, gnu::always_inline]] Read& read_part(Handle handle) const {
    return read_parts_[handle];
  }
  [[nodiscard, gnu::always_inline]] WritePart& write_part(Handle handle) const {
    return write_parts_[handle];
  }

  // PolicyNodes.
  PolicyLinks& links(Handle handle) { return write_part(handle).policy; }
  [[nodiscard]] std::uint64_t hash(Handle handle) const { return write_part(handle).hash; }
  [[nodiscard]] std::uint32_t weight(Handle handle) const { return write_part(handle).weight; }

  [[nodiscard]] std::size_t memory_bytes() const {
    const std::lock_guard lock(mutex_);
    return chunks_in_use_ * (kReadChunkBytes + kWriteChunkBytes) +
           chunks_.capacity() * sizeof(Chunk) + vacant_.capacity() * sizeof(std::uint32_t);
  }

  [[nodiscard]] std::size_t allocated() const {
    const std::lock_guard lock(mutex_);
    return allocated_;
  }

  static constexpr std::size_t kNodeBytes = sizeof(Read) + sizeof(WritePart);

 private:
  /// The least number that fills whole pages, whatever the size of a key, of which all sizes are
  /// multiples of eight bytes.
  static constexpr std::uint32_t kNodes = 512;
  static constexpr std::size_t kReadChunkBytes = kNodes * sizeof(Read);
  static constexpr std::size_t kWriteChunkBytes = kNodes * sizeof(WritePart);
  static_assert(kReadChunkBytes % kPageBytes == 0 && kWriteChunkBytes % kPageBytes == 0);
  static_assert(alignof(Read) <= kPageBytes);

  static constexpr std::size_t kMostNodes = std::size_t{1} << 30;
  static constexpr std::size_t kLeastReserved = std::size_t{1} << 16;

  /// Chunks with a free node are on a doubly linked list.
  struct Chunk {
    std::uint32_t allocated = 0;
    std::uint32_t touched = 0;  ///< Nodes ever allocated; the others are untouched pages.
    Handle free = kNullHandle;  ///< Threaded through the write parts' wheel links.
    std::uint32_t prev = kNullHandle;
    std::uint32_t next = kNullHandle;
  };

  Handle allocate_one() {
    if (available_ == kNullHandle) add_chunk();
    const std::uint32_t index = available_;
    Chunk& chunk = chunks_[index];
    Handle handle = chunk.free;
    if (handle != kNullHandle) {
      chunk.free = std::exchange(write_part(handle).wheel.next, kNullHandle);
    } else {
      handle = index * kNodes + chunk.touched++;
      std::construct_at(&write_part(handle));
    }
    if (chunk.allocated++ == 0) --empty_chunks_;
    if (chunk.allocated == kNodes) unlist(index);
    ++allocated_;
    return handle;
  }

  void release_one(Handle handle) {
    const std::uint32_t index = handle / kNodes;
    Chunk& chunk = chunks_[index];
    write_part(handle).wheel.next = std::exchange(chunk.free, handle);
    if (chunk.allocated-- == kNodes) enlist(index);
    if (chunk.allocated == 0) ++empty_chunks_;
    --allocated_;
  }

  void add_chunk() {
    const bool reuse = !vacant_.empty();
    const auto index = reuse ? vacant_.back() : static_cast<std::uint32_t>(chunks_.size());
    if (reuse) {
      vacant_.pop_back();
    } else {
      if (std::size_t{index} * kNodes == kMostNodes) throw std::length_error("cache: 2^30 nodes");
      const std::size_t chunks = std::size_t{index} + 1;
      reads_.grow(chunks * kReadChunkBytes);
      writes_.grow(chunks * kWriteChunkBytes);
      if (vacant_.capacity() < chunks) vacant_.reserve(2 * chunks);
      chunks_.emplace_back();
      mark_vacant(&read_part(index * kNodes), kReadChunkBytes);
    }
    ++chunks_in_use_;
    ++empty_chunks_;
    enlist(index);
  }

  std::vector<std::uint32_t> take_empty() {
    const std::lock_guard lock(mutex_);
    std::vector<std::uint32_t> emptied;
    if (empty_chunks_ < 2) return emptied;
    emptied.reserve(empty_chunks_);
    for (std::uint32_t index = available_; index != kNullHandle && empty_chunks_ > 1;) {
      const std::uint32_t next = chunks_[index].next;
      if (chunks_[index].allocated == 0) {
        unlist(index);
        chunks_[index] = Chunk{};
        emptied.push_back(index);
        --chunks_in_use_;
        --empty_chunks_;
      }
      index = next;
    }
    return emptied;
  }

  void enlist(std::uint32_t index) {
    Chunk& chunk = chunks_[index];
    chunk.prev = kNullHandle;
    chunk.next = available_;
    if (available_ != kNullHandle) chunks_[available_].prev = index;
    available_ = index;
  }

  void unlist(std::uint32_t index) {
    Chunk& chunk = chunks_[index];
    (chunk.prev == kNullHandle ? available_ : chunks_[chunk.prev].next) = chunk.next;
    if (chunk.next != kNullHandle) chunks_[chunk.next].prev = chunk.prev;
  }

  AddressRange reads_;
  AddressRange writes_;
  Read* const read_parts_;
  WritePart* const write_parts_;

  mutable typename Sync::Mutex mutex_;  ///< Guards all below, and growing the above.
  std::vector<Chunk> chunks_;
  std::vector<std::uint32_t> vacant_;  ///< Chunks that are neither in use nor being given back.
  std::uint32_t available_ = kNullHandle;
  std::size_t chunks_in_use_ = 0;
  std::size_t empty_chunks_ = 0;
  std::size_t allocated_ = 0;
};

}  // namespace llm_edge_cache::engine
