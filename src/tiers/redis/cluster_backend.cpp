#include "tiers/redis/cluster_backend.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "tiers/redis/cluster_node.hpp"
#include "tiers/redis/redirect.hpp"

namespace llm_edge_cache::redis {
namespace {

// As often as Redis's own clients do.
constexpr std::uint8_t kMaxRedirects = 16;
// While a slot changes hands its nodes may send a command to and fro; from the fourth time on each
// is given time to hear of the change.
constexpr std::uint8_t kHastyRedirects = 4;
// Between two attempts at what a node asks to try later.
constexpr std::chrono::milliseconds kPatience{20};

Error unavailable() {
  return {ErrorCode::kUnavailable, "redis: no node of the cluster serves this"};
}
Error too_late() {
  return {ErrorCode::kDeadlineExceeded, "redis: no answer in time"};
}

void end_well(Operation& ping) {
  const RespNode pong{.type = RespType::kSimpleString, .text = "PONG"};
  static_cast<void>(ping.complete({&pong, 1}));
}

}  // namespace

ClusterBackend::ClusterBackend(boost::asio::io_context& context, Options options,
                               TierEventLog& events, AtomicCounters& counters)
    : Backend(context, options.operation_timeout),
      options_(std::move(options)),
      events_(events),
      counters_(counters),
      epoch_(std::make_shared<Epoch>(*this, epochs_)),
      timer_(context) {}

ClusterBackend::~ClusterBackend() = default;

std::vector<std::optional<ServerAddress>> ClusterBackend::keyspaces() const {
  const MutexLock lock(mutex_);
  return keyspaces_;
}

void ClusterBackend::on_start() {
  if (stopped_) return;
  add_seeds();
  settle();
}

void ClusterBackend::on_stop() {
  stopped_ = true;
  told_when_known_.clear();
  timer_.cancel();
  for (const auto& [key, node] : nodes_) node->connection.stop(shutting_down());
  for (const Leaving& leaving : leaving_) leaving.node->connection.stop(shutting_down());
  std::vector<OperationPtr> held = slot_writes_.take_all();
  fail_all(held, shutting_down());
  fail_all(early_, shutting_down());
  fail_all(returned_, shutting_down());
  lane_.close(shutting_down());
  for (const auto& [number, barrier] : std::exchange(barriers_, {})) barrier->fail(shutting_down());
  epoch_.reset();
}

void ClusterBackend::receive(std::vector<Mailbox::Item>& items) {
  for (Mailbox::Item& item : items) {
    if (stopped_) {
      item.operation->fail(shutting_down());
    } else if (item.ordered) {
      write(std::move(item.operation));
    } else {
      read(std::move(item.operation));
    }
  }
  settle();
}

void ClusterBackend::read(OperationPtr operation) {
  const std::optional<std::uint16_t> slot = operation->slot();
  if (!has_map_ && !operation->routing.node) {
    if (!accepting()) return operation->fail(unavailable());
    early_.push_back(std::move(operation));
    return;
  }
  Node* const node = node_for(*operation, slot);
  if (node == nullptr) {
    want_refresh();
    return operation->fail(unavailable());
  }
  node->connection.submit(std::move(operation), Order::kAtOnce, now());
}

void ClusterBackend::write(OperationPtr operation) {
  const std::optional<std::uint16_t> slot = operation->slot();
  if (!slot) return await_writes(std::move(operation));
  if (operation->routing.epoch == nullptr) operation->routing.epoch = epoch_;
  Node* const node = node_for(*operation, slot);
  if (node == nullptr) {
    want_refresh();
    return lane_.push(std::move(operation));
  }
  if (!slot_writes_.begin(*slot, node->address)) {
    return slot_writes_.hold(*slot, std::move(operation));
  }
  operation->routing.turn = std::make_shared<Turn>(*this, *slot);
  node->connection.submit(std::move(operation), Order::kBehindWrites, now());
}

void ClusterBackend::await_writes(OperationPtr barrier) {
  barriers_.emplace(epoch_->number, std::move(barrier));
  auto next = std::make_shared<Epoch>(*this, ++epochs_);
  epoch_->next = next;
  epoch_ = std::move(next);  // the old one ends here where nothing is under way
}

ClusterBackend::Node* ClusterBackend::node_for(const Operation& operation,
                                               std::optional<std::uint16_t> slot) {
  const Routing& routing = operation.routing;
  if (routing.node && routing.asking) return &node_at(*routing.node, false);
  if (routing.node) {
    const auto found = nodes_.find({*routing.node, false});
    if (found != nodes_.end()) return found->second.get();
    if (!slot) return nullptr;
  }
  if (!slot) return any_open_node();
  const std::uint16_t shard = map_.shard_of(*slot);
  if (shard == SlotMap::kNoShard) return nullptr;
  const ShardNodes& nodes = shard_nodes_[shard];
  if (operation.only_reads() && !routing.primary_only && !nodes.replicas.empty()) {
    Node* const replica = nodes.replicas[*slot % nodes.replicas.size()];
    if (replica->connection.is_ready()) return replica;
  }
  return nodes.primary;
}

ClusterBackend::Node* ClusterBackend::any_ready_node() {
  std::vector<Node*> ready;
  for (const auto& [key, node] : nodes_) {
    if (!node->reads_replica && node->connection.is_ready()) ready.push_back(node.get());
  }
  return ready.empty() ? nullptr : ready[asked_++ % ready.size()];
}

ClusterBackend::Node* ClusterBackend::any_open_node() {
  if (Node* const ready = any_ready_node()) return ready;
  // Nobody yet: the map came from a node that serves no slot, and those that do are connecting.
  for (const auto& [key, node] : nodes_) {
    if (!node->reads_replica && node->connection.accepting()) return node.get();
  }
  return nullptr;
}

bool ClusterBackend::take_back(Node& from, OperationPtr& operation, std::string_view error) {
  Routing& routing = operation->routing;
  const Redirect redirect = Redirect::parse(error, from.address);
  if (redirect.kind == Redirect::Kind::kNone) {
    if (!from.reads_replica || !replica_refuses(error)) return false;
    routing.primary_only = true;
  }
  if (stopped_ || ++routing.redirects > kMaxRedirects) return false;
  if (std::exchange(routing.asking, false)) routing.node.reset();
  if (redirect.kind == Redirect::Kind::kMoved) {
    want_refresh();
    if (map_.move(redirect.slot, redirect.address)) index_nodes();
    // Whatever the map says until then: it may be renewed from a node that has not heard yet.
    routing.node = redirect.address;
  } else if (redirect.kind == Redirect::Kind::kAsk) {
    routing.node = redirect.address;
    routing.asking = true;
  } else if (redirect.kind == Redirect::Kind::kTryLater) {
    want_refresh();
    patience_until_ = now() + kPatience;
  }
  if (routing.redirects >= kHastyRedirects) patience_until_ = now() + kPatience;
  if (const auto turn = std::exchange(routing.turn, nullptr)) {
    const std::uint16_t slot = *operation->slot();
    slot_writes_.hold_first(slot, std::move(operation));
  } else {
    returned_.push_back(std::move(operation));
  }
  schedule();
  return true;
}

void ClusterBackend::send_on(TimePoint time) {
  if (time < patience_until_) return;
  for (const std::uint16_t slot : std::exchange(free_slots_, {})) {
    for (OperationPtr& operation : slot_writes_.take(slot)) write(std::move(operation));
  }
  for (OperationPtr& operation : std::exchange(returned_, {})) {
    if (operation->deadline <= time) {
      operation->fail(too_late());
    } else {
      read(std::move(operation));
    }
  }
}

void ClusterBackend::end_turn(std::uint16_t slot) {
  if (!slot_writes_.end(slot) || stopped_) return;
  free_slots_.push_back(slot);
  schedule();
}

void ClusterBackend::end_epoch(std::uint64_t number) {
  const auto found = barriers_.find(number);
  if (found == barriers_.end()) return;
  const OperationPtr barrier = std::move(found->second);
  barriers_.erase(found);
  end_well(*barrier);
}

void ClusterBackend::expire(TimePoint time) {
  lane_.expire(time);
  slot_writes_.expire(time);
  const auto expired = [time](const OperationPtr& operation) {
    if (operation->deadline > time) return false;
    operation->fail(too_late());
    return true;
  };
  early_in_vain_ |= std::erase_if(early_, expired) > 0;
  std::erase_if(returned_, expired);
  std::erase_if(barriers_, [&](const auto& entry) { return expired(entry.second); });
}

void ClusterBackend::fail_all(std::vector<OperationPtr>& operations, const Error& error) {
  for (const OperationPtr& operation : std::exchange(operations, {})) operation->fail(error);
}

void ClusterBackend::schedule() {
  if (stopped_ || std::exchange(scheduled_, true)) return;
  boost::asio::post(context(), [this] {
    scheduled_ = false;
    settle();
  });
}

void ClusterBackend::settle() {
  if (stopped_) return;
  const TimePoint time = now();
  expire(time);
  check_primaries();
  refresh(time);
  send_on(time);
  end_leaving(time);
  for (const auto& [key, node] : nodes_) node->connection.settle();
  publish();
  if (!accepting()) {
    fail_all(early_, unavailable());
    lane_.stop_waiting(unavailable());
    slot_writes_.stop_waiting(unavailable());
    for (const auto& [number, barrier] : std::exchange(barriers_, {})) barrier->fail(unavailable());
  }
  set_timer(time);
}

void ClusterBackend::publish() {
  bool accepts = false;
  BreakerState worst = BreakerState::kClosed;
  for (const auto& [key, node] : nodes_) {
    accepts |= node->connection.accepting();
    if (!node->reads_replica) worst = std::max(worst, node->connection.breaker());
  }
  accepting_.store(accepts && (has_map_ || !early_in_vain_), std::memory_order_release);
  breaker_.store(worst, std::memory_order_release);
}

TimePoint ClusterBackend::next_wake(TimePoint time) const {
  TimePoint wake = time + kIdleRefresh;
  const auto consider = [&wake](TimePoint at) { wake = std::min(wake, at); };
  if (refresh_wanted_ && !refreshing_) consider(std::max(refresh_at_, time + kMinRefresh / 10));
  if (!free_slots_.empty() || !returned_.empty()) consider(patience_until_);
  if (const auto deadline = lane_.next_deadline()) consider(*deadline);
  if (const auto deadline = slot_writes_.next_deadline()) consider(*deadline);
  for (const OperationPtr& operation : early_) consider(operation->deadline);
  for (const OperationPtr& operation : returned_) consider(operation->deadline);
  for (const auto& [number, barrier] : barriers_) consider(barrier->deadline);
  for (const Leaving& leaving : leaving_) consider(leaving.until);
  return wake;
}

void ClusterBackend::set_timer(TimePoint time) {
  const TimePoint wake = next_wake(time);
  // One that is set for earlier than needed looks again when it fires.
  if (timer_set_for_ <= wake) return;
  timer_set_for_ = wake;
  timer_.expires_at(wake);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error || stopped_) return;
    timer_set_for_ = TimePoint::max();
    if (now() >= refresh_at_ + kIdleRefresh) want_refresh();
    settle();
  });
}

}  // namespace llm_edge_cache::redis
