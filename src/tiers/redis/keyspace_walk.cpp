#include "tiers/redis/keyspace_walk.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "tiers/redis/command.hpp"
#include "tiers/redis/keyspace_scan.hpp"
#include "tiers/redis/lease_operations.hpp"

namespace llm_edge_cache::redis {
namespace {

// Keys that the server looks at for one page: well under a millisecond of its time.
constexpr std::uint64_t kPageKeys = 512;

}  // namespace

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
  await_keyspaces(context_, backend_, [self = shared_from_this()](const Status& status) {
    if (!status.ok()) return self->handler_(status.error());
    self->start();
  });
}

void KeyspaceWalk::request_page() {
  backend_.submit(
      std::make_unique<ScanPage>(
          context_.config.key_prefix, ScanPage::Place{keyspaces_.back(), cursor_}, kPageKeys,
          [self = shared_from_this()](std::string_view next, RespReply keys) {
            self->on_page(next, keys);
          },
          [self = shared_from_this()](const Error& error) { self->finish(error); }),
      Backend::Order::kAtOnce);
}

void KeyspaceWalk::on_page(std::string_view next_cursor, RespReply keys) {
  cursor_ = next_cursor;
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
