// The slot of a key in a Redis Cluster.
#pragma once

#include <cstdint>
#include <string_view>

namespace llm_edge_cache::redis {

inline constexpr std::uint16_t kClusterSlots = 16'384;

// CRC-16/XMODEM of the key, or of its first non-empty {hash tag}, modulo the number of slots
// (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/).
[[nodiscard]] std::uint16_t key_slot(std::string_view key);

}  // namespace llm_edge_cache::redis
