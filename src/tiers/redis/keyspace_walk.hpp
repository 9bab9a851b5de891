// Goes once through all keys that start with a prefix, to count or to remove them: SCAN, one page
// at a time, so that nobody else waits, and one UNLINK for the keys of a page.
//
// SCAN promises each key that is there throughout at least once: a count may be too high while the
// server resizes its table, and keys that come or go meanwhile may be seen or not.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/tier.hpp"
#include "tiers/redis/connection.hpp"
#include "tiers/redis/tier_context.hpp"

namespace llm_edge_cache::redis {

class KeyspaceWalk : public std::enable_shared_from_this<KeyspaceWalk> {
 public:
  enum class Purpose { kCount, kRemove };
  // How many keys were counted or removed.
  using Handler = Tier::Handler<Result<std::uint64_t>>;

  // context and connection outlive the walk. Past the deadline it ends with kDeadlineExceeded.
  KeyspaceWalk(TierContext& context, Connection& connection, Purpose purpose, TimePoint deadline,
               Handler handler);

  void start() { request_page(); }

 private:
  class ScanPage;
  class UnlinkPage;

  void request_page();
  // False where the reply is not one of SCAN.
  bool on_page(RespReply reply);
  bool on_removed(RespReply reply);
  void go_on();
  void finish(Result<std::uint64_t> result);

  TierContext& context_;
  Connection& connection_;
  const Purpose purpose_;
  const TimePoint deadline_;
  const Handler handler_;
  std::string cursor_ = "0";
  std::uint64_t keys_ = 0;
};

}  // namespace llm_edge_cache::redis
