// A file that lines are appended to, and that is opened anew by its name when it has been moved
// away. A line is whole in one file or the other.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::observability {

// Thread-safe.
class LogFile {
 public:
  // Makes the file, and the folders that it is in, where there are none. kIo names the path.
  [[nodiscard]] static Result<std::unique_ptr<LogFile>> open(std::string path);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // kIo where not all of the line could be written; the next one then begins on a line of its own.
  [[nodiscard]] Status append(std::string_view line);
  // From then on lines go to what the path names now. kIo names the path; they go on to the file
  // that is open then.
  [[nodiscard]] Status reopen();

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  LogFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

  const std::string path_;
  std::mutex mutex_;
  int descriptor_;        // guarded by mutex_, as is the next
  bool is_torn_ = false;  // the file ends within a line
};

}  // namespace llm_edge_cache::observability
