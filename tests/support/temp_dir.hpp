// A folder of its own for a test, removed with all it holds.
#pragma once

#include <filesystem>

namespace llm_edge_cache::test {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace llm_edge_cache::test
