#include "tiers/disk/committer.hpp"

#include <string>
#include <utility>

#include "core/entry_codec.hpp"

namespace llm_edge_cache::disk {
namespace {

constexpr std::size_t kMaxBatchOps = 512;
constexpr std::size_t kMaxBatchBytes = 1U << 20U;  // but for the last entry

std::string not_written(const Error& error) {
  return "an entry was not written: " + error.message;
}

}  // namespace

Status Committer::write(std::deque<WriteOp>& ops, Database& database) {
  while (!ops.empty()) {
    Status status;
    if (ops.front().kind == WriteOp::Kind::kClear) {
      status = clear(ops, database);
    } else {
      WriteOp op = std::move(ops.front());
      ops.pop_front();
      const bool flush = op.kind == WriteOp::Kind::kFlush;
      const auto call = op.call;
      if (!flush) stage(std::move(op), database);
      if (flush || is_full(database)) status = commit(ops, database);
      if (flush) call->complete(Status());  // what failed has been dropped, and counted
    }
    if (!status.ok()) return status;
  }
  return commit(ops, database);
}

void Committer::drop_puts(std::deque<WriteOp>& ops, const Error& error) {
  for (WriteOp& op : std::exchange(ops, {})) {
    switch (op.kind) {
      case WriteOp::Kind::kPut:
        context_.count_dropped_write(not_written(error));
        break;
      case WriteOp::Kind::kFlush:
        op.call->complete(Status());
        break;
      case WriteOp::Kind::kDiscard:
      case WriteOp::Kind::kReplace:
        break;
      case WriteOp::Kind::kRemove:
      case WriteOp::Kind::kClear:
        ops.push_back(std::move(op));
        break;
    }
  }
}

void Committer::abandon(std::deque<WriteOp>& ops, const Error& error) {
  for (WriteOp& op : ops) {
    if (op.kind == WriteOp::Kind::kPut) context_.count_dropped_write(not_written(error));
    if (op.kind == WriteOp::Kind::kRemove) context_.mask.unhide(op.key);
    if (op.kind == WriteOp::Kind::kClear) context_.mask.unhide_all();
    if (op.removal != nullptr) op.removal->complete(error);
    if (op.call != nullptr) op.call->complete(error);
  }
  ops.clear();
}

bool Committer::is_full(const Database& database) const {
  return puts_.size() + removals_.size() >= kMaxBatchOps ||
         database.staged_bytes() >= kMaxBatchBytes;
}

void Committer::stage(WriteOp op, Database& database) {
  if (op.kind != WriteOp::Kind::kPut) return stage_removal(std::move(op), database);
  const UnixMillis end_ms = context_.end_of(*op.entry);
  if (end_ms <= context_.clock->now_ms()) return;  // it ended while it waited
  const auto frame = encode_entry(op.key, *op.entry, context_.format);
  if (!frame.ok()) {
    context_.count_dropped_write(not_written(frame.error()));
    op.kind = WriteOp::Kind::kReplace;
    return stage_removal(std::move(op), database);
  }
  database.put(op.key, end_ms, *frame);
  present_[op.key] = true;
  op.entry = nullptr;
  puts_.push_back(std::move(op));
}

void Committer::stage_removal(WriteOp op, Database& database) {
  using Kind = Found::Kind;
  Found found;
  const auto staged = present_.find(op.key);
  if (staged != present_.end()) {
    found.kind = staged->second ? Kind::kEntry : Kind::kNothing;
  } else if (const TablePtr table = database.table()) {
    found = table->find(op.key, context_.clock->now_ms(), Wait::kAsNeeded);
  }
  const bool expired = found.kind == Kind::kExpired;
  const bool unwanted = expired || found.kind == Kind::kCorrupt;
  const bool removes = op.kind == WriteOp::Kind::kDiscard ? unwanted : found.kind != Kind::kNothing;
  if (removes) {
    database.remove(op.key);
    present_[op.key] = false;
  }
  removals_.push_back({std::move(op), found.kind == Kind::kEntry, removes && expired});
}

Status Committer::commit(std::deque<WriteOp>& ops, Database& database) {
  if (puts_.empty() && removals_.empty()) return {};
  Status status = database.commit();
  if (status.ok()) {
    complete_staged();
    if (sweeps_left_ > 0) {
      --sweeps_left_;
      if (sweeps_left_ % kCommitsPerSweep == 0) database.sweep();
    }
  } else {
    owner_.on_write_failed(status.error());
    give_back_staged(ops, status.error());
  }
  puts_.clear();
  removals_.clear();
  present_.clear();
  return status;
}

void Committer::complete_staged() {
  AtomicCounters& counters = context_.counters;
  AtomicCounters::add(counters.writes, puts_.size());
  for (Removal& removal : removals_) {
    if (removal.was_expired) AtomicCounters::add(counters.evicted_expired);
    if (removal.op.kind != WriteOp::Kind::kRemove) continue;
    context_.mask.unhide(removal.op.key);
    if (removal.was_there) AtomicCounters::add(counters.removals);
    removal.op.removal->complete(removal.was_there);
  }
}

void Committer::give_back_staged(std::deque<WriteOp>& ops, const Error& error) {
  for (std::size_t i = 0; i < puts_.size(); ++i) {
    context_.count_dropped_write(not_written(error));
  }
  for (auto removal = removals_.rbegin(); removal != removals_.rend(); ++removal) {
    if (removal->op.kind == WriteOp::Kind::kRemove) ops.push_front(std::move(removal->op));
  }
}

Status Committer::clear(std::deque<WriteOp>& ops, Database& database) {
  if (Status status = commit(ops, database); !status) return status;
  Status cleared = database.clear();
  owner_.on_new_table();
  if (!cleared.ok()) {
    owner_.on_write_failed(cleared.error());
    return cleared;
  }
  // A job of RocksDB's that was under way may leave a file behind, which only a later look finds.
  database.sweep();
  sweeps_left_ = kSweepsAfterClear * kCommitsPerSweep;
  const StatusCall call = std::move(ops.front().call);
  ops.pop_front();
  context_.mask.unhide_all();
  call->complete(Status());
  return {};
}

}  // namespace llm_edge_cache::disk
