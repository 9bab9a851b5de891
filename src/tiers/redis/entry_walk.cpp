#include "tiers/redis/entry_walk.hpp"

#include <atomic>
#include <utility>

#include "tiers/redis/keyspace_scan.hpp"

namespace llm_edge_cache::redis {

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

void EntryWalk::await_map() {
  await_keyspaces(context_, backend_, [self = shared_from_this()](const Status& status) {
    if (!status.ok()) return self->finish(status.error());
    self->keyspaces_ = self->backend_.keyspaces();
    self->scan();
  });
}

void EntryWalk::scan() {
  backend_.submit(
      std::make_unique<ScanPage>(
          context_.config.key_prefix, ScanPage::Place{keyspaces_.back(), cursor_}, kPageEntries,
          [self = shared_from_this()](std::string_view next, RespReply keys) {
            self->on_page(next, keys);
          },
          [self = shared_from_this()](const Error& error) {
            self->context_.count_failure(error);
            self->finish(error);
          }),
      Backend::Order::kAtOnce);
}

void EntryWalk::on_page(std::string_view next_cursor, RespReply nodes) {
  cursor_ = next_cursor;
  if (cursor_ == "0") keyspaces_.pop_back();
  std::vector<KeyDigest> keys;
  for (const RespNode& node : nodes) {
    if (const auto key = key_of(node.text)) keys.push_back(*key);
  }
  if (!keys.empty()) {
    fetch(keys);
  } else if (keyspaces_.empty()) {
    finish(std::vector<KeyedEntry>());
  } else {
    scan();
  }
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
