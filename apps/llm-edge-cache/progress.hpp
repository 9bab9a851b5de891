// How far a command is, on a terminal: one line of standard error that is written over.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace llm_edge_cache::app {

// Silent where standard error is not a terminal. Not thread-safe.
class Progress {
 public:
  // `what` goes before the numbers, such as "exported"; it outlives the progress.
  explicit Progress(std::string_view what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void add(std::uint64_t lines, std::uint64_t bytes);
  [[nodiscard]] std::uint64_t lines() const { return lines_; }

 private:
  void show();

  const std::string_view what_;
  const bool is_shown_;
  std::chrono::steady_clock::time_point next_ = {};
  std::uint64_t lines_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace llm_edge_cache::app
