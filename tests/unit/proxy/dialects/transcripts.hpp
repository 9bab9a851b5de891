// The recorded transcripts of tests/golden/dialects/: one answer as a stream and as a body, the way
// its provider writes them.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <string>
#include <vector>

#include "proxy/dialects/dialects.hpp"

namespace llm_edge_cache::proxy::test {

struct Transcript {
  std::string endpoint;  // the folder
  std::string name;
  std::string stream;
  std::string body;
};

inline void PrintTo(const Transcript& transcript, std::ostream* out) {
  *out << transcript.endpoint << "/" << transcript.name;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::vector<Transcript> all_transcripts() {
  std::vector<Transcript> all;
  const std::filesystem::path root = std::string(LEC_SOURCE_DIR) + "/tests/golden/dialects";
  for (const auto& file : std::filesystem::recursive_directory_iterator(root)) {
    if (file.path().extension() == ".sse") {
      auto body = file.path();
      body.replace_extension(".json");
      all.push_back({file.path().parent_path().filename().string(), file.path().stem().string(),
                     read_file(file.path()), read_file(body)});
    }
  }
  return all;
}

inline const Dialect& dialect_of(const Transcript& transcript) {
  static const Dialects kDialects;
  const auto path =
      "/v1/" + (transcript.endpoint == "chat" ? "chat/completions" : transcript.endpoint);
  return *kDialects.find("POST", path);
}

}  // namespace llm_edge_cache::proxy::test
