// A LogFile as a sink of spdlog: that library's own lets go of its file before it opens the next.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "observability/log_file.hpp"

namespace llm_edge_cache::observability {

// Thread-safe.
class FileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FileSink(std::unique_ptr<LogFile> file) : file_(std::move(file)) {}

  // The file has a lock of its own: opening it holds up no line.
  Status reopen() { return file_->reopen(); }
  // Lines that the file did not take.
  [[nodiscard]] std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    const auto status = file_->append({line.data(), line.size()});
    if (status.ok()) return;
    lost_.fetch_add(1, std::memory_order_relaxed);
    throw spdlog::spdlog_ex(status.error().message);  // the logger says so, once a second at most
  }
  void flush_() override {}

  const std::unique_ptr<LogFile> file_;
  std::atomic<std::uint64_t> lost_ = 0;
};

}  // namespace llm_edge_cache::observability
