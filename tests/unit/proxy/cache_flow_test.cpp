#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "proxy_fixture.hpp"

namespace llm_edge_cache::proxy::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class CacheFlowTest : public ProxyTest {};

TEST_F(CacheFlowTest, the_second_answer_comes_from_memory_in_the_same_bytes) {
  answer_json();
  const auto first = ask(kQuestion);
  const auto second = ask(kQuestion);
  EXPECT_EQ(first.status(), 200);
  EXPECT_EQ(first.body(), kHelloBody);
  EXPECT_EQ(first.cache_status(), "llm-edge-cache; fwd=miss; stored");
  EXPECT_EQ(second.status(), 200);
  EXPECT_EQ(second.body(), kHelloBody);
  EXPECT_EQ(second.cache_status(), "llm-edge-cache; hit; ttl=3600; detail=l1");
  EXPECT_EQ(second.header("content-type"), "application/json");
  EXPECT_EQ(second.header("age"), "0");
  EXPECT_EQ(second.header("x-llm-cache-key").size(), 16U);
  EXPECT_EQ(first.header("x-llm-cache-key"), second.header("x-llm-cache-key"));
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(CacheFlowTest, a_hit_tells_its_age_and_what_is_left_of_its_life) {
  answer_json();
  ask(kQuestion);
  clock_->advance_ms(49'500);
  const auto hit = ask(kQuestion);
  EXPECT_EQ(hit.header("age"), "49");
  EXPECT_EQ(hit.cache_status(), "llm-edge-cache; hit; ttl=3550; detail=l1");
}

TEST_F(CacheFlowTest, a_stream_is_replayed_byte_for_byte) {
  const auto events = ": ping\r\n\r\n" + hello_stream() + ": bye\n\n";
  answer_stream(events);
  const auto first = ask(kStreamQuestion);
  const auto second = ask(kStreamQuestion);
  EXPECT_EQ(first.body(), events);
  EXPECT_EQ(first.cache_status(), "llm-edge-cache; fwd=miss");
  EXPECT_EQ(second.body(), events);
  EXPECT_EQ(second.header("content-type"), "text/event-stream");
  EXPECT_TRUE(second.is_hit());
}

TEST_F(CacheFlowTest, a_stream_passes_as_it_comes) {
  auto pending = start_chat(kStreamQuestion);
  const auto call = upstream_.next();
  call.start_stream();
  const auto first = sse({kRoleChunk});
  call.write(first);
  EXPECT_TRUE(pending.eventually_received(first.size()));
  call.write(sse({kHelloChunk, kStopChunk, kDone}));
  call.finish();
  EXPECT_EQ(pending.wait().body(), sse({kRoleChunk, kHelloChunk, kStopChunk, kDone}));
}

TEST_F(CacheFlowTest, a_recorded_stream_answers_a_request_for_json) {
  answer_stream(hello_stream_with_usage());
  ask(kUsageQuestion);
  const auto hit = ask(kQuestion);
  EXPECT_TRUE(hit.is_hit());
  EXPECT_EQ(hit.header("content-type"), "application/json");
  EXPECT_EQ(json::parse(hit.body()), json::parse(kHelloBody));
}

TEST_F(CacheFlowTest, a_stored_body_answers_a_request_for_a_stream) {
  answer_json();
  ask(kQuestion);
  const auto hit = ask(kUsageQuestion);
  EXPECT_TRUE(hit.is_hit());
  EXPECT_THAT(hit.header("content-type"), HasSubstr("text/event-stream"));
  EXPECT_TRUE(hit.body().ends_with("data: [DONE]\n\n"));
  EXPECT_THAT(hit.body(), HasSubstr(R"("total_tokens":5)"));
}

TEST_F(CacheFlowTest, usage_that_was_not_recorded_is_asked_for_and_then_kept) {
  answer_stream(hello_stream());
  ask(kStreamQuestion);
  answer_stream(hello_stream_with_usage());
  const auto second = ask(kUsageQuestion);
  EXPECT_FALSE(second.is_hit());
  EXPECT_EQ(second.body(), hello_stream_with_usage());
  EXPECT_TRUE(ask(kUsageQuestion).is_hit());
  const auto without = ask(kStreamQuestion);
  EXPECT_TRUE(without.is_hit());
  EXPECT_EQ(without.body(), hello_stream());
  EXPECT_EQ(upstream_.calls(), 2);
}

TEST_F(CacheFlowTest, one_credential_never_gets_what_another_stored) {
  answer_json();
  ask(kQuestion, {{"Authorization", "Bearer a"}});
  EXPECT_FALSE(ask(kQuestion, {{"Authorization", "Bearer b"}}).is_hit());
  EXPECT_FALSE(ask(kQuestion).is_hit());
  EXPECT_FALSE(
      ask(kQuestion, {{"Authorization", "Bearer b"}, {"Authorization", "Bearer a"}}).is_hit());
  EXPECT_TRUE(ask(kQuestion, {{"Authorization", "Bearer a"}}).is_hit());
}

TEST_F(CacheFlowTest, a_namespace_reaches_nobody_elses_answers) {
  answer_json();
  const http::Headers a = {{"Authorization", "Bearer a"}, {"x-llm-cache-namespace", "n"}};
  ask(kQuestion, a);
  EXPECT_TRUE(ask(kQuestion, a).is_hit());
  EXPECT_FALSE(ask(kQuestion, {{"Authorization", "Bearer a"}}).is_hit());
  EXPECT_FALSE(
      ask(kQuestion, {{"Authorization", "Bearer b"}, {"x-llm-cache-namespace", "n"}}).is_hit());
}

TEST_F(CacheFlowTest, a_hit_repeats_nothing_of_the_header_that_the_answer_came_with) {
  upstream_.answer_with([](const UpstreamExchange& exchange) {
    exchange.respond(std::string(kHelloBody), {{"Content-Type", "application/json"},
                                               {"Set-Cookie", "session=secret"},
                                               {"x-request-id", "req_1"},
                                               {"x-ratelimit-remaining", "7"}});
  });
  const auto first = ask(kQuestion);
  EXPECT_EQ(first.header("set-cookie"), "session=secret");
  EXPECT_EQ(first.header("x-request-id"), "req_1");
  const auto hit = ask(kQuestion);
  for (const auto* name : {"set-cookie", "x-request-id", "x-ratelimit-remaining"}) {
    EXPECT_EQ(hit.header(name), "") << name;
  }
}

TEST_F(CacheFlowTest, the_upstream_is_asked_as_the_client_asked_but_for_what_is_ours) {
  auto pending = start_chat(kQuestion, {{"Authorization", "Bearer a"},
                                        {"Cache-Control", "max-age=5"},
                                        {"Accept-Encoding", "gzip"},
                                        {"x-llm-cache-ttl", "60"},
                                        {"x-llm-cache-namespace", "n"},
                                        {"x-llm-cache-tags", "t"},
                                        {"traceparent", "00-1-2-01"}});
  const auto call = upstream_.next();
  EXPECT_EQ(call.body(), kQuestion);
  EXPECT_EQ(call.head().target, "/v1/chat/completions");
  EXPECT_EQ(call.head().headers.get("authorization"), "Bearer a");
  EXPECT_EQ(call.head().headers.get("accept-encoding"), "identity");
  EXPECT_EQ(call.head().headers.get("traceparent"), "00-1-2-01");
  for (const auto* name :
       {"cache-control", "x-llm-cache-ttl", "x-llm-cache-namespace", "x-llm-cache-tags"}) {
    EXPECT_FALSE(call.head().headers.contains(name)) << name;
  }
  EXPECT_EQ("http://" + std::string(*call.head().headers.get("host")), upstream_.url());
  call.respond_json(std::string(kHelloBody));
  pending.wait();
}

TEST_F(CacheFlowTest, no_store_leaves_no_trace) {
  answer_json();
  EXPECT_EQ(ask(kQuestion, {{"Cache-Control", "no-store"}}).cache_status(),
            "llm-edge-cache; fwd=request");
  EXPECT_FALSE(ask(kQuestion).is_hit());
  EXPECT_FALSE(ask(kQuestion, {{"Cache-Control", "no-store"}}).is_hit());
  EXPECT_EQ(upstream_.calls(), 3);
}

TEST_F(CacheFlowTest, no_cache_replaces_what_is_stored) {
  answer_json();
  ask(kQuestion);
  auto body = json::parse(kHelloBody);
  body["id"] = "newer";
  answer_json(body.dump());
  EXPECT_EQ(ask(kQuestion, {{"Cache-Control", "no-cache"}}).cache_status(),
            "llm-edge-cache; fwd=request; stored");
  const auto hit = ask(kQuestion);
  EXPECT_TRUE(hit.is_hit());
  EXPECT_EQ(hit.body(), body.dump());
}

TEST_F(CacheFlowTest, only_if_cached_never_calls_it_for_what_is_not_cached_either) {
  answer_json();
  const auto answer =
      ask(R"({"model":"m-1","stream":true,"stream_options":{"unknown":1},"messages":[]})",
          {{"Cache-Control", "only-if-cached"}});
  EXPECT_EQ(answer.status(), 504);
  EXPECT_EQ(upstream_.calls(), 0);
}

TEST_F(CacheFlowTest, only_if_cached_never_calls_the_upstream) {
  answer_json();
  const auto miss = ask(kQuestion, {{"Cache-Control", "only-if-cached"}});
  EXPECT_EQ(miss.status(), 504);
  EXPECT_EQ(json::parse(miss.body())["error"]["code"], "not_cached");
  EXPECT_EQ(requests(LookupOutcome::kMiss), 1U);
  EXPECT_EQ(upstream_.calls(), 0);
  ask(kQuestion);
  EXPECT_TRUE(ask(kQuestion, {{"Cache-Control", "only-if-cached"}}).is_hit());
}

TEST_F(CacheFlowTest, max_age_refuses_what_is_older) {
  answer_json();
  ask(kQuestion);
  clock_->advance_ms(11'000);
  EXPECT_TRUE(ask(kQuestion, {{"Cache-Control", "max-age=11"}}).is_hit());
  EXPECT_FALSE(ask(kQuestion, {{"Cache-Control", "max-age=10"}}).is_hit());
  EXPECT_TRUE(ask(kQuestion, {{"Cache-Control", "max-age=10"}}).is_hit());
  EXPECT_EQ(upstream_.calls(), 2);
}

TEST_F(CacheFlowTest, a_request_can_shorten_the_life_of_its_answer) {
  answer_json();
  ask(kQuestion, {{"x-llm-cache-ttl", "10"}});
  clock_->advance_ms(9'999);
  EXPECT_EQ(ask(kQuestion).cache_status(), "llm-edge-cache; hit; ttl=0; detail=l1");
  clock_->advance_ms(1);
  EXPECT_FALSE(ask(kQuestion).is_hit());
}

TEST_F(CacheFlowTest, a_life_of_zero_is_not_stored) {
  answer_json();
  EXPECT_EQ(ask(kQuestion, {{"x-llm-cache-ttl", "0"}}).cache_status(), "llm-edge-cache; fwd=miss");
  EXPECT_FALSE(ask(kQuestion).is_hit());
}

TEST_F(CacheFlowTest, a_directive_that_cannot_be_used_is_an_error_that_says_so) {
  const auto answer = ask(kQuestion, {{"x-llm-cache-ttl", "soon"}});
  EXPECT_EQ(answer.status(), 400);
  const auto error = json::parse(answer.body())["error"];
  EXPECT_EQ(error["code"], "invalid_cache_directive");
  EXPECT_THAT(error["message"].get<std::string>(), HasSubstr("x-llm-cache-ttl"));
  EXPECT_EQ(upstream_.calls(), 0);
}

TEST_F(CacheFlowTest, a_body_without_a_key_passes_uncached) {
  answer_json();
  for (const auto* body : {"not json", R"({"model":"a","model":"b"})", "[]"}) {
    for (int i = 0; i < 2; ++i) {
      const auto answer = ask(body);
      EXPECT_EQ(answer.status(), 200);
      EXPECT_EQ(answer.cache_status(), "llm-edge-cache; fwd=bypass");
    }
  }
  EXPECT_EQ(upstream_.calls(), 6);
  EXPECT_EQ(requests(LookupOutcome::kBypass), 6U);
}

TEST_F(CacheFlowTest, counts_what_happened) {
  answer_json();
  ask(kQuestion);
  ask(kQuestion);
  ask(kQuestion, {{"Cache-Control", "no-store"}});
  const auto snapshot = metrics();
  EXPECT_EQ(requests(LookupOutcome::kMiss), 1U);
  EXPECT_EQ(requests(LookupOutcome::kL1Hit), 1U);
  EXPECT_EQ(requests(LookupOutcome::kBypass), 1U);
  EXPECT_EQ(snapshot.requests_total, 3U);
  EXPECT_EQ(snapshot.stores, 1U);
  EXPECT_EQ(snapshot.upstream_calls[static_cast<std::size_t>(UpstreamResult::kOk)], 2U);
  EXPECT_EQ(snapshot.upstream_latency.count, 2U);
  EXPECT_EQ(snapshot.upstream_time_to_first_byte.count, 2U);
  EXPECT_EQ(snapshot.flights_active, 0U);
  EXPECT_EQ(snapshot.tokens_saved_by_model.at("m-1"), 5U);
}

}  // namespace
}  // namespace llm_edge_cache::proxy::test
