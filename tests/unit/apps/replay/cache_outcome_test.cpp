#include "replay/cache_outcome.hpp"

#include <gtest/gtest.h>

#include "proxy/cache_status.hpp"

namespace llm_edge_cache::app {
namespace {

// What the proxy sends as the value of the field.
std::string hit_status(std::int64_t ttl_s, std::string_view detail) {
  http::FieldLines fields;
  proxy::add_hit_status(fields, ttl_s, detail);
  const auto line = fields.text();
  const auto value_at = line.find(": ") + 2;
  return std::string(line.substr(value_at, line.size() - value_at - 2));
}

TEST(CacheOutcomeTest, a_hit_names_its_tier) {
  EXPECT_EQ(parse_cache_outcome("llm-edge-cache; hit; ttl=251; detail=l1"), LookupOutcome::kL1Hit);
  EXPECT_EQ(parse_cache_outcome("llm-edge-cache; hit; detail=l2; ttl=1"), LookupOutcome::kL2Hit);
  EXPECT_EQ(parse_cache_outcome("llm-edge-cache;hit;detail=l3"), LookupOutcome::kL3Hit);
}

TEST(CacheOutcomeTest, stale_is_stale_whether_the_provider_was_asked_or_not) {
  EXPECT_EQ(parse_cache_outcome(hit_status(-1, "stale_while_revalidate")), LookupOutcome::kStale);
  EXPECT_EQ(parse_cache_outcome(hit_status(-1, "max_stale")), LookupOutcome::kStale);
  EXPECT_EQ(parse_cache_outcome(proxy::fallback_status({.is_collapsed = true, .ttl_s = -1})),
            LookupOutcome::kStale);
}

TEST(CacheOutcomeTest, what_was_forwarded_is_no_hit) {
  EXPECT_EQ(parse_cache_outcome("llm-edge-cache; fwd=miss; stored"), LookupOutcome::kMiss);
  EXPECT_EQ(parse_cache_outcome("llm-edge-cache; fwd=miss; collapsed"), LookupOutcome::kCoalesced);
  EXPECT_EQ(parse_cache_outcome("llm-edge-cache; fwd=bypass"), LookupOutcome::kBypass);
  EXPECT_EQ(parse_cache_outcome("llm-edge-cache; fwd=request"), LookupOutcome::kBypass);
}

TEST(CacheOutcomeTest, what_went_nowhere_is_a_bypass) {
  EXPECT_EQ(parse_cache_outcome(proxy::refusal_status("not_cached")), LookupOutcome::kBypass);
}

TEST(CacheOutcomeTest, other_caches_do_not_count) {
  EXPECT_EQ(parse_cache_outcome("cdn; hit"), std::nullopt);
  EXPECT_EQ(parse_cache_outcome(""), std::nullopt);
  EXPECT_EQ(parse_cache_outcome("cdn; hit, llm-edge-cache; fwd=miss"), LookupOutcome::kMiss);
  EXPECT_EQ(parse_cache_outcome("llm-edge-cache; hit; detail=l1, cdn; fwd=miss"),
            LookupOutcome::kL1Hit);
}

TEST(CacheOutcomeTest, of_two_of_ours_the_nearer_counts) {
  EXPECT_EQ(parse_cache_outcome("llm-edge-cache; hit; detail=l1, llm-edge-cache; fwd=miss"),
            LookupOutcome::kMiss);
}

TEST(CacheOutcomeTest, reads_what_the_proxy_writes) {
  EXPECT_EQ(parse_cache_outcome(hit_status(5, "l2")), LookupOutcome::kL2Hit);
  proxy::ForwardStatus forwarded;
  forwarded.is_stored = true;
  EXPECT_EQ(parse_cache_outcome(proxy::forward_status(forwarded)), LookupOutcome::kMiss);
  forwarded.is_collapsed = true;
  EXPECT_EQ(parse_cache_outcome(proxy::forward_status(forwarded)), LookupOutcome::kCoalesced);
  forwarded = {};
  forwarded.reason = proxy::ForwardReason::kBypass;
  EXPECT_EQ(parse_cache_outcome(proxy::forward_status(forwarded)), LookupOutcome::kBypass);
}

}  // namespace
}  // namespace llm_edge_cache::app
