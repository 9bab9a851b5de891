#include "trace_file.hpp"

#include <zlib.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <utility>

namespace llm_edge_cache::bench {

namespace {

/// Takes the file's bytes in pieces of any size.
class KeyParser {
 public:
  void feed(char c) {
    if (c >= '0' && c <= '9') {
      key_ = key_ * 10 + static_cast<std::uint64_t>(c - '0');
      in_key_ = true;
    } else if (c == '\n') {
      end_line();
    } else if (c != '\r') {
      throw std::runtime_error("line " + std::to_string(line_) + " is not a decimal key");
    }
  }

  std::vector<std::uint64_t> finish() {
    end_line();
    return std::move(keys_);
  }

 private:
  void end_line() {
    if (in_key_) keys_.push_back(key_);
    key_ = 0;
    in_key_ = false;
    ++line_;
  }

  std::vector<std::uint64_t> keys_;
  std::uint64_t key_ = 0;
  std::size_t line_ = 1;
  bool in_key_ = false;
};

struct GzClose {
  void operator()(gzFile_s* file) const { gzclose(file); }
};

}  // namespace

std::vector<std::uint64_t> read_trace(const std::filesystem::path& file) {
  const std::unique_ptr<gzFile_s, GzClose> gz(gzopen(file.c_str(), "rb"));
  if (!gz) throw std::runtime_error("cannot open " + file.string());
  KeyParser parser;
  std::array<char, 1 << 16> buffer;
  try {
    while (true) {
      const int n = gzread(gz.get(), buffer.data(), static_cast<unsigned>(buffer.size()));
      if (n < 0) throw std::runtime_error("damaged gzip data");
      if (n == 0) return parser.finish();
      for (int i = 0; i < n; ++i) parser.feed(buffer[static_cast<std::size_t>(i)]);
    }
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(file.string() + ": " + error.what());
  }
}

std::optional<std::filesystem::path> trace_directory(const std::filesystem::path& source_dir) {
  const char* named = std::getenv("LEC_TRACES");
  std::filesystem::path directory =
      named != nullptr ? std::filesystem::path(named) : source_dir / ".." / "shared" / "traces";
  if (!std::filesystem::exists(directory / "README.md")) return std::nullopt;
  return directory;
}

}  // namespace llm_edge_cache::bench
