// Frames of format version 1, which nobody writes any more: read until the last has expired.
#pragma once

#include <string_view>

#include "base/key_digest.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache {

// Whether the frame, whose magic, version and lengths have been looked at, verifies under the key.
// kCorruptData where it does not.
[[nodiscard]] Status verify_entry_frame_v1(const KeyDigest& key, std::string_view frame);

}  // namespace llm_edge_cache
