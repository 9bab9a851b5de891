// Turns what waits to be written into batches of the database.
#pragma once

#include <cstddef>
#include <deque>
#include <unordered_map>
#include <vector>

#include "llm_edge_cache/result.hpp"
#include "tiers/disk/database.hpp"
#include "tiers/disk/disk_context.hpp"
#include "tiers/disk/write_op.hpp"

namespace llm_edge_cache::disk {

// Used by the writer's thread alone.
class Committer {
 public:
  // Told before those who wait are.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_new_table() = 0;
    virtual void on_write_failed(const Error& error) = 0;
  };

  Committer(DiskContext& context, Owner& owner) : context_(context), owner_(owner) {}

  // Takes from the front what is written or, a put that failed, dropped and counted. Stops at the
  // first failure, and tells it: removals that were not written stay at the front, the others
  // behind them, in their order.
  Status write(std::deque<WriteOp>& ops, Database& database);

  // Nothing can be written now: puts are counted as dropped, and flushes complete; the rest waits
  // on.
  void drop_puts(std::deque<WriteOp>& ops, const Error& error);
  // Nothing of it will be written: puts are counted as dropped, calls get the error.
  void abandon(std::deque<WriteOp>& ops, const Error& error);

 private:
  struct Removal {
    WriteOp op;
    bool was_there = false;
    bool was_expired = false;
  };

  void stage(WriteOp op, Database& database);
  void stage_removal(WriteOp op, Database& database);
  [[nodiscard]] bool is_full(const Database& database) const;
  Status commit(std::deque<WriteOp>& ops, Database& database);
  void complete_staged();
  void give_back_staged(std::deque<WriteOp>& ops, const Error& error);
  Status clear(std::deque<WriteOp>& ops, Database& database);

  struct Hash {
    std::size_t operator()(const KeyDigest& key) const { return key.hash(); }
  };

  DiskContext& context_;
  Owner& owner_;
  // Of the batch that is being staged:
  std::vector<WriteOp> puts_;
  std::vector<Removal> removals_;
  std::unordered_map<KeyDigest, bool, Hash> present_;  // as the batch will leave it

  static constexpr int kSweepsAfterClear = 8;
  static constexpr int kCommitsPerSweep = 4;
  int sweeps_left_ = 0;  // in commits
};

}  // namespace llm_edge_cache::disk
