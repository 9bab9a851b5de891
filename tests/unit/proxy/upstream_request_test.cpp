#include "proxy/upstream_request.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache::proxy {
namespace {

http::RequestHead client_head() {
  http::RequestHead head;
  head.method = "POST";
  head.target = "/v1/chat/completions?x=1";
  head.headers = {{"Host", "proxy.local"},
                  {"Authorization", "Bearer a"},
                  {"Content-Type", "application/json"},
                  {"Content-Length", "7"},
                  {"Connection", "keep-alive, X-Hop"},
                  {"X-Hop", "1"},
                  {"Keep-Alive", "timeout=5"},
                  {"Expect", "100-continue"},
                  {"Accept-Encoding", "gzip, br"},
                  {"Cache-Control", "max-age=5"},
                  {"If-None-Match", "\"x\""},
                  {"Range", "bytes=0-1"},
                  {"x-llm-cache-ttl", "5"},
                  {"X-LLM-Cache-Novelty", "5"},
                  {"traceparent", "00-1-2-00"}};
  return head;
}

TEST(UpstreamHeadTest, keeps_the_request_and_drops_what_is_between_the_client_and_us) {
  const auto head = upstream_head(client_head(), CorsPolicy({}));
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/v1/chat/completions?x=1");
  for (const auto* kept : {"authorization", "content-type", "content-length", "accept-encoding",
                           "cache-control", "if-none-match", "range", "traceparent"}) {
    EXPECT_TRUE(head.headers.contains(kept)) << kept;
  }
  for (const auto* dropped : {"host", "connection", "x-hop", "keep-alive", "expect",
                              "x-llm-cache-ttl", "x-llm-cache-novelty"}) {
    EXPECT_FALSE(head.headers.contains(dropped)) << dropped;
  }
}

TEST(UpstreamHeadTest, an_origin_that_the_policy_vouches_for_stays_here) {
  auto request = client_head();
  request.headers.add("Origin", "https://app.example");
  const CorsPolicy policy({"https://app.example"});
  EXPECT_FALSE(upstream_head(request, policy).headers.contains("origin"));
  EXPECT_FALSE(recorded_upstream_head(request, policy).headers.contains("origin"));
  EXPECT_TRUE(upstream_head(request, CorsPolicy({})).headers.contains("origin"));
}

TEST(RecordedUpstreamHeadTest, asks_for_the_whole_answer_as_plain_bytes) {
  const auto head = recorded_upstream_head(client_head(), CorsPolicy({}));
  EXPECT_EQ(head.headers.get("accept-encoding"), "identity");
  EXPECT_EQ(head.headers.get("authorization"), "Bearer a");
  EXPECT_EQ(head.headers.get("traceparent"), "00-1-2-00");
  for (const auto* dropped : {"cache-control", "if-none-match", "range", "content-length"}) {
    EXPECT_FALSE(head.headers.contains(dropped)) << dropped;
  }
}

}  // namespace
}  // namespace llm_edge_cache::proxy
