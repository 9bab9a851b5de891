// Goes once through the entries under a prefix: SCAN, one page at a time, and a GET for each key of
// a page. In a cluster one primary after the other.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tier.hpp"
#include "tiers/redis/backend.hpp"
#include "tiers/redis/tier_context.hpp"

namespace llm_edge_cache::redis {

// Memory: the entries of one page. Nothing is under way between two calls of next().
class EntryWalk final : public TierWalk, public std::enable_shared_from_this<EntryWalk> {
 public:
  using Get = std::function<void(const KeyDigest&, Tier::Handler<Result<EntryPtr>>)>;

  // context, backend and what `get` refers to outlive the walk.
  EntryWalk(TierContext& context, Backend& backend, Get get)
      : context_(context), backend_(backend), get_(std::move(get)) {}

  void next(Handler handler) override;

 private:
  class PageOfEntries;

  void await_map();
  void scan();
  void on_page(std::string_view next_cursor, RespReply nodes);
  void fetch(const std::vector<KeyDigest>& keys);
  void finish(Result<std::vector<KeyedEntry>> page);
  [[nodiscard]] std::optional<KeyDigest> key_of(std::string_view stored_key) const;

  TierContext& context_;
  Backend& backend_;
  const Get get_;
  Handler handler_;
  bool has_begun_ = false;
  std::vector<std::optional<ServerAddress>> keyspaces_;  // still to go through, the next one last
  std::string cursor_ = "0";
};

}  // namespace llm_edge_cache::redis
