#include "tiers/redis/keyspace_walk.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "tiers/redis/command.hpp"
#include "tiers/redis/lease_operations.hpp"
#include "tiers/redis/operations.hpp"

namespace llm_edge_cache::redis {
namespace {

// Keys that the server looks at for one page: well under a millisecond of its time.
constexpr std::uint64_t kPageKeys = 512;

}  // namespace

bool is_scan_page(RespReply reply) {
  if (reply.size() < 3 || reply[0].type != RespType::kArray || reply[0].integer != 2 ||
      reply[1].type != RespType::kBulkString || reply[2].type != RespType::kArray) {
    return false;
  }
  const RespReply keys = reply.subspan(3);
  return std::all_of(keys.begin(), keys.end(), [](const RespNode& key) {
    return key.type == RespType::kBulkString && key.depth == 2;
  });
}

class KeyspaceWalk::ScanPage final : public Operation {
 public:
  explicit ScanPage(std::shared_ptr<KeyspaceWalk> walk) : walk_(std::move(walk)) {
    routing.node = walk_->keyspaces_.back();
  }
  bool append_to(std::string& out) override {
    append_scan(out, walk_->cursor_, walk_->context_.config.key_prefix, kPageKeys);
    return true;
  }
  bool complete(RespReply reply) override { return walk_->on_page(reply); }
  void fail(const Error& error) override { walk_->finish(error); }

 private:
  const std::shared_ptr<KeyspaceWalk> walk_;
};

// Of one slot's keys, where there are slots.
class KeyspaceWalk::Unlink final : public Operation {
 public:
  Unlink(std::shared_ptr<KeyspaceWalk> walk, std::optional<std::uint16_t> slot,
         const std::vector<std::string_view>& keys)
      : walk_(std::move(walk)), slot_(slot) {
    append_header(command_, keys.size() + 1);
    append_argument(command_, "UNLINK");
    for (const std::string_view key : keys) append_argument(command_, key);
  }
  bool append_to(std::string& out) override {
    out += command_;
    return true;
  }
  bool complete(RespReply reply) override {
    if (reply[0].type != RespType::kInteger || reply[0].integer < 0) return false;
    walk_->on_removed(static_cast<std::uint64_t>(reply[0].integer));
    return true;
  }
  void fail(const Error& error) override { walk_->on_removed(error); }
  [[nodiscard]] std::optional<std::uint16_t> slot() const override { return slot_; }

 private:
  const std::shared_ptr<KeyspaceWalk> walk_;
  const std::optional<std::uint16_t> slot_;
  std::string command_;  // the keys point into the reader's buffer: they must be copied anyway
};

KeyspaceWalk::KeyspaceWalk(TierContext& context, Backend& backend, Purpose purpose,
                           TimePoint deadline, Handler handler)
    : context_(context),
      backend_(backend),
      purpose_(purpose),
      deadline_(deadline),
      handler_(std::move(handler)) {}

void KeyspaceWalk::start() {
  version_ = backend_.keyspace_version();
  keyspaces_ = backend_.keyspaces();
  if (purpose_ == Purpose::kCount) keys_ = 0;
  if (keyspaces_.empty()) return await_map();
  request_page();
}

void KeyspaceWalk::await_map() {
  if (std::exchange(awaited_map_, true)) {
    return finish(Error{ErrorCode::kUnavailable, "redis: the cluster has no slots"});
  }
  auto ping =
      std::make_unique<PingOperation>(context_, [self = shared_from_this()](const Status& status) {
        if (!status.ok()) return self->handler_(status.error());
        self->start();
      });
  backend_.submit(std::move(ping), Backend::Order::kAtOnce);
}

void KeyspaceWalk::request_page() {
  backend_.submit(std::make_unique<ScanPage>(shared_from_this()), Backend::Order::kAtOnce);
}

bool KeyspaceWalk::on_page(RespReply reply) {
  if (!is_scan_page(reply)) return false;
  const RespReply keys = reply.subspan(3);
  cursor_ = reply[1].text;
  if (purpose_ == Purpose::kCount) {
    keys_ += static_cast<std::uint64_t>(std::ranges::count_if(keys, [this](const RespNode& key) {
      return !is_lease_key(key.text, context_.config.key_prefix);
    }));
  }
  if (purpose_ == Purpose::kRemove && !keys.empty()) {
    remove(keys);
  } else {
    go_on();
  }
  return true;
}

void KeyspaceWalk::remove(RespReply keys) {
  std::map<std::optional<std::uint16_t>, std::vector<std::string_view>> by_slot;
  const bool has_slots = keyspaces_.back().has_value();
  for (const RespNode& key : keys) {
    by_slot[has_slots ? std::optional(key_slot(key.text)) : std::nullopt].push_back(key.text);
  }
  removals_under_way_ = by_slot.size();
  for (const auto& [slot, slot_keys] : by_slot) {
    backend_.submit(std::make_unique<Unlink>(shared_from_this(), slot, slot_keys),
                    Backend::Order::kAtOnce);
  }
}

void KeyspaceWalk::on_removed(const Result<std::uint64_t>& removed) {
  if (removed.ok()) {
    keys_ += *removed;
    AtomicCounters::add(context_.counters.removals, *removed);
  } else if (removed_.ok()) {
    removed_ = removed.error();
  }
  if (--removals_under_way_ > 0) return;
  if (!removed_.ok()) return finish(removed_.error());
  go_on();
}

void KeyspaceWalk::go_on() {
  if (cursor_ == "0") keyspaces_.pop_back();
  const bool moved = backend_.keyspace_version() != version_;
  if (keyspaces_.empty() && !moved) return finish(keys_);
  if (now() >= deadline_) {
    return finish(Error{ErrorCode::kDeadlineExceeded, "redis: too many keys to scan in time"});
  }
  if (keyspaces_.empty()) return start();
  request_page();
}

void KeyspaceWalk::finish(Result<std::uint64_t> result) {
  if (!result.ok()) context_.count_failure(result.error());
  handler_(std::move(result));
}

}  // namespace llm_edge_cache::redis
