// What the kernel says about a process.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace llm_edge_cache::test {

[[nodiscard]] inline std::size_t resident_bytes(pid_t pid) {
  std::ifstream statm("/proc/" + std::to_string(pid) + "/statm");
  std::size_t total_pages = 0;
  std::size_t resident_pages = 0;
  if (!(statm >> total_pages >> resident_pages)) throw std::runtime_error("no such process");
  return resident_pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// Holds what a process has grown by against a bound. Under a sanitizer it only says it: there the
// memory is mostly shadow, and what was freed on purpose.
inline void expect_grown_less(std::size_t bytes, std::size_t bound) {
#ifdef LEC_IS_SANITIZED
  std::printf("not judged under a sanitizer: %zu bytes, bound %zu\n", bytes, bound);
#else
  EXPECT_LT(bytes, bound);
#endif
}

[[nodiscard]] inline std::size_t grown_since(std::size_t before, pid_t pid) {
  const auto now = resident_bytes(pid);
  return std::max(now, before) - before;
}

[[nodiscard]] inline std::size_t open_files(pid_t pid) {
  const std::filesystem::directory_iterator files("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

}  // namespace llm_edge_cache::test
