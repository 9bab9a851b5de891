// Which nodes of a cluster serve which slots.
//
// A value: made from the answer to CLUSTER SLOTS, corrected by what MOVED tells. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "llm_edge_cache/result.hpp"
#include "tiers/redis/key_slot.hpp"
#include "tiers/redis/resp_parser.hpp"
#include "tiers/redis/server_address.hpp"

namespace llm_edge_cache::redis {

class SlotMap {
 public:
  // A primary and those who copy it.
  struct Shard {
    ServerAddress primary;
    std::vector<ServerAddress> replicas;
    friend bool operator==(const Shard&, const Shard&) = default;
  };
  static constexpr std::uint16_t kNoShard = 0xFFFF;
  static constexpr std::size_t kMaxShards = 1'000;  // what Redis Cluster is made for

  SlotMap() { shard_of_.fill(kNoShard); }

  // `from` answered: nodes that do not know their own host are taken to be there. kProtocol where
  // the reply is not one of CLUSTER SLOTS.
  [[nodiscard]] static Result<SlotMap> parse(RespReply reply, const ServerAddress& from);

  // False where nothing changed, or where there are kMaxShards already.
  bool move(std::uint16_t slot, const ServerAddress& primary);

  [[nodiscard]] const std::vector<Shard>& shards() const { return shards_; }
  // Index into shards(), or kNoShard.
  [[nodiscard]] std::uint16_t shard_of(std::uint16_t slot) const { return shard_of_[slot]; }
  [[nodiscard]] bool covers_all() const;

  friend bool operator==(const SlotMap&, const SlotMap&) = default;

 private:
  // So that two nodes that agree give equal maps.
  void sort_shards();
  std::uint16_t shard_with(const ServerAddress& primary);

  std::vector<Shard> shards_;
  std::array<std::uint16_t, kClusterSlots> shard_of_;
};

}  // namespace llm_edge_cache::redis
