// A range of addresses of which a growing front part is memory: an array that grows in place, so
// that readers need no table of its pieces.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <new>

#include "llm_edge_cache/engine/platform.hpp"

namespace llm_edge_cache::engine {

/// Not thread-safe, except that memory once grown may be used at any time.
class AddressRange {
 public:
  /// Reserves up to `bytes` addresses, or half as many, and so on down to `least_bytes`, where the
  /// system refuses more (ulimit -v). Throws std::bad_alloc.
  AddressRange(std::size_t bytes, std::size_t least_bytes) {
    for (std::size_t wanted = round_up(bytes, kPageBytes);;
         wanted = round_up(wanted / 2, kPageBytes)) {
      void* start = ::mmap(nullptr, wanted, PROT_NONE, kFlags, -1, 0);
      if (start != MAP_FAILED) {
        start_ = static_cast<std::byte*>(start);
        reserved_bytes_ = wanted;
        return;
      }
      if (wanted <= least_bytes) throw std::bad_alloc();
    }
  }

  ~AddressRange() {
    mark_occupied(start_, grown_bytes_);
    ::munmap(start_, reserved_bytes_);
  }
  AddressRange(const AddressRange&) = delete;
  AddressRange& operator=(const AddressRange&) = delete;

  [[nodiscard]] std::byte* start() const { return start_; }
  [[nodiscard]] std::size_t reserved_bytes() const { return reserved_bytes_; }

  /// Makes at least the first `bytes` usable; what is new is zero. Throws std::bad_alloc; then
  /// nothing changed.
  void grow(std::size_t bytes) {
    if (bytes <= grown_bytes_) return;
    if (bytes > reserved_bytes_) throw std::bad_alloc();
    const std::size_t ahead = std::clamp(bytes / 8, kLeastStepBytes, kMostStepBytes);
    const std::size_t target = std::min(round_up(bytes + ahead, kPageBytes), reserved_bytes_);
    if (::mprotect(start_ + grown_bytes_, target - grown_bytes_, PROT_READ | PROT_WRITE) != 0) {
      throw std::bad_alloc();
    }
    grown_bytes_ = target;
  }

  /// Gives the memory of whole pages back to the system; they stay usable and read as zero.
  void give_back(std::size_t offset, std::size_t bytes) const noexcept {
    empty_pages(start_ + offset, bytes);
  }

 private:
#ifdef MAP_NORESERVE
  static constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
#else
  static constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS;
#endif
  // A system call for each step; pages are memory only when they are touched.
  static constexpr std::size_t kLeastStepBytes = std::size_t{64} << 10U;
  static constexpr std::size_t kMostStepBytes = std::size_t{64} << 20U;

  std::byte* start_ = nullptr;
  std::size_t reserved_bytes_ = 0;
  std::size_t grown_bytes_ = 0;
};

}  // namespace llm_edge_cache::engine
