// The parts of a ClusterBackend that its two source files share.
#pragma once

#include <memory>
#include <utility>

#include "tiers/redis/cluster_backend.hpp"

namespace llm_edge_cache::redis {

class ClusterBackend::Node final : public Redirector {
 public:
  Node(ClusterBackend& cluster, const ServerAddress& node_address, bool reads_a_replica)
      : address(node_address),
        reads_replica(reads_a_replica),
        cluster_(cluster),
        connection(cluster.context(), options(), cluster.events_, cluster.counters_) {}

  bool take_back(OperationPtr& operation, std::string_view error) override {
    return cluster_.take_back(*this, operation, error);
  }

  const ServerAddress address;
  const bool reads_replica;

 private:
  Connection::Options options() {
    Connection::Options options = cluster_.options_.connection(address, reads_replica);
    options.redirector = this;
    options.on_gate = [this] { cluster_.schedule(); };
    return options;
  }

  ClusterBackend& cluster_;

 public:
  Connection connection;
};

// A write under way among those of its slot.
struct ClusterBackend::Turn {
  ~Turn() { cluster.end_turn(slot); }
  ClusterBackend& cluster;
  std::uint16_t slot;
};

// Alive while one of its writes is, or an earlier epoch.
struct ClusterBackend::Epoch {
  ~Epoch() { cluster.end_epoch(number); }
  ClusterBackend& cluster;
  std::uint64_t number;
  std::shared_ptr<Epoch> next{};
};

}  // namespace llm_edge_cache::redis
