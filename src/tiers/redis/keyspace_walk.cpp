#include "tiers/redis/keyspace_walk.hpp"

#include <utility>

#include "tiers/redis/command.hpp"

namespace llm_edge_cache::redis {
namespace {

// Keys that the server looks at for one page: well under a millisecond of its time.
constexpr std::uint64_t kPageKeys = 512;

}  // namespace

class KeyspaceWalk::ScanPage final : public Operation {
 public:
  explicit ScanPage(std::shared_ptr<KeyspaceWalk> walk) : walk_(std::move(walk)) {}
  bool append_to(std::string& out) override {
    append_scan(out, walk_->cursor_, walk_->context_.config.key_prefix, kPageKeys);
    return true;
  }
  bool complete(RespReply reply) override { return walk_->on_page(reply); }
  void fail(const Error& error) override { walk_->finish(error); }

 private:
  const std::shared_ptr<KeyspaceWalk> walk_;
};

class KeyspaceWalk::UnlinkPage final : public Operation {
 public:
  UnlinkPage(std::shared_ptr<KeyspaceWalk> walk, RespReply keys) : walk_(std::move(walk)) {
    append_header(command_, keys.size() + 1);
    append_argument(command_, "UNLINK");
    for (const RespNode& key : keys) append_argument(command_, key.text);
  }
  bool append_to(std::string& out) override {
    out += command_;
    return true;
  }
  bool complete(RespReply reply) override { return walk_->on_removed(reply); }
  void fail(const Error& error) override { walk_->finish(error); }

 private:
  const std::shared_ptr<KeyspaceWalk> walk_;
  std::string command_;  // the keys point into the reader's buffer: they must be copied anyway
};

KeyspaceWalk::KeyspaceWalk(TierContext& context, Connection& connection, Purpose purpose,
                           TimePoint deadline, Handler handler)
    : context_(context),
      connection_(connection),
      purpose_(purpose),
      deadline_(deadline),
      handler_(std::move(handler)) {}

void KeyspaceWalk::request_page() {
  connection_.submit(std::make_unique<ScanPage>(shared_from_this()));
}

bool KeyspaceWalk::on_page(RespReply reply) {
  // [cursor, [key, ...]]
  if (reply.size() < 3 || reply[0].type != RespType::kArray || reply[0].integer != 2 ||
      reply[1].type != RespType::kBulkString || reply[2].type != RespType::kArray) {
    return false;
  }
  const RespReply keys = reply.subspan(3);
  for (const RespNode& key : keys) {
    if (key.type != RespType::kBulkString || key.depth != 2) return false;
  }
  cursor_ = reply[1].text;
  if (purpose_ == Purpose::kCount) keys_ += keys.size();
  if (purpose_ == Purpose::kRemove && !keys.empty()) {
    connection_.submit(std::make_unique<UnlinkPage>(shared_from_this(), keys));
  } else {
    go_on();
  }
  return true;
}

bool KeyspaceWalk::on_removed(RespReply reply) {
  if (reply[0].type != RespType::kInteger || reply[0].integer < 0) return false;
  const auto removed = static_cast<std::uint64_t>(reply[0].integer);
  keys_ += removed;
  AtomicCounters::add(context_.counters.removals, removed);
  go_on();
  return true;
}

void KeyspaceWalk::go_on() {
  if (cursor_ == "0") return finish(keys_);
  if (std::chrono::steady_clock::now() >= deadline_) {
    return finish(Error{ErrorCode::kDeadlineExceeded, "redis: too many keys to scan in time"});
  }
  request_page();
}

void KeyspaceWalk::finish(Result<std::uint64_t> result) {
  if (!result.ok()) context_.count_failure(result.error());
  handler_(std::move(result));
}

}  // namespace llm_edge_cache::redis
