// Key traces: one decimal key a line, gzip or plain.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace llm_edge_cache::bench {

/// Throws std::runtime_error that names the file and, where a line is no key, the line.
[[nodiscard]] std::vector<std::uint64_t> read_trace(const std::filesystem::path& file);

/// LEC_TRACES, else ../shared/traces beside `source_dir`; empty if it has no README.md.
[[nodiscard]] std::optional<std::filesystem::path> trace_directory(
    const std::filesystem::path& source_dir);

}  // namespace llm_edge_cache::bench
