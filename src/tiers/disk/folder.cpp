#include "tiers/disk/folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

#include "tiers/disk/disk_path.hpp"

namespace llm_edge_cache::disk {
namespace {

constexpr std::string_view kMarkerText = "llm-edge-cache disk cache, format 1\n";

Error io_error(const std::filesystem::path& path, std::string_view what, int error) {
  return {ErrorCode::kIo, "disk: cannot " + std::string(what) + " '" + path.string() +
                              "': " + std::system_category().message(error)};
}

Status make_folder(const std::filesystem::path& path) {
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  if (::mkdir(path.c_str(), S_IRWXU) == 0 || errno == EEXIST) return {};
  return io_error(path, "make the folder", errno);
}

// An empty marker is one whose process died before it had written the text.
Status write_marker(int marker, const std::filesystem::path& file) {
  struct stat info{};
  if (::fstat(marker, &info) != 0) return io_error(file, "look at", errno);
  if (info.st_size != 0) return {};
  const auto written = ::write(marker, kMarkerText.data(), kMarkerText.size());
  if (written == static_cast<ssize_t>(kMarkerText.size())) return {};
  return io_error(file, "write", written < 0 ? errno : ENOSPC);
}

}  // namespace

Status check_marker(const std::filesystem::path& path) {
  const auto file = path / kMarkerFile;
  const int marker = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (marker < 0) return {};
  std::array<char, kMarkerText.size() + 1> text{};
  const auto size = ::read(marker, text.data(), text.size());
  ::close(marker);
  if (size < 0) return {};
  const std::string_view found(text.data(), static_cast<std::size_t>(size));
  // A prefix of the text: a process that died, or whose disk was full, when it made the folder.
  if (kMarkerText.starts_with(found)) return {};
  return Error{ErrorCode::kInvalidArgument,
               "disk: '" + file.string() + "' is not of a format that this build knows"};
}

Result<Folder> Folder::acquire(const std::filesystem::path& path) {
  if (Status valid = check_folder(path); !valid) return valid.error();
  if (Status made = make_folder(path); !made) return made.error();
  const auto file = path / kMarkerFile;
  Folder folder(path, ::open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (folder.marker_ < 0) return io_error(file, "open", errno);
  if (::flock(folder.marker_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return io_error(file, "lock", errno);
    return Error{ErrorCode::kUnavailable,
                 "disk: another process holds the folder '" + path.string() + "'"};
  }
  if (Status written = write_marker(folder.marker_, file); !written) return written.error();
  return folder;
}

Folder::~Folder() {
  if (marker_ >= 0) ::close(marker_);
}

}  // namespace llm_edge_cache::disk
