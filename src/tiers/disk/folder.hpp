// A cache's folder, held by one process at a time.
//
//   PATH/llm-edge-cache   marks the folder as ours and carries the lock
//   PATH/entries/         the database; nothing outside of it is ever deleted
#pragma once

#include <filesystem>
#include <string_view>
#include <utility>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::disk {

inline constexpr std::string_view kMarkerFile = "llm-edge-cache";

// kInvalidArgument where the marker is not one of this format; ok where it cannot be read.
[[nodiscard]] Status check_marker(const std::filesystem::path& path);

class Folder {
 public:
  // Makes the folder, 0700, and its marker where they are missing, and takes the lock, which ends
  // with the object or the process, however it dies. kUnavailable where another process (or another
  // tier of this one) holds it, kIo where the system refuses, kInvalidArgument as check_folder().
  [[nodiscard]] static Result<Folder> acquire(const std::filesystem::path& path);

  Folder(Folder&& other) noexcept
      : path_(std::move(other.path_)), marker_(std::exchange(other.marker_, -1)) {}
  Folder& operator=(Folder&&) = delete;
  ~Folder();

  [[nodiscard]] std::filesystem::path database() const { return path_ / "entries"; }

 private:
  Folder(std::filesystem::path path, int marker) : path_(std::move(path)), marker_(marker) {}

  std::filesystem::path path_;
  int marker_;
};

}  // namespace llm_edge_cache::disk
