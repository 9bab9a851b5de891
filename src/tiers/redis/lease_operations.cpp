#include "tiers/redis/lease_operations.hpp"

#include "tiers/redis/command.hpp"

namespace llm_edge_cache::redis {
namespace {

constexpr std::string_view kName = "lease:{";

// KEYS: the lease. ARGV: the token, the time in ms.
constexpr std::string_view kAcquire =
    "if redis.call('SET',KEYS[1],ARGV[1],'NX','PX',ARGV[2]) then return 1 end return 0";
constexpr std::string_view kRenew =
    "if redis.call('GET',KEYS[1])==ARGV[1] then return redis.call('PEXPIRE',KEYS[1],ARGV[2]) end "
    "return 0";
constexpr std::string_view kRelease =
    "if redis.call('GET',KEYS[1])==ARGV[1] then return redis.call('UNLINK',KEYS[1]) end return 0";
// KEYS: the lease, the entry. ARGV: the token, the entry, its life in ms.
constexpr std::string_view kSet =
    "if redis.call('GET',KEYS[1])~=ARGV[1] then return 0 end "
    "redis.call('SET',KEYS[2],ARGV[2],'PX',ARGV[3]) redis.call('UNLINK',KEYS[1]) return 1";

std::string_view script_of(LeaseOperation::Kind kind) {
  switch (kind) {
    case LeaseOperation::Kind::kAcquire:
      return kAcquire;
    case LeaseOperation::Kind::kRenew:
      return kRenew;
    case LeaseOperation::Kind::kRelease:
      break;
  }
  return kRelease;
}

}  // namespace

std::string lease_key(const TierContext& context, const KeyDigest& key) {
  std::string name = context.config.key_prefix;
  name += kName;
  name += context.stored_key(key);
  name += '}';
  return name;
}

bool is_lease_key(std::string_view stored_key, std::string_view prefix) {
  return stored_key.starts_with(prefix) && stored_key.substr(prefix.size()).starts_with(kName);
}

void append_set_under_lease(std::string& out, const TierContext& context, const KeyDigest& key,
                            std::string_view token, std::string_view value, std::uint64_t px_ms) {
  append_command(out, {"EVAL", kSet, "2", lease_key(context, key), context.stored_key(key), token,
                       value, std::to_string(px_ms)});
}

bool EndLeaseOperation::append_to(std::string& out) {
  append_unlink(out, lease_key(context_, key_));
  return true;
}

bool LeaseOperation::append_to(std::string& out) {
  const std::string lease = lease_key(context_, key_);
  if (kind_ == Kind::kRelease) {
    append_command(out, {"EVAL", script_of(kind_), "1", lease, token_});
  } else {
    append_command(out, {"EVAL", script_of(kind_), "1", lease, token_,
                         std::to_string(context_.config.flight_lease_ms)});
  }
  return true;
}

bool LeaseOperation::complete(RespReply reply) {
  if (reply[0].type != RespType::kInteger) return false;
  handler_(reply[0].integer == 1);
  return true;
}

}  // namespace llm_edge_cache::redis
