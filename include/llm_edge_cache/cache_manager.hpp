// CacheManager: the library's front door.
//
//   auto cache = CacheManager();  // memory only
//   auto cache = CacheManager::with_l2({.url = "redis://cache:6379"});
//   auto cache = CacheManager::builder().l1({.max_entries = 50'000}).name_space("a").build();
//
// A manager is a handle: copies share one cache, which lives until the last copy is gone. That
// destruction flushes pending L2 writes for at most L2Config::shutdown_flush_ms, completes every
// outstanding handler and joins the threads; where it happens inside a completion handler, on one
// of those threads, another thread does it, and the program's exit waits for that.
// A moved-from manager may only be assigned to or destroyed.
//
// Thread-safety: every call from any thread. Blocking calls must not be made on the manager's own
// threads, where handlers run that have no executor: there they fail with kInvalidArgument before
// they would wait for L2.
//
// Errors: a tier that fails is a miss, counted and visible in health_check(); calls fail only for
// requests that have no key (kInvalidArgument) and where L2 is the whole point of the call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "llm_edge_cache/cacheable_request.hpp"
#include "llm_edge_cache/cached_response.hpp"
#include "llm_edge_cache/clock.hpp"
#include "llm_edge_cache/config.hpp"
#include "llm_edge_cache/detail/completion.hpp"
#include "llm_edge_cache/health.hpp"
#include "llm_edge_cache/lookup_result.hpp"
#include "llm_edge_cache/metrics_snapshot.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache {

class CacheManagerBuilder;

// How an answer is stored. Designated initializers or a chain, as you like:
//   cache.store(request, answer, StoreOptions().with_ttl_ms(60'000).with_tags({"docs"}));
struct StoreOptions {
  static constexpr std::size_t kMaxTags = 16;
  static constexpr std::size_t kMaxTagBytes = 64;

  std::optional<std::uint64_t> ttl_ms;  // as of store_with_ttl(); nothing: as of store()
  std::vector<std::string> tags;        // what purge_tag() may name; at most kMaxTags

  StoreOptions& with_ttl_ms(std::uint64_t value) & {
    ttl_ms = value;
    return *this;
  }
  StoreOptions& with_tags(std::vector<std::string> value) & {
    tags = std::move(value);
    return *this;
  }
  StoreOptions&& with_ttl_ms(std::uint64_t value) && { return std::move(with_ttl_ms(value)); }
  StoreOptions&& with_tags(std::vector<std::string> value) && {
    return std::move(with_tags(std::move(value)));
  }
};

class CacheManager {
 public:
  CacheManager();  // L1 only, with L1Config's defaults
  // Throws std::invalid_argument where the configuration is not valid. A server that is down is not
  // an error: the manager runs on L1 and keeps trying.
  [[nodiscard]] static CacheManager with_l2(L2Config config);
  [[nodiscard]] static CacheManagerBuilder builder();

  // L1, then L2, whose answers enter L1 with the life that they have left. Blocks for L2's
  // operation timeout at most; a failed tier is a miss.
  [[nodiscard]] Result<CacheLookupResult> lookup(const CacheableRequest& request) const;

  // Puts the answer into L1 at once and queues it for L2. It lives for L2Config::ttl_ms, or
  // L1Config::ttl_ms where there is no L2. kTooLarge where it exceeds L1Config::max_bytes; an
  // answer over L2Config::max_entry_bytes stays out of L2, counted as a dropped write.
  Status store(const CacheableRequest& request, CachedResponse response) const;
  // The answer lives for ttl_ms instead; a tier still lets go of it after its own ttl_ms, and L1
  // after its tti_ms. 0 is kInvalidArgument.
  Status store_with_ttl(const CacheableRequest& request, CachedResponse response,
                        std::uint64_t ttl_ms) const;

  // With tags. Where this cache has not met a tag yet, L2 is asked for it first: the call then
  // takes an operation timeout at most, and inside a completion handler the answer enters the tiers
  // after it returned. A purge while the call runs wins. kInvalidArgument for more or longer tags
  // than StoreOptions allows.
  Status store(const CacheableRequest& request, CachedResponse response,
               const StoreOptions& options) const;

  // Ends every answer stored under the tag, in this cache and for all who share its L2, at once and
  // however many there are. L1 of another process ends them when it hears of that
  // (L2Config::coherence). Their bytes stay in the tiers until they expire or are evicted. Fails as
  // invalidate does.
  Status purge_tag(std::string_view tag) const;

  // Removes the answer from every tier; true where any tier had it. When it returns, no lookup that
  // was under way can bring the answer back. Fails where L2 is configured and could not be told:
  // L1 has forgotten it all the same.
  Result<bool> invalidate(const CacheableRequest& request) const;
  // Empties every tier (in L2: this manager's key prefix). Fails as invalidate does.
  Status clear_all() const;

  // Asks L2 (a ping within the operation timeout). On the manager's own threads L2 counts as ill.
  [[nodiscard]] HealthStatus health_check() const;
  [[nodiscard]] MetricsSnapshot metrics_snapshot() const;

  [[nodiscard]] std::size_t l1_entry_count() const;
  // Entries under this manager's prefix, by SCAN; kUnavailable without a reachable L2.
  [[nodiscard]] Result<std::uint64_t> l2_approximate_size() const;
  [[nodiscard]] bool has_l2() const;

  // Waits until what was stored before the call has reached L2 or was dropped. kDeadlineExceeded
  // after timeout_ms, or after L2Config::shutdown_flush_ms where that is less.
  Status flush(std::uint64_t timeout_ms) const;

  // As the calls above, completing a token (callback, use_future, use_awaitable, ..) with one
  // Result or HealthStatus. A handler with an executor of its own is posted there. One without (a
  // plain callback, a future) completes inside the call where there is nothing to wait for: L1 has
  // the answer, or L2 is absent or known to be away. Else it completes on one of the manager's
  // threads, which it must not block.
  template <class CompletionToken>
  auto async_lookup(const CacheableRequest& request, CompletionToken&& token) const {
    return detail::initiate<Result<CacheLookupResult>>(
        [*this, request](auto done) { start_lookup(request, std::move(done)); },
        std::forward<CompletionToken>(token));
  }
  // Completes when the answer is in L1 and queued for L2, as store() returns.
  template <class CompletionToken>
  auto async_store(const CacheableRequest& request, CachedResponse response,
                   CompletionToken&& token) const {
    return detail::initiate<Status>(
        [*this, request, response = std::move(response)](auto done) mutable {
          done(store(request, std::move(response)));
        },
        std::forward<CompletionToken>(token));
  }
  template <class CompletionToken>
  auto async_store_with_ttl(const CacheableRequest& request, CachedResponse response,
                            std::uint64_t ttl_ms, CompletionToken&& token) const {
    return detail::initiate<Status>(
        [*this, request, response = std::move(response), ttl_ms](auto done) mutable {
          done(store_with_ttl(request, std::move(response), ttl_ms));
        },
        std::forward<CompletionToken>(token));
  }
  template <class CompletionToken>
  auto async_purge_tag(std::string tag, CompletionToken&& token) const {
    return detail::initiate<Status>(
        [*this, tag = std::move(tag)](auto done) { start_purge_tag(tag, std::move(done)); },
        std::forward<CompletionToken>(token));
  }
  template <class CompletionToken>
  auto async_invalidate(const CacheableRequest& request, CompletionToken&& token) const {
    return detail::initiate<Result<bool>>(
        [*this, request](auto done) { start_invalidate(request, std::move(done)); },
        std::forward<CompletionToken>(token));
  }
  template <class CompletionToken>
  auto async_clear_all(CompletionToken&& token) const {
    return detail::initiate<Status>([*this](auto done) { start_clear_all(std::move(done)); },
                                    std::forward<CompletionToken>(token));
  }
  template <class CompletionToken>
  auto async_health_check(CompletionToken&& token) const {
    return detail::initiate<HealthStatus>(
        [*this](auto done) { start_health_check(std::move(done)); },
        std::forward<CompletionToken>(token));
  }

 private:
  friend class CacheManagerBuilder;
  class Impl;

  template <class T>
  using Done = detail::Done<T>;

  explicit CacheManager(std::shared_ptr<Impl> impl);

  void start_lookup(const CacheableRequest& request, Done<Result<CacheLookupResult>> done) const;
  void start_invalidate(const CacheableRequest& request, Done<Result<bool>> done) const;
  void start_purge_tag(const std::string& tag, Done<Status> done) const;
  void start_clear_all(Done<Status> done) const;
  void start_health_check(Done<HealthStatus> done) const;

  std::shared_ptr<Impl> impl_;
};

// Collects what differs from the defaults; build() may be called once per cache wanted.
class CacheManagerBuilder {
 public:
  CacheManagerBuilder& l1(L1Config config);
  CacheManagerBuilder& l2(L2Config config);
  // The namespace of requests that name none; default "".
  CacheManagerBuilder& name_space(std::string name);
  CacheManagerBuilder& clock(ClockPtr clock);

  // Throws std::invalid_argument, naming the field, where a configuration is not valid.
  [[nodiscard]] CacheManager build() const;

 private:
  L1Config l1_;
  std::optional<L2Config> l2_;
  std::string namespace_;
  ClockPtr clock_;
};

}  // namespace llm_edge_cache
