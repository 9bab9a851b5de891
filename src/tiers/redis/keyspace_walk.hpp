// Goes once through all keys that start with a prefix, to count or to remove them: SCAN, one page
// at a time, so that nobody else waits, and UNLINK for the keys of a page. In a cluster one primary
// after the other, and once more where slots have changed nodes meanwhile.
//
// SCAN promises each key that is there throughout at least once: a count may be too high while the
// server resizes its table, and keys that come or go meanwhile may be seen or not. So may keys of a
// cluster's slot that is being migrated.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tier.hpp"
#include "tiers/redis/backend.hpp"
#include "tiers/redis/tier_context.hpp"

namespace llm_edge_cache::redis {

class KeyspaceWalk : public std::enable_shared_from_this<KeyspaceWalk> {
 public:
  enum class Purpose { kCount, kRemove };
  // How many keys were counted or removed.
  using Handler = Tier::Handler<Result<std::uint64_t>>;

  // context and backend outlive the walk. Past the deadline it ends with kDeadlineExceeded.
  KeyspaceWalk(TierContext& context, Backend& backend, Purpose purpose, TimePoint deadline,
               Handler handler);

  void start();

 private:
  class Unlink;

  void await_map();
  void request_page();
  void on_page(std::string_view next_cursor, RespReply keys);
  void remove(RespReply keys);
  void on_removed(const Result<std::uint64_t>& removed);
  void go_on();
  void finish(Result<std::uint64_t> result);

  TierContext& context_;
  Backend& backend_;
  const Purpose purpose_;
  const TimePoint deadline_;
  const Handler handler_;
  std::vector<std::optional<ServerAddress>> keyspaces_;  // still to go through, the next one last
  std::uint64_t version_ = 0;
  std::string cursor_ = "0";
  std::uint64_t keys_ = 0;
  std::size_t removals_under_way_ = 0;
  Status removed_;  // the first error
};

}  // namespace llm_edge_cache::redis
