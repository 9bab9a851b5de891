// Lines of a text file, plain or gzip: zlib tells them apart.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::app {

// Not thread-safe.
class LineReader {
 public:
  static constexpr std::size_t kMaxLineBytes = 16U << 20U;

  // kIo where the file cannot be opened.
  [[nodiscard]] static Result<LineReader> open(const std::string& path);

  // The next line without its end (LF or CRLF), valid until the next call; empty at the end of the
  // file. kIo for a file that cannot be read on, a cut gzip file among them; kTooLarge for a line
  // over kMaxLineBytes.
  [[nodiscard]] Result<std::optional<std::string_view>> next();

  // Of the line that next() returned last, from 1.
  [[nodiscard]] std::size_t line_number() const { return line_number_; }
  // "FILE:LINE".
  [[nodiscard]] std::string position() const;

 private:
  struct Close {
    void operator()(void* file) const;
  };

  LineReader(std::string path, void* file) : path_(std::move(path)), file_(file) {}
  // False at the end of the file.
  Result<bool> fill();

  std::string path_;
  std::unique_ptr<void, Close> file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t line_number_ = 0;
};

}  // namespace llm_edge_cache::app
