// The folder that disk:PATH names.
#pragma once

#include <filesystem>
#include <string_view>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::disk {

[[nodiscard]] bool is_disk_url(std::string_view url);

// PATH may be relative to the working directory; nothing in it is expanded or decoded.
// kInvalidArgument where it is empty.
[[nodiscard]] Result<std::filesystem::path> parse_disk_url(std::string_view url);

// kInvalidArgument where `path` can never become a cache's folder: it is a file, it holds somebody
// else's files, or a cache of a format that this build does not know. Ok where it does not exist
// yet, or cannot be looked into now. Changes nothing.
[[nodiscard]] Status check_folder(const std::filesystem::path& path);

}  // namespace llm_edge_cache::disk
