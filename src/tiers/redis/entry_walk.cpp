#include "tiers/redis/entry_walk.hpp"

#include <atomic>
#include <utility>

#include "tiers/redis/command.hpp"
#include "tiers/redis/keyspace_walk.hpp"
#include "tiers/redis/operations.hpp"

namespace llm_edge_cache::redis {

class EntryWalk::ScanPage final : public Operation {
 public:
  explicit ScanPage(std::shared_ptr<EntryWalk> walk) : walk_(std::move(walk)) {
    routing.node = walk_->keyspaces_.back();
  }
  bool append_to(std::string& out) override {
    append_scan(out, walk_->cursor_, walk_->context_.config.key_prefix, kPageEntries);
    return true;
  }
  bool complete(RespReply reply) override { return walk_->on_page(reply); }
  void fail(const Error& error) override {
    walk_->context_.count_failure(error);
    walk_->finish(error);
  }

 private:
  const std::shared_ptr<EntryWalk> walk_;
};

// What the GETs of one page bring, each for its own place.
class EntryWalk::PageOfEntries {
 public:
  PageOfEntries(std::shared_ptr<EntryWalk> walk, const std::vector<KeyDigest>& keys)
      : walk_(std::move(walk)), missing_(keys.size()) {
    for (const KeyDigest& key : keys) entries_.push_back({key, nullptr});
  }

  void set(std::size_t index, Result<EntryPtr> entry) {
    if (entry.ok()) {
      entries_[index].entry = std::move(entry).value();
    } else if (entry.error().code != ErrorCode::kTooLarge) {
      has_failed_.store(true, std::memory_order_relaxed);
    }
    if (missing_.fetch_sub(1, std::memory_order_acq_rel) == 1) finish();
  }

 private:
  void finish() {
    if (has_failed_.load(std::memory_order_relaxed)) {
      return walk_->finish(Error{ErrorCode::kUnavailable, "redis: a page could not be read"});
    }
    std::erase_if(entries_, [](const KeyedEntry& one) { return one.entry == nullptr; });
    if (entries_.empty() && !walk_->keyspaces_.empty()) return walk_->scan();
    walk_->finish(std::move(entries_));
  }

  const std::shared_ptr<EntryWalk> walk_;
  std::vector<KeyedEntry> entries_;
  std::atomic<std::size_t> missing_;
  std::atomic<bool> has_failed_{false};
};

void EntryWalk::next(Handler handler) {
  handler_ = std::move(handler);
  if (!std::exchange(has_begun_, true)) {
    keyspaces_ = backend_.keyspaces();
    if (keyspaces_.empty()) return await_map();
  }
  if (keyspaces_.empty()) return finish(std::vector<KeyedEntry>());
  scan();
}

// A cluster that was just made is known once it has answered.
void EntryWalk::await_map() {
  auto ping =
      std::make_unique<PingOperation>(context_, [self = shared_from_this()](const Status& status) {
        if (!status.ok()) return self->finish(status.error());
        self->keyspaces_ = self->backend_.keyspaces();
        if (!self->keyspaces_.empty()) return self->scan();
        self->finish(Error{ErrorCode::kUnavailable, "redis: the cluster has no slots"});
      });
  backend_.submit(std::move(ping), Backend::Order::kAtOnce);
}

void EntryWalk::scan() {
  backend_.submit(std::make_unique<ScanPage>(shared_from_this()), Backend::Order::kAtOnce);
}

bool EntryWalk::on_page(RespReply reply) {
  if (!is_scan_page(reply)) return false;
  cursor_ = reply[1].text;
  if (cursor_ == "0") keyspaces_.pop_back();
  std::vector<KeyDigest> keys;
  for (const RespNode& node : reply.subspan(3)) {
    if (const auto key = key_of(node.text)) keys.push_back(*key);
  }
  if (!keys.empty()) {
    fetch(keys);
  } else if (keyspaces_.empty()) {
    finish(std::vector<KeyedEntry>());
  } else {
    scan();
  }
  return true;
}

void EntryWalk::fetch(const std::vector<KeyDigest>& keys) {
  const auto page = std::make_shared<PageOfEntries>(shared_from_this(), keys);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    get_(keys[i], [page, i](Result<EntryPtr> entry) { page->set(i, std::move(entry)); });
  }
}

void EntryWalk::finish(Result<std::vector<KeyedEntry>> page) {
  std::exchange(handler_, nullptr)(std::move(page));
}

std::optional<KeyDigest> EntryWalk::key_of(std::string_view stored_key) const {
  const std::string& prefix = context_.config.key_prefix;
  if (!stored_key.starts_with(prefix)) return std::nullopt;
  return key_digest_from_hex(stored_key.substr(prefix.size()));
}

}  // namespace llm_edge_cache::redis
