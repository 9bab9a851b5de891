// All keys of a Redis Cluster: finds out which node serves which slot, keeps a connection to each,
// and follows MOVED and ASK, failovers and resharding
// (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/).
//
// A command that a node sends elsewhere is sent there, within its own deadline; a write keeps its
// place among those of its slot (SlotWrites). Writes for a node that is away wait, and go to the
// node that takes its place. The map of the slots is asked for again after MOVED, while a node is
// away, and twice a minute, never more often than every kMinRefresh.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/thread_annotations.hpp"
#include "tiers/redis/backend.hpp"
#include "tiers/redis/hole_doubt.hpp"
#include "tiers/redis/slot_map.hpp"
#include "tiers/redis/slot_writes.hpp"

namespace llm_edge_cache::redis {

class ClusterBackend final : public Backend {
 public:
  static constexpr std::chrono::milliseconds kMinRefresh{100};
  static constexpr std::chrono::milliseconds kMaxRefresh{1'000};  // while a node is away
  static constexpr std::chrono::seconds kIdleRefresh{30};

  struct Options {
    std::vector<ServerAddress> seeds;
    bool read_replicas = false;
    std::chrono::milliseconds operation_timeout{100};
    // Of the connection to a node, but for its redirector and on_gate.
    std::function<Connection::Options(const ServerAddress& node, bool reads_replica)> connection;
  };

  // The log and the counters outlive it.
  ClusterBackend(boost::asio::io_context& context, Options options, TierEventLog& events,
                 AtomicCounters& counters);
  ~ClusterBackend() override;

  [[nodiscard]] bool accepting() const override {
    return accepting_.load(std::memory_order_acquire);
  }
  // The worst of the primaries' ones.
  [[nodiscard]] BreakerState breaker() const override {
    return breaker_.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::vector<std::optional<ServerAddress>> keyspaces() const override
      LEC_EXCLUDES(mutex_);
  void when_known(const std::function<void()>& told) override;
  [[nodiscard]] std::uint64_t keyspace_version() const override {
    return version_.load(std::memory_order_acquire);
  }

 private:
  class Node;
  class TopologyQuestion;
  struct Turn;
  struct Epoch;
  using NodeKey = std::pair<ServerAddress, bool>;  // true: reads from a replica
  struct ShardNodes {
    Node* primary;
    std::vector<Node*> replicas;
  };
  struct Leaving {
    std::shared_ptr<Node> node;
    TimePoint until;
  };

  void on_start() override;
  void on_stop() override;
  void receive(std::vector<Mailbox::Item>& items) override;

  // Commands on their way. cluster_backend.cpp
  void read(OperationPtr operation);
  void write(OperationPtr operation);
  void await_writes(OperationPtr barrier);
  Node* node_for(const Operation& operation, std::optional<std::uint16_t> slot);
  Node* any_ready_node();
  Node* any_open_node();  // which will be ready, if none is
  bool take_back(Node& from, OperationPtr& operation, std::string_view error);
  void send_on(TimePoint now);
  void end_turn(std::uint16_t slot);
  void end_epoch(std::uint64_t number);
  void expire(TimePoint now);
  void fail_all(std::vector<OperationPtr>& operations, const Error& error);

  // The nodes and the map. cluster_topology.cpp
  Node& node_at(const ServerAddress& address, bool reads_replica);
  void add_seeds();
  void want_refresh() { refresh_wanted_ = true; }
  void refresh(TimePoint now);
  void on_map(Result<SlotMap> map);
  void adopt(SlotMap map);
  void drop_nodes_outside_map();
  void index_nodes();
  void tell_known();
  void end_leaving(TimePoint now);
  void check_primaries();

  // After anything that happened, once: settles all nodes, publishes, sets the timer.
  void schedule();
  void settle();
  void publish();
  void set_timer(TimePoint now);
  [[nodiscard]] TimePoint next_wake(TimePoint now) const;

  const Options options_;
  TierEventLog& events_;
  AtomicCounters& counters_;
  std::atomic<bool> accepting_{true};
  std::atomic<BreakerState> breaker_{BreakerState::kClosed};
  std::atomic<std::uint64_t> version_{0};
  mutable Mutex mutex_;
  std::vector<std::optional<ServerAddress>> keyspaces_ LEC_GUARDED_BY(mutex_);

  // The rest belongs to the context's thread.
  bool stopped_ = false;
  bool scheduled_ = false;
  bool has_map_ = false;
  bool early_in_vain_ = false;  // a lookup has waited for the map until its deadline
  SlotMap map_;
  HoleDoubt hole_doubt_;
  std::vector<OperationPtr> early_;  // lookups that wait for the first map
  std::vector<std::function<void()>> told_when_known_;
  WriteLane lane_;  // writes of slots that nobody serves
  SlotWrites slot_writes_;
  std::vector<std::uint16_t> free_slots_;           // whose held writes may go
  std::vector<OperationPtr> returned_;              // sent elsewhere, not writes
  TimePoint patience_until_{};                      // TRYAGAIN: nothing is sent on before
  std::map<std::uint64_t, OperationPtr> barriers_;  // by the number of the epoch they wait for
  std::uint64_t epochs_ = 0;
  std::shared_ptr<Epoch> epoch_;

  bool refresh_wanted_ = true;
  bool refreshing_ = false;
  TimePoint refresh_at_{};
  std::chrono::milliseconds refresh_pause_{kMinRefresh};
  std::size_t asked_ = 0;

  boost::asio::steady_timer timer_;
  TimePoint timer_set_for_ = TimePoint::max();
  std::vector<ShardNodes> shard_nodes_;  // as map_.shards()
  std::vector<Leaving> leaving_;
  std::map<NodeKey, std::shared_ptr<Node>> nodes_;
};

}  // namespace llm_edge_cache::redis
