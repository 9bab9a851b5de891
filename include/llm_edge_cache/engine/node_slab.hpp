// Where nodes live: chunks of a few pages, addressed by 32-bit handles, given back when empty.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "llm_edge_cache/engine/nodes.hpp"
#include "llm_edge_cache/engine/platform.hpp"
#include "llm_edge_cache/engine/sync.hpp"

namespace llm_edge_cache::engine {

/// Thread-safe. Also the store of nodes that a policy threads its lists through.
///
/// `read_part` and `write_part` may be called for a handle that the caller knows to be allocated,
/// or, under the maintenance lock, for any handle for which `mapped` is true.
template <class Key, class Value, class Sync = ProductSync>
class NodeSlab {
 public:
  using Read = ReadPart<Key, Value>;

  NodeSlab() = default;
  NodeSlab(const NodeSlab&) = delete;
  NodeSlab& operator=(const NodeSlab&) = delete;

  /// No allocated handle may hold a constructed key or value any more.
  ~NodeSlab() {
    for (ChunkState& state : states_) {
      if (state.chunk != nullptr) free_pages(state.chunk, kChunkBytes);
    }
  }

  /// Fills `handles` with nodes whose read part is not constructed. Throws std::bad_alloc, or
  /// std::length_error at 2^31 nodes; then nothing was allocated.
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

  /// Memory on its way back to the system.
  class FreedChunks {
   public:
    FreedChunks() = default;
    FreedChunks(FreedChunks&&) noexcept = default;
    FreedChunks& operator=(FreedChunks&&) = delete;
    ~FreedChunks() {
      for (void* chunk : chunks_) free_pages(chunk, kChunkBytes);
    }
    [[nodiscard]] bool empty() const { return chunks_.empty(); }

   private:
    friend NodeSlab;
    std::vector<void*> chunks_;
  };

  /// Takes out the empty chunks, except one. Caller holds the maintenance lock and has drained all
  /// read events; it gives up the lock before it destroys the result, which takes a while.
  [[nodiscard]] FreedChunks trim() {
    const std::lock_guard lock(mutex_);
    FreedChunks freed;
    if (empty_chunks_ < 2) return freed;
    freed.chunks_.reserve(empty_chunks_);
    vacant_.reserve(vacant_.size() + empty_chunks_);
    for (std::uint32_t index = 0; empty_chunks_ > 1; ++index) {
      ChunkState& state = states_[index];
      if (state.chunk == nullptr || state.allocated != 0) continue;
      unlist(index);
      directory_.load(std::memory_order_relaxed)[index].store(nullptr, std::memory_order_release);
      freed.chunks_.push_back(state.chunk);
      state = ChunkState{};
      vacant_.push_back(index);
      --chunks_;
      --empty_chunks_;
    }
    return freed;
  }

  [[nodiscard]] bool mapped(Handle handle) const {
    const std::uint32_t index = handle >> kShift;
    return index < directory_size_.load(std::memory_order_acquire) &&
           directory_.load(std::memory_order_acquire)[index].load(std::memory_order_acquire);
  }

  [[nodiscard, gnu::always_inline]] Read& read_part(Handle handle) const {
    return chunk_of(handle).read[handle & kMask];
  }
  [[nodiscard, gnu::always_inline]] WritePart& write_part(Handle handle) const {
    return chunk_of(handle).write[handle & kMask];
  }

  // PolicyNodes.
  PolicyLinks& links(Handle handle) { return write_part(handle).policy; }
  [[nodiscard]] std::uint64_t hash(Handle handle) const { return write_part(handle).hash; }
  [[nodiscard]] std::uint32_t weight(Handle handle) const { return write_part(handle).weight; }

  [[nodiscard]] std::size_t memory_bytes() const {
    const std::lock_guard lock(mutex_);
    std::size_t bytes = chunks_ * kChunkBytes + states_.capacity() * sizeof(ChunkState) +
                        vacant_.capacity() * sizeof(std::uint32_t);
    for (std::size_t i = 0; i < directories_.size(); ++i) {
      bytes += (kFirstDirectory << i) * sizeof(std::atomic<Chunk*>);
    }
    return bytes;
  }

  [[nodiscard]] std::size_t allocated() const {
    const std::lock_guard lock(mutex_);
    return allocated_;
  }

  static constexpr std::size_t kNodeBytes = sizeof(Read) + sizeof(WritePart);

 private:
  /// About 64 KiB, at least 16 nodes.
  static constexpr std::size_t kNodes =
      std::bit_floor(std::max<std::size_t>(16, (std::size_t{64} << 10) / kNodeBytes));
  static constexpr std::uint32_t kShift = std::bit_width(kNodes) - 1;
  static constexpr Handle kMask = kNodes - 1;
  static constexpr std::uint32_t kMaxChunks = (std::uint32_t{1} << 31) >> kShift;
  static constexpr std::size_t kFirstDirectory = 64;

  /// Nodes are constructed when they are first allocated; before that the pages are untouched.
  struct Chunk {
    Read read[kNodes];
    WritePart write[kNodes];
  };
  static constexpr std::size_t kChunkBytes = round_up(sizeof(Chunk), kPageBytes);
  static_assert(alignof(Read) <= kPageBytes);

  /// Chunks with a free node are on a doubly linked list.
  struct ChunkState {
    Chunk* chunk = nullptr;
    std::uint32_t allocated = 0;
    std::uint32_t touched = 0;  ///< Nodes ever allocated; the others are untouched.
    Handle free = kNullHandle;  ///< Threaded through the write parts' wheel links.
    std::uint32_t prev = kNullHandle;
    std::uint32_t next = kNullHandle;
  };

  [[gnu::always_inline]] Chunk& chunk_of(Handle handle) const {
    return *directory_.load(std::memory_order_acquire)[handle >> kShift].load(
        std::memory_order_acquire);
  }

  Handle allocate_one() {
    if (available_ == kNullHandle) map_chunk();
    const std::uint32_t index = available_;
    ChunkState& state = states_[index];
    Handle handle = state.free;
    if (handle != kNullHandle) {
      WheelLinks& wheel = write_part(handle).wheel;
      state.free = std::exchange(wheel.next, kNullHandle);
    } else {
      handle = index << kShift | state.touched;
      std::construct_at(&state.chunk->write[state.touched++]);
    }
    if (state.allocated++ == 0) --empty_chunks_;
    if (state.allocated == kNodes) unlist(index);
    ++allocated_;
    return handle;
  }

  void release_one(Handle handle) {
    const std::uint32_t index = handle >> kShift;
    ChunkState& state = states_[index];
    write_part(handle).wheel.next = std::exchange(state.free, handle);
    if (state.allocated-- == kNodes) enlist(index);
    if (state.allocated == 0) ++empty_chunks_;
    --allocated_;
  }

  void map_chunk() {
    const bool reuse = !vacant_.empty();
    const auto index = reuse ? vacant_.back() : static_cast<std::uint32_t>(states_.size());
    if (index == kMaxChunks) throw std::length_error("cache: 2^31 nodes");
    if (!reuse) {
      vacant_.reserve(states_.size() + 1);
      if (index == directory_size_.load(std::memory_order_relaxed)) grow_directory();
      states_.emplace_back();
    }
    auto* chunk = static_cast<Chunk*>(allocate_pages(kChunkBytes));
    mark_vacant(chunk->read, sizeof chunk->read);
    if (reuse) vacant_.pop_back();
    states_[index].chunk = chunk;
    directory_.load(std::memory_order_relaxed)[index].store(chunk, std::memory_order_release);
    ++chunks_;
    ++empty_chunks_;
    enlist(index);
  }

  /// Old directories stay, because readers may be in them; together they are smaller than the last.
  void grow_directory() {
    const std::size_t old_size = directory_size_.load(std::memory_order_relaxed);
    const std::size_t size = old_size == 0 ? kFirstDirectory : 2 * old_size;
    auto grown = std::make_unique<std::atomic<Chunk*>[]>(size);
    for (std::size_t i = 0; i < old_size; ++i) grown[i] = states_[i].chunk;
    directories_.push_back(std::move(grown));
    directory_.store(directories_.back().get(), std::memory_order_release);
    directory_size_.store(size, std::memory_order_release);
  }

  void enlist(std::uint32_t index) {
    ChunkState& state = states_[index];
    state.prev = kNullHandle;
    state.next = available_;
    if (available_ != kNullHandle) states_[available_].prev = index;
    available_ = index;
  }

  void unlist(std::uint32_t index) {
    ChunkState& state = states_[index];
    (state.prev == kNullHandle ? available_ : states_[state.prev].next) = state.next;
    if (state.next != kNullHandle) states_[state.next].prev = state.prev;
  }

  /// Grown before they are published, so a reader that has a handle finds its chunk.
  std::atomic<std::atomic<Chunk*>*> directory_{nullptr};
  std::atomic<std::size_t> directory_size_{0};

  mutable typename Sync::Mutex mutex_;  ///< Guards all below.
  std::vector<std::unique_ptr<std::atomic<Chunk*>[]>> directories_;
  std::vector<ChunkState> states_;
  std::vector<std::uint32_t> vacant_;  ///< Indices of states without a chunk.
  std::uint32_t available_ = kNullHandle;
  std::size_t chunks_ = 0;
  std::size_t empty_chunks_ = 0;
  std::size_t allocated_ = 0;
};

}  // namespace llm_edge_cache::engine
