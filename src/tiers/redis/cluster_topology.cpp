// Which nodes a ClusterBackend is connected to, and how it learns of them.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <set>
#include <utility>

#include "tiers/redis/cluster_node.hpp"
#include "tiers/redis/command.hpp"

namespace llm_edge_cache::redis {

class ClusterBackend::TopologyQuestion final : public Operation {
 public:
  TopologyQuestion(ClusterBackend& cluster, ServerAddress node)
      : cluster_(cluster), node_(std::move(node)) {}

  bool append_to(std::string& out) override {
    append_command(out, {"CLUSTER", "SLOTS"});
    return true;
  }
  bool complete(RespReply reply) override {
    Result<SlotMap> map = SlotMap::parse(reply, node_);
    if (!map.ok()) return false;
    cluster_.on_map(std::move(map));
    return true;
  }
  void fail(const Error& error) override { cluster_.on_map(error); }

 private:
  ClusterBackend& cluster_;
  const ServerAddress node_;
};

ClusterBackend::Node& ClusterBackend::node_at(const ServerAddress& address, bool reads_replica) {
  std::shared_ptr<Node>& node = nodes_[{address, reads_replica}];
  if (node == nullptr) {
    node = std::make_shared<Node>(*this, address, reads_replica);
    node->connection.start();
  }
  return *node;
}

void ClusterBackend::add_seeds() {
  for (const ServerAddress& seed : options_.seeds) node_at(seed, false);
}

void ClusterBackend::check_primaries() {
  bool some_is_away = !map_.covers_all();
  for (const ShardNodes& nodes : shard_nodes_) {
    some_is_away |= !nodes.primary->connection.is_ready();
  }
  if (some_is_away) want_refresh();
}

void ClusterBackend::refresh(TimePoint time) {
  if (!refresh_wanted_ || refreshing_ || time < refresh_at_) return;
  Node* const node = any_ready_node();
  if (node == nullptr) {
    add_seeds();
    return;
  }
  refreshing_ = true;
  refresh_wanted_ = false;
  if (time > refresh_at_ + kMaxRefresh) refresh_pause_ = kMinRefresh;
  refresh_at_ = time + refresh_pause_;
  refresh_pause_ = std::min(refresh_pause_ * 2, kMaxRefresh);
  auto question = std::make_unique<TopologyQuestion>(*this, node->address);
  question->deadline = time + operation_timeout();
  node->connection.submit(std::move(question), Order::kAtOnce, time);
}

void ClusterBackend::on_map(Result<SlotMap> map) {
  refreshing_ = false;
  if (stopped_) return;
  if (map.ok()) {
    if (hole_doubt_.doubts(map_, *map, now())) {
      want_refresh();
    } else {
      adopt(std::move(map).value());
    }
  } else {
    want_refresh();
    if (map.error().code == ErrorCode::kProtocol) {
      events_.report(TierEventKind::kConnectFailed, map.error().message, now());
    }
  }
  schedule();
}

void ClusterBackend::adopt(SlotMap map) {
  const bool changed = !has_map_ || map != map_;
  has_map_ = true;
  early_in_vain_ = false;
  if (!changed) return;
  refresh_pause_ = kMinRefresh;
  map_ = std::move(map);
  index_nodes();
  drop_nodes_outside_map();
  tell_known();
  for (OperationPtr& operation : std::exchange(early_, {}))
    returned_.push_back(std::move(operation));
  std::vector<OperationPtr> waiting;
  while (!lane_.empty()) waiting.push_back(lane_.pop());
  for (OperationPtr& operation : waiting) write(std::move(operation));
}

void ClusterBackend::index_nodes() {
  shard_nodes_.clear();
  std::vector<std::optional<ServerAddress>> keyspaces;
  for (const SlotMap::Shard& shard : map_.shards()) {
    ShardNodes nodes{&node_at(shard.primary, false), {}};
    if (options_.read_replicas) {
      for (const ServerAddress& replica : shard.replicas) {
        nodes.replicas.push_back(&node_at(replica, true));
      }
    }
    shard_nodes_.push_back(std::move(nodes));
    keyspaces.emplace_back(shard.primary);
  }
  {
    const MutexLock lock(mutex_);
    keyspaces_ = std::move(keyspaces);
  }
  // Behind it: whoever has read this version finds these keyspaces, or newer ones.
  version_.fetch_add(1, std::memory_order_acq_rel);
}

void ClusterBackend::when_known(const std::function<void()>& told) {
  if (!map_.shards().empty()) return told();
  told_when_known_.push_back(told);
}

void ClusterBackend::tell_known() {
  if (map_.shards().empty()) return;
  for (const auto& told : std::exchange(told_when_known_, {})) told();
}

void ClusterBackend::drop_nodes_outside_map() {
  std::set<const Node*> needed;
  for (const ShardNodes& nodes : shard_nodes_) {
    needed.insert(nodes.primary);
    needed.insert(nodes.replicas.begin(), nodes.replicas.end());
  }
  const TimePoint until = now() + operation_timeout();
  for (auto i = nodes_.begin(); i != nodes_.end();) {
    const std::shared_ptr<Node> node = i->second;
    if (needed.contains(node.get())) {
      ++i;
      continue;
    }
    i = nodes_.erase(i);
    // What is on the wire may come back yet, and goes before them.
    auto waiting = node->connection.take_waiting();
    for (auto operation = waiting.rbegin(); operation != waiting.rend(); ++operation) {
      const auto turn = std::exchange((*operation)->routing.turn, nullptr);
      const std::uint16_t slot = *(*operation)->slot();
      slot_writes_.hold_unsent(slot, std::move(*operation));
    }
    leaving_.push_back({node, until});
  }
}

void ClusterBackend::end_leaving(TimePoint time) {
  for (Leaving& leaving : leaving_) {
    Connection& connection = leaving.node->connection;
    if (connection.outstanding() > 0 && time < leaving.until) {
      connection.settle();
      continue;
    }
    connection.stop({ErrorCode::kUnavailable, "redis: the server has left the cluster"});
    // Handlers of it that wait to run come first.
    boost::asio::post(context(), [node = std::move(leaving.node)] {});
  }
  std::erase_if(leaving_, [](const Leaving& leaving) { return leaving.node == nullptr; });
}

}  // namespace llm_edge_cache::redis
