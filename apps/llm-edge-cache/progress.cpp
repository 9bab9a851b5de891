#include "progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace llm_edge_cache::app {

namespace {

constexpr std::chrono::milliseconds kPeriod{200};

}  // namespace

Progress::Progress(std::string_view what) : what_(what), is_shown_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (!is_shown_) return;
  show();
  fmt::print(stderr, "\n");
}

void Progress::add(std::uint64_t lines, std::uint64_t bytes) {
  lines_ += lines;
  bytes_ += bytes;
  const auto now = std::chrono::steady_clock::now();
  if (!is_shown_ || now < next_) return;
  next_ = now + kPeriod;
  show();
}

void Progress::show() {
  fmt::print(stderr, "\r{} {} entries, {:.1f} MB", what_, lines_,
             static_cast<double>(bytes_) / 1e6);
  std::fflush(stderr);
}

}  // namespace llm_edge_cache::app
