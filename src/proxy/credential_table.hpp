// What the credentials that are no tenant's have used of their limits.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/key_digest.hpp"
#include "base/thread_annotations.hpp"
#include "llm_edge_cache/result.hpp"
#include "proxy/rate_limiter.hpp"
#include "proxy/tenant_table.hpp"

namespace llm_edge_cache::proxy {

// Of each credential by itself, where it is no tenant's.
struct CredentialLimits {
  RateLimit rate = {};
  std::uint64_t max_concurrent = 0;  // 0: any number

  [[nodiscard]] bool any() const { return rate.per_1000_s != 0 || max_concurrent != 0; }
  // kInvalidArgument names the field.
  [[nodiscard]] Status validate() const;

  friend bool operator==(const CredentialLimits&, const CredentialLimits&) = default;
};

struct CredentialState {
  RateLimiter rate;
  ConcurrencyLimiter concurrency;
};
using CredentialStatePtr = std::shared_ptr<CredentialState>;

// Values of now, and counts since the start.
struct CredentialReport {
  std::uint64_t known = 0;
  std::uint64_t shared = 0;  // requests that had to share one state
  std::array<std::uint64_t, kTenantRefusalCount> refused{};
};

// Thread-safe. Credentials are kept as digests under a secret of the process's own.
//
// At most max_entries are known. One is forgotten only where nobody could tell: its bucket is full
// again and none of its requests is under way. Where there is no room and nothing to forget, the
// credentials that are not known share one state until there is: whoever floods the table with
// credentials of his own takes from newcomers, never from those that are known, and gets no limit
// back that he has used up.
class CredentialTable {
 public:
  static constexpr std::size_t kMaxEntries = 65'536;  // about 200 bytes each

  explicit CredentialTable(std::size_t max_entries = kMaxEntries);

  // An empty credential is that of all who have none.
  [[nodiscard]] CredentialStatePtr state_of(std::string_view credential,
                                            RateLimiter::TimePoint now);

  void count_refused(TenantRefusal limit) {
    refused_[static_cast<std::size_t>(limit)].fetch_add(1, std::memory_order_relaxed);
  }
  [[nodiscard]] CredentialReport report() const;

 private:
  struct Hash {
    std::size_t operator()(const KeyDigest& key) const { return key.hash(); }
  };
  using States = std::unordered_map<KeyDigest, CredentialStatePtr, Hash>;
  struct alignas(64) Shard {
    mutable Mutex mu;
    States states LEC_GUARDED_BY(mu);
    std::size_t hand LEC_GUARDED_BY(mu) = 0;  // the bucket that is looked at next
  };
  static constexpr std::size_t kShards = 16;

  // True where one was.
  static bool forget_one(Shard& shard, RateLimiter::TimePoint now) LEC_REQUIRES(shard.mu);

  const std::size_t max_per_shard_;
  const std::string secret_;
  std::array<Shard, kShards> shards_;
  const CredentialStatePtr overflow_ = std::make_shared<CredentialState>();
  std::atomic<std::uint64_t> shared_ = 0;
  std::array<std::atomic<std::uint64_t>, kTenantRefusalCount> refused_{};
};

}  // namespace llm_edge_cache::proxy
