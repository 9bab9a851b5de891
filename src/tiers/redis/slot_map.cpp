#include "tiers/redis/slot_map.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

namespace llm_edge_cache::redis {
namespace {

Error not_slots() {
  return {ErrorCode::kProtocol, "redis: the answer is not one of CLUSTER SLOTS"};
}

// Walks over the nodes of a reply, depth first.
class Reader {
 public:
  explicit Reader(RespReply reply) : left_(reply) {}

  const RespNode* next() {
    if (left_.empty()) return nullptr;
    const RespNode* const node = &left_.front();
    left_ = left_.subspan(1);
    return node;
  }
  std::optional<std::int64_t> array() {
    const RespNode* const node = next();
    if (node == nullptr || node->type != RespType::kArray) return std::nullopt;
    return node->integer;
  }
  std::optional<std::int64_t> integer() {
    const RespNode* const node = next();
    if (node == nullptr || node->type != RespType::kInteger) return std::nullopt;
    return node->integer;
  }
  // What lies deeper than `depth`.
  void skip_below(std::uint32_t depth) {
    while (!left_.empty() && left_.front().depth > depth) left_ = left_.subspan(1);
  }

 private:
  RespReply left_;
};

// [host, port, id, [metadata]]; a port of 0 in the result: the node is of no use.
std::optional<ServerAddress> read_node(Reader& reader, const ServerAddress& from) {
  constexpr std::uint32_t kDepth = 2;
  const auto fields = reader.array();
  if (!fields || *fields < 2) return std::nullopt;
  const RespNode* const host = reader.next();
  if (host == nullptr) return std::nullopt;
  const auto port = reader.integer();
  if (!port || *port < 0 || *port > 0xFFFF) return std::nullopt;
  reader.skip_below(kDepth);
  ServerAddress address{from.host, static_cast<std::uint16_t>(*port)};
  if (host->type == RespType::kBulkString) {
    if (host->text == "?") address.port = 0;
    if (!host->text.empty()) address.host = host->text;
  } else if (host->type != RespType::kNull) {
    return std::nullopt;
  }
  return address;
}

}  // namespace

Result<SlotMap> SlotMap::parse(RespReply reply, const ServerAddress& from) {
  SlotMap map;
  Reader reader(reply);
  const auto ranges = reader.array();
  if (!ranges) return not_slots();
  for (std::int64_t range = 0; range < *ranges; ++range) {
    const auto fields = reader.array();
    const auto first = reader.integer();
    const auto last = reader.integer();
    if (!fields || *fields < 3 || !first || !last || *first < 0 || *first > *last ||
        *last >= kClusterSlots) {
      return not_slots();
    }
    Shard shard;
    for (std::int64_t i = 0; i < *fields - 2; ++i) {
      auto node = read_node(reader, from);
      if (!node) return not_slots();
      if (i == 0) {
        shard.primary = std::move(*node);
      } else if (node->port != 0) {
        shard.replicas.push_back(std::move(*node));
      }
    }
    if (shard.primary.port == 0) continue;
    const std::uint16_t index = map.shard_with(shard.primary);
    if (index == kNoShard) return not_slots();
    map.shards_[index].replicas = std::move(shard.replicas);
    std::fill(map.shard_of_.begin() + *first, map.shard_of_.begin() + *last + 1, index);
  }
  map.sort_shards();
  return map;
}

void SlotMap::sort_shards() {
  std::vector<std::uint16_t> order(shards_.size());
  std::iota(order.begin(), order.end(), std::uint16_t{0});
  std::sort(order.begin(), order.end(), [this](std::uint16_t a, std::uint16_t b) {
    return shards_[a].primary < shards_[b].primary;
  });
  std::vector<Shard> sorted;
  std::vector<std::uint16_t> place(shards_.size());
  for (const std::uint16_t index : order) {
    place[index] = static_cast<std::uint16_t>(sorted.size());
    sorted.push_back(std::move(shards_[index]));
    std::sort(sorted.back().replicas.begin(), sorted.back().replicas.end());
  }
  shards_ = std::move(sorted);
  for (std::uint16_t& shard : shard_of_) {
    if (shard != kNoShard) shard = place[shard];
  }
}

bool SlotMap::move(std::uint16_t slot, const ServerAddress& primary) {
  const std::uint16_t index = shard_with(primary);
  if (index == kNoShard || shard_of_[slot] == index) return false;
  shard_of_[slot] = index;
  return true;
}

bool SlotMap::covers_all() const {
  return std::find(shard_of_.begin(), shard_of_.end(), kNoShard) == shard_of_.end();
}

std::uint16_t SlotMap::shard_with(const ServerAddress& primary) {
  const auto found = std::find_if(shards_.begin(), shards_.end(),
                                  [&](const Shard& shard) { return shard.primary == primary; });
  if (found == shards_.end() && shards_.size() >= kMaxShards) return kNoShard;
  const auto index = static_cast<std::uint16_t>(found - shards_.begin());
  if (found == shards_.end()) shards_.push_back({primary, {}});
  return index;
}

}  // namespace llm_edge_cache::redis
