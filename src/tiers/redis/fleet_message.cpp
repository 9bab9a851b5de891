#include "tiers/redis/fleet_message.hpp"

#include <algorithm>
#include <cstring>

#include "base/random.hpp"

namespace llm_edge_cache::redis {
namespace {

constexpr std::string_view kMagic = "lecf";
constexpr char kVersion = 1;
constexpr std::size_t kVersionAt = 4;
constexpr std::size_t kKindAt = 5;
constexpr std::size_t kSenderAt = 6;
constexpr std::size_t kHeaderBytes = kSenderAt + sizeof(NodeId);
constexpr std::size_t kKeyBytes = sizeof(KeyDigest);

Error corrupt(const char* why) {
  return {ErrorCode::kCorruptData, why};
}

}  // namespace

NodeId make_node_id() {
  NodeId id{};
  fill_random(id);
  return id;
}

std::string encode_fleet_message(const NodeId& sender, FleetMessage::Kind kind,
                                 std::span<const KeyDigest> keys) {
  std::string bytes;
  bytes.reserve(kHeaderBytes + keys.size() * kKeyBytes);
  bytes.append(kMagic);
  bytes.push_back(kVersion);
  bytes.push_back(static_cast<char>(kind));
  bytes.append(reinterpret_cast<const char*>(sender.data()), sender.size());
  for (const KeyDigest& key : keys) bytes.append(key.view());
  return bytes;
}

Result<FleetMessage> decode_fleet_message(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return corrupt("shorter than a fleet message");
  if (!bytes.starts_with(kMagic)) return corrupt("not a fleet message");
  FleetMessage message;
  std::memcpy(message.sender.data(), bytes.data() + kSenderAt, message.sender.size());
  const auto kind = static_cast<std::uint8_t>(bytes[kKindAt]);
  const bool is_known = bytes[kVersionAt] == kVersion && kind >= 1 && kind <= 4;
  if (!is_known) return message;
  message.kind = static_cast<FleetMessage::Kind>(kind);
  const std::string_view keys = bytes.substr(kHeaderBytes);
  const std::size_t count = keys.size() / kKeyBytes;
  if (keys.size() % kKeyBytes != 0) return corrupt("a fleet message with a part of a key");
  if ((count == 0) != (message.kind == FleetMessage::Kind::kAll)) {
    return corrupt("a fleet message with a number of keys that its kind cannot have");
  }
  if (count > FleetMessage::kMaxKeys) return corrupt("a fleet message with too many keys");
  message.keys.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(message.keys[i].bytes.data(), keys.data() + i * kKeyBytes, kKeyBytes);
  }
  return message;
}

}  // namespace llm_edge_cache::redis
