// What the engine asks of the machine: cache lines, pages that go back to the system when freed,
// and marks for the address sanitizer on storage that is allocated but holds no object.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define LEC_ENGINE_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define LEC_ENGINE_TSAN 1
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEC_ENGINE_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define LEC_ENGINE_TSAN 1
#endif
#endif

#ifdef LEC_ENGINE_ASAN
#include <sanitizer/asan_interface.h>
#endif
#ifdef __linux__
#include <sys/mman.h>
#endif

namespace llm_edge_cache::engine {

inline constexpr std::size_t kCacheLineBytes = 64;
inline constexpr std::size_t kPageBytes = 4096;

/// Marks storage that holds no object: AddressSanitizer reports every access to it.
inline void mark_vacant([[maybe_unused]] const void* storage, [[maybe_unused]] std::size_t bytes) {
#ifdef LEC_ENGINE_ASAN
  __asan_poison_memory_region(storage, bytes);
#endif
}

inline void mark_occupied([[maybe_unused]] const void* storage,
                          [[maybe_unused]] std::size_t bytes) {
#ifdef LEC_ENGINE_ASAN
  __asan_unpoison_memory_region(storage, bytes);
#endif
}

/// Zeroed, page-aligned memory that `free_pages` gives back to the system at once, which a general
/// allocator does not promise. `bytes` is a multiple of kPageBytes. Throws std::bad_alloc.
inline void* allocate_pages(std::size_t bytes) {
#ifdef __linux__
  void* pages = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
#else
  void* pages = std::aligned_alloc(kPageBytes, bytes);
  if (pages == nullptr) throw std::bad_alloc();
  __builtin_memset(pages, 0, bytes);
#endif
  return pages;
}

inline void free_pages(void* pages, [[maybe_unused]] std::size_t bytes) noexcept {
  mark_occupied(pages, bytes);
#ifdef __linux__
  ::munmap(pages, bytes);
#else
  std::free(pages);
#endif
}

/// Gives the memory of whole pages back while their addresses stay usable; they read as zero.
inline void empty_pages(void* pages, std::size_t bytes) noexcept {
#ifdef __linux__
  ::madvise(pages, bytes, MADV_DONTNEED);
#else
  __builtin_memset(pages, 0, bytes);
#endif
}

constexpr std::size_t round_up(std::size_t value, std::size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace llm_edge_cache::engine
