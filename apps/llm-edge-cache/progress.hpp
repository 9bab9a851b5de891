// How far a command is, on a terminal: one line of standard error that is written over.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace llm_edge_cache::app {

// Lines, or bytes where these are 0. Both 0: nobody knows how much there will be.
struct ProgressTotal {
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;
};

// "sent [#####---------------]  25 %, 10 entries, 0.1 MB"; without a total there is no bar. A total
// may be a guess: what goes beyond it is still 100 %.
[[nodiscard]] std::string progress_line(std::string_view what, std::uint64_t lines,
                                        std::uint64_t bytes, const ProgressTotal& total);

// Silent where standard error is not a terminal. Not thread-safe.
class Progress {
 public:
  // `what` goes before the numbers, such as "exported"; it outlives the progress.
  explicit Progress(std::string_view what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  [[nodiscard]] bool is_shown() const { return is_shown_; }
  void expect(const ProgressTotal& total) { total_ = total; }
  void add(std::uint64_t lines, std::uint64_t bytes);
  [[nodiscard]] std::uint64_t lines() const { return lines_; }

 private:
  void show();

  const std::string_view what_;
  const bool is_shown_;
  std::chrono::steady_clock::time_point next_ = {};
  ProgressTotal total_;
  std::uint64_t lines_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace llm_edge_cache::app
