#include "proxy/credential_table.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

#include "base/sha256.hpp"

namespace llm_edge_cache::proxy {
namespace {

constexpr std::uint64_t kMostConcurrent = 1'000'000;
// What a newcomer looks at for one that can be forgotten.
constexpr std::size_t kLookedAtBuckets = 16;

std::string fresh_secret() {
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    throw std::runtime_error("the system has no random bytes");
  }
  return {bytes.begin(), bytes.end()};
}

}  // namespace

Status CredentialLimits::validate() const {
  if (auto status = rate.validate(); !status.ok()) {
    return Error{ErrorCode::kInvalidArgument, "credential_limits: " + status.error().message};
  }
  if (max_concurrent > kMostConcurrent) {
    return Error{ErrorCode::kInvalidArgument,
                 "credential_limits: max_concurrent must be at most 1000000"};
  }
  return {};
}

CredentialTable::CredentialTable(std::size_t max_entries)
    : max_per_shard_(std::max<std::size_t>(1, max_entries / kShards)), secret_(fresh_secret()) {}

CredentialStatePtr CredentialTable::state_of(std::string_view credential,
                                             RateLimiter::TimePoint now) {
  const auto digest = hmac_sha256(secret_, credential);
  Shard& shard = shards_[digest.bytes.back() % kShards];
  const MutexLock lock(shard.mu);
  if (const auto known = shard.states.find(digest); known != shard.states.end()) {
    return known->second;
  }
  if (shard.states.size() >= max_per_shard_ && !forget_one(shard, now)) {
    shared_.fetch_add(1, std::memory_order_relaxed);
    return overflow_;
  }
  return shard.states.emplace(digest, std::make_shared<CredentialState>()).first->second;
}

bool CredentialTable::forget_one(Shard& shard, RateLimiter::TimePoint now) {
  auto& states = shard.states;
  for (std::size_t looked_at = 0; looked_at < kLookedAtBuckets; ++looked_at) {
    const auto bucket = shard.hand++ % states.bucket_count();
    const auto resting =
        std::find_if(states.begin(bucket), states.end(bucket), [&](const auto& at) {
          // Nobody gets a state without the lock: one that only the table has stays so.
          return at.second.use_count() == 1 && at.second->rate.is_at_rest(now);
        });
    if (resting != states.end(bucket)) {
      states.erase(KeyDigest(resting->first));
      return true;
    }
  }
  return false;
}

CredentialReport CredentialTable::report() const {
  CredentialReport report;
  for (const auto& shard : shards_) {
    const MutexLock lock(shard.mu);
    report.known += shard.states.size();
  }
  report.shared = shared_.load(std::memory_order_relaxed);
  std::transform(refused_.begin(), refused_.end(), report.refused.begin(),
                 [](const auto& count) { return count.load(std::memory_order_relaxed); });
  return report;
}

}  // namespace llm_edge_cache::proxy
