// What processes that share a store tell each other, as bytes (docs/format.md, "Fleet messages").
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/key_digest.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::redis {

// Of a process: random, made anew with every start.
using NodeId = std::array<std::uint8_t, 16>;
[[nodiscard]] NodeId make_node_id();

struct FleetMessage {
  enum class Kind : std::uint8_t {
    kChanged = 1,    // the store's answers under the keys were written or removed
    kAll = 2,        // so was everything; no keys
    kLanded = 3,     // the store has the answers that leases were taken for
    kNotStored = 4,  // the leases of the keys ended, and no answer will come
  };
  static constexpr std::size_t kMaxKeys = 1'024;

  NodeId sender{};
  Kind kind = Kind::kAll;
  std::vector<KeyDigest> keys{};

  friend bool operator==(const FleetMessage&, const FleetMessage&) = default;
};

// At most kMaxKeys, at least one but for kAll.
[[nodiscard]] std::string encode_fleet_message(const NodeId& sender, FleetMessage::Kind kind,
                                               std::span<const KeyDigest> keys);

// kCorruptData for what is not a message. One of ours in a version or of a kind that we do not know
// is kAll: whatever it says, it may be about anything.
[[nodiscard]] Result<FleetMessage> decode_fleet_message(std::string_view bytes);

}  // namespace llm_edge_cache::redis
