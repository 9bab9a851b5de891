#include "line_reader.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace llm_edge_cache::app {

namespace {

constexpr std::size_t kReadBytes = 256U << 10U;

template <class Owner>
gzFile as_gz(const Owner& file) {
  return static_cast<gzFile>(file.get());
}

}  // namespace

void LineReader::Close::operator()(void* file) const {
  gzclose_r(static_cast<gzFile>(file));
}

Result<LineReader> LineReader::open(const std::string& path) {
  if (std::filesystem::is_directory(path)) {
    return Error{ErrorCode::kIo, fmt::format("{}: is a directory", path)};
  }
  auto* file = gzopen(path.c_str(), "rb");
  if (file == nullptr) {
    return Error{ErrorCode::kIo, fmt::format("{}: {}", path, std::strerror(errno))};
  }
  return LineReader(path, file);
}

std::string LineReader::position() const {
  return fmt::format("{}:{}", path_, line_number_);
}

Result<bool> LineReader::fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  buffer_.resize(std::max(buffer_.size(), end_ + kReadBytes));
  const int got = gzread(as_gz(file_), buffer_.data() + end_, kReadBytes);
  int code = Z_OK;
  const char* message = gzerror(as_gz(file_), &code);
  // A gzip file that was cut reads as far as it goes, with a complaint.
  if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) {
    return Error{ErrorCode::kIo, fmt::format("{}: {}", path_, message)};
  }
  end_ += static_cast<std::size_t>(got);
  return got > 0;
}

Result<std::optional<std::string_view>> LineReader::next() {
  std::size_t searched = begin_;
  ++line_number_;
  while (true) {
    const std::string_view unread(buffer_.data() + searched, end_ - searched);
    if (const auto at = unread.find('\n'); at != std::string_view::npos) {
      std::string_view line(buffer_.data() + begin_, searched + at - begin_);
      begin_ = searched + at + 1;
      if (line.ends_with('\r')) line.remove_suffix(1);
      return std::optional(line);
    }
    const auto held = end_ - begin_;
    if (held > kMaxLineBytes) {
      return Error{ErrorCode::kTooLarge,
                   fmt::format("{}: over {} bytes in a line", position(), kMaxLineBytes)};
    }
    const auto more = fill();
    if (!more) return more.error();
    searched = begin_ + held;
    if (*more) continue;
    if (held == 0) return std::optional<std::string_view>();
    begin_ = end_;
    return std::optional(std::string_view(buffer_.data() + end_ - held, held));
  }
}

}  // namespace llm_edge_cache::app
