// The commands of leases. A lease is a key of its own, beside the entry's in the same slot, that
// holds the token of whoever has it; each command but the first takes effect only where the token
// is still there. A script is what compares and acts as one in Redis
// (https://redis.io/docs/latest/develop/programmability/eval-intro/).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "tiers/common/budget.hpp"
#include "tiers/redis/operation.hpp"
#include "tiers/redis/tier_context.hpp"

namespace llm_edge_cache::redis {

// In the slot of the entry's key, unless the prefix has braces of its own that are not a pair.
[[nodiscard]] std::string lease_key(const TierContext& context, const KeyDigest& key);
[[nodiscard]] bool is_lease_key(std::string_view stored_key, std::string_view prefix);

// Appends the entry's SET as a script that writes only under the lease, and ends it.
void append_set_under_lease(std::string& out, const TierContext& context, const KeyDigest& key,
                            std::string_view token, std::string_view value, std::uint64_t px_ms);

// Ends whoever's lease there is: what its holder asked for is no longer wanted.
class EndLeaseOperation final : public Operation {
 public:
  EndLeaseOperation(const TierContext& context, const KeyDigest& key, Ticket ticket)
      : context_(context), key_(key), ticket_(std::move(ticket)) {}

  bool append_to(std::string& out) override;
  bool complete(RespReply reply) override { return reply[0].type == RespType::kInteger; }
  void fail(const Error& /*error*/) override {}  // so does the removal behind it, which counts
  [[nodiscard]] std::optional<std::uint16_t> slot() const override { return context_.slot(key_); }

 private:
  const TierContext& context_;
  const KeyDigest key_;
  const Ticket ticket_;
};

class LeaseOperation final : public Operation {
 public:
  enum class Kind { kAcquire, kRenew, kRelease };
  // True: it took effect; false: the lease is another's; an error: not known.
  using Handler = std::function<void(Result<bool>)>;

  LeaseOperation(const TierContext& context, Kind kind, const KeyDigest& key, std::string token,
                 Handler handler)
      : context_(context),
        kind_(kind),
        key_(key),
        token_(std::move(token)),
        handler_(std::move(handler)) {}

  bool append_to(std::string& out) override;
  bool complete(RespReply reply) override;
  void fail(const Error& error) override { handler_(error); }
  [[nodiscard]] std::optional<std::uint16_t> slot() const override { return context_.slot(key_); }
  [[nodiscard]] bool is_optional() const override { return true; }

 private:
  const TierContext& context_;
  const Kind kind_;
  const KeyDigest key_;
  const std::string token_;
  const Handler handler_;
};

}  // namespace llm_edge_cache::redis
