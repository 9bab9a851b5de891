#include "observability/log_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace llm_edge_cache::observability {
namespace {

constexpr int kReadableByWhomTheMaskLets = 0666;

Error io_error(std::string_view what, const std::string& path, int number) {
  std::string message(what);
  message.append(" ").append(path).append(": ").append(std::generic_category().message(number));
  return {ErrorCode::kIo, std::move(message)};
}

Result<int> open_to_append(const std::string& path) {
  std::error_code ignored;  // opening says what is wrong
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  // A pipe that nobody reads is an error, where it would hold up whoever opens it.
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
             kReadableByWhomTheMaskLets);
  if (descriptor < 0) return io_error("cannot open", path, errno);
  ::fcntl(descriptor, F_SETFL, O_APPEND);
  return descriptor;
}

// How many of the bytes went; fewer than all leave errno.
std::size_t write_whole(int descriptor, std::string_view bytes) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const auto count = ::write(descriptor, bytes.data() + written, bytes.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    written += static_cast<std::size_t>(count);
  }
  return written;
}

}  // namespace

Result<std::unique_ptr<LogFile>> LogFile::open(std::string path) {
  const auto descriptor = open_to_append(path);
  if (!descriptor) return descriptor.error();
  return std::unique_ptr<LogFile>(new LogFile(std::move(path), *descriptor));
}

LogFile::~LogFile() {
  ::close(descriptor_);
}

Status LogFile::append(std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (is_torn_ && write_whole(descriptor_, "\n") == 0)
    return io_error("cannot write", path_, errno);
  const auto written = write_whole(descriptor_, line);
  is_torn_ = written > 0 && written < line.size();
  return written == line.size() ? Status() : Status(io_error("cannot write", path_, errno));
}

Status LogFile::reopen() {
  const auto opened = open_to_append(path_);
  if (!opened) return opened.error();
  int former = *opened;
  {
    const std::lock_guard lock(mutex_);
    std::swap(descriptor_, former);
    is_torn_ = false;
  }
  ::close(former);
  return {};
}

}  // namespace llm_edge_cache::observability
