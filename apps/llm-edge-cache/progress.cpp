#include "progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace llm_edge_cache::app {

namespace {

constexpr std::chrono::milliseconds kPeriod{200};
constexpr std::size_t kBarWidth = 20;

// Between 0 and 1; below 0 where it cannot be told.
double share_done(std::uint64_t lines, std::uint64_t bytes, const ProgressTotal& total) {
  const auto done = static_cast<double>(total.lines > 0 ? lines : bytes);
  const auto all = static_cast<double>(total.lines > 0 ? total.lines : total.bytes);
  return all > 0 ? std::min(done / all, 1.0) : -1;
}

}  // namespace

std::string progress_line(std::string_view what, std::uint64_t lines, std::uint64_t bytes,
                          const ProgressTotal& total) {
  std::string line(what);
  if (const double share = share_done(lines, bytes, total); share >= 0) {
    const auto filled = static_cast<std::size_t>(share * kBarWidth);
    line += fmt::format(" [{}{}] {:3.0f} %,", std::string(filled, '#'),
                        std::string(kBarWidth - filled, '-'), std::floor(share * 100));
  }
  return line + fmt::format(" {} entries, {:.1f} MB", lines, static_cast<double>(bytes) / 1e6);
}

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
  fmt::print(stderr, "\r{}", progress_line(what_, lines_, bytes_, total_));
  std::fflush(stderr);
}

}  // namespace llm_edge_cache::app
