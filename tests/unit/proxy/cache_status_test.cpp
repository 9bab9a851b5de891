#include "proxy/cache_status.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache::proxy {
namespace {

std::string hit_field(std::int64_t ttl_s, std::string_view detail) {
  http::FieldLines fields;
  add_hit_status(fields, ttl_s, detail);
  return std::string(fields.text());
}

TEST(CacheStatusTest, a_hit_says_how_long_it_lives_and_where_it_was) {
  EXPECT_EQ(hit_field(251, "l1"), "Cache-Status: llm-edge-cache; hit; ttl=251; detail=l1\r\n");
}

TEST(CacheStatusTest, a_stale_hit_has_less_than_nothing_left) {
  EXPECT_EQ(hit_field(-30, "stale_while_revalidate"),
            "Cache-Status: llm-edge-cache; hit; ttl=-30; detail=stale_while_revalidate\r\n");
}

TEST(CacheStatusTest, what_is_given_for_an_error_was_forwarded_and_is_no_hit) {
  EXPECT_EQ(fallback_status({.upstream_status = std::uint16_t{503}, .ttl_s = -30}),
            "llm-edge-cache; fwd=stale; fwd-status=503; ttl=-30; detail=stale_if_error");
  EXPECT_EQ(fallback_status({.reason = ForwardReason::kRequest, .is_collapsed = true, .ttl_s = 5}),
            "llm-edge-cache; fwd=request; collapsed; ttl=5; detail=stale_if_error");
}

TEST(CacheStatusTest, a_miss_says_if_it_is_stored_now) {
  EXPECT_EQ(forward_status({}), "llm-edge-cache; fwd=miss");
  EXPECT_EQ(forward_status({.is_stored = true}), "llm-edge-cache; fwd=miss; stored");
  EXPECT_EQ(forward_status({.is_collapsed = true}), "llm-edge-cache; fwd=miss; collapsed");
}

TEST(CacheStatusTest, a_status_is_told_where_it_is_not_200) {
  EXPECT_EQ(forward_status({.upstream_status = std::uint16_t{200}}), "llm-edge-cache; fwd=miss");
  EXPECT_EQ(forward_status({.upstream_status = std::uint16_t{429}}),
            "llm-edge-cache; fwd=miss; fwd-status=429");
}

TEST(CacheStatusTest, other_reasons_have_their_tokens) {
  EXPECT_EQ(forward_status({.reason = ForwardReason::kBypass}), "llm-edge-cache; fwd=bypass");
  EXPECT_EQ(forward_status({.reason = ForwardReason::kStale}), "llm-edge-cache; fwd=stale");
  EXPECT_EQ(forward_status({.reason = ForwardReason::kRequest, .detail = "upstream_timeout"}),
            "llm-edge-cache; fwd=request; detail=upstream_timeout");
}

// RFC 9211, 2.2: `fwd` says that the request went forward.
TEST(CacheStatusTest, what_went_nowhere_is_neither_forwarded_nor_a_hit) {
  EXPECT_EQ(refusal_status("not_cached"), "llm-edge-cache; detail=not_cached");
}

TEST(CacheStatusTest, earlier_caches_keep_their_word) {
  http::Headers headers = {{"Cache-Status", "origin-cache; hit"}};
  add_cache_status(headers, "llm-edge-cache; fwd=miss");
  EXPECT_EQ(headers.all("cache-status").size(), 2U);
  EXPECT_EQ(headers.get("cache-status"), "origin-cache; hit");
}

}  // namespace
}  // namespace llm_edge_cache::proxy
