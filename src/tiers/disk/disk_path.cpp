#include "tiers/disk/disk_path.hpp"

#include <string>
#include <system_error>

#include "tiers/disk/folder.hpp"

namespace llm_edge_cache::disk {
namespace {

constexpr std::string_view kScheme = "disk:";
// What a file system of its own has at its root.
constexpr std::string_view kLostAndFound = "lost+found";

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, "disk: " + std::move(message)};
}

bool holds_nothing(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::directory_iterator entry(path, error);
  if (error) return true;  // cannot be looked into: opening it will tell why
  for (; entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (error) return true;
    if (entry->path().filename() != kLostAndFound) return false;
  }
  return true;
}

}  // namespace

bool is_disk_url(std::string_view url) {
  return url.starts_with(kScheme);
}

Result<std::filesystem::path> parse_disk_url(std::string_view url) {
  if (!is_disk_url(url)) return invalid("the URL must be disk:PATH");
  const auto path = url.substr(kScheme.size());
  if (path.empty()) return invalid("the path is missing (disk:PATH)");
  if (path.find('\0') != std::string_view::npos) return invalid("the path holds a zero byte");
  return std::filesystem::path(path);
}

Status check_folder(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return {};
  if (!std::filesystem::is_directory(status)) {
    return invalid("'" + path.string() + "' is not a folder");
  }
  if (std::filesystem::exists(path / kMarkerFile, error)) return check_marker(path);
  if (error || holds_nothing(path)) return {};
  return invalid("the folder '" + path.string() +
                 "' holds files that are not this cache's; name an empty one");
}

}  // namespace llm_edge_cache::disk
