// A real Redis Cluster on the loopback: three primaries with a replica each.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/redis_server.hpp"

namespace llm_edge_cache::test {

class RedisCluster {
 public:
  static constexpr std::size_t kPrimaries = 3;

  // Returns when every node says that the cluster is whole; throws std::runtime_error otherwise.
  explicit RedisCluster(const MutualTls& tls = {});

  // redis+cluster:// or rediss+cluster:// with the first three nodes.
  // From here on no server is taken for dead: for what is not about failover, on a busy machine.
  void be_patient();
  [[nodiscard]] std::string url() const;
  // Primaries first, as they were made; a failover changes their roles, not their places.
  [[nodiscard]] RedisServer& node(std::size_t index) { return *nodes_[index]; }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }

  [[nodiscard]] bool is_primary(std::size_t index);
  // Index of the one that serves the key's slot, by the word of a node that answers.
  [[nodiscard]] std::size_t primary_of(const std::string& key);
  [[nodiscard]] std::size_t replica_of(std::size_t primary);
  // The replica takes over while its primary is alive; returns when the replica says so.
  void fail_over_to(std::size_t replica);
  // Moves a slot with its keys, one key at a time, as a resharding does.
  void move_slot(int slot, std::size_t from, std::size_t to);
  // Its three steps.
  void begin_move(int slot, std::size_t from, std::size_t to);
  void move_keys(int slot, std::size_t from, std::size_t to);
  void end_move(int slot, std::size_t from, std::size_t to);
  [[nodiscard]] bool is_whole();
  // Every node names every other in CLUSTER SLOTS: some seconds after it was made.
  [[nodiscard]] bool tells_replicas();

 private:
  [[nodiscard]] bool agrees_on_epochs();
  [[nodiscard]] bool owns(std::size_t index, int slot);
  void set_slot(std::size_t index, const std::string& slot, const std::vector<std::string>& state);
  [[nodiscard]] std::string address(std::size_t index) const;

  const bool is_tls_;
  std::vector<std::unique_ptr<RedisServer>> nodes_;
  std::vector<std::string> ids_;  // as CLUSTER MYID has them: a node knows its port of TLS or not
};

}  // namespace llm_edge_cache::test
