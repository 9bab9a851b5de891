// Pages in a browser: whatever way an answer takes, those that are let in can read it, and others
// cannot.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "proxy_fixture.hpp"

namespace llm_edge_cache::proxy::test {
namespace {

constexpr auto kApp = "https://app.example";
constexpr auto kOther = "https://other.example";
constexpr auto kStranger = "https://stranger.example";
constexpr std::size_t kMaxRequestBytes = 1'024;

ProxyTestOptions options_with(std::vector<std::string> origins) {
  ProxyTestOptions options;
  options.proxy.max_request_bytes = kMaxRequestBytes;
  options.proxy.ttl_ms = 60'000;
  options.proxy.stale_while_revalidate_ms = 30'000;
  options.proxy.stale_if_error_ms = 600'000;
  options.proxy.cors_origins = std::move(origins);
  return options;
}

class CorsFlowTest : public ProxyTest {
 protected:
  explicit CorsFlowTest(std::vector<std::string> origins = {kApp, kOther})
      : ProxyTest(options_with(std::move(origins))) {
    answer_as_providers_do();
  }

  void answer_as_providers_do(std::uint16_t status = 200) {
    upstream_.answer_with([status](const UpstreamExchange& exchange) {
      exchange.respond(status == 200 ? std::string(kHelloBody) : "{}",
                       {{"Content-Type", "application/json"},
                        {"Access-Control-Allow-Origin", "https://provider.example"},
                        {"access-control-allow-credentials", "true"},
                        {"access-control-expose-headers", "X-Request-ID"},
                        {"Vary", "Accept-Encoding"},
                        {"x-request-id", "r-1"}},
                       status);
    });
  }
  Answer ask_from(const std::string& origin, const http::Headers& more = {}) {
    auto headers = more;
    headers.add("Origin", origin);
    return ask(kQuestion, headers);
  }
  Answer preflight(const std::string& origin, const std::string& wanted = "authorization") {
    auto head = http::request_head("OPTIONS", "/v1/chat/completions");
    head.headers.add("Origin", origin);
    head.headers.add("Access-Control-Request-Method", "POST");
    if (!wanted.empty()) head.headers.add("Access-Control-Request-Headers", wanted);
    return settled([&] { return start(head, "").wait(); });
  }

  static std::size_t count(const Answer& answer, std::string_view name) {
    return answer.outcome.head ? answer.outcome.head->headers.count(name) : 0;
  }
  // What a browser looks at.
  static void expect_readable(const Answer& answer, const std::string& origin) {
    EXPECT_EQ(answer.header("access-control-allow-origin"), origin);
    EXPECT_EQ(count(answer, "access-control-allow-origin"), 1U);
    EXPECT_EQ(answer.header("access-control-expose-headers"), "*");
    EXPECT_EQ(count(answer, "access-control-allow-credentials"), 0U);
    EXPECT_TRUE(answer.outcome.head && answer.outcome.head->headers.has_token("vary", "origin"));
  }
  static void expect_unreadable(const Answer& answer) {
    EXPECT_EQ(count(answer, "access-control-allow-origin"), 0U);
    EXPECT_EQ(count(answer, "access-control-expose-headers"), 0U);
    EXPECT_EQ(count(answer, "access-control-allow-credentials"), 0U);
    EXPECT_TRUE(answer.outcome.head && answer.outcome.head->headers.has_token("vary", "origin"));
  }
};

TEST_F(CorsFlowTest, a_miss_has_the_policys_word_in_place_of_the_providers) {
  const auto miss = ask_from(kApp);
  expect_readable(miss, kApp);
  EXPECT_TRUE(miss.outcome.head->headers.has_token("vary", "accept-encoding"));
  EXPECT_EQ(miss.header("x-request-id"), "r-1");
}

TEST_F(CorsFlowTest, each_origin_has_its_own_hit_of_what_another_stored) {
  (void)ask_from(kApp);
  for (const auto* origin : {kOther, kApp, kOther}) {
    const auto hit = ask_from(origin);
    EXPECT_TRUE(hit.is_hit());
    expect_readable(hit, origin);
  }
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(CorsFlowTest, who_is_not_named_or_is_no_page_gets_the_answer_and_no_permission) {
  expect_unreadable(ask_from(kStranger));
  const auto hit = ask_from(kStranger);
  EXPECT_TRUE(hit.is_hit());
  expect_unreadable(hit);
  expect_unreadable(ask(kQuestion));
  expect_readable(ask_from(kApp), kApp);
}

TEST_F(CorsFlowTest, a_repeated_head_is_told_the_same_again) {
  for (int i = 0; i < 3; ++i) expect_readable(ask_from(kApp), kApp);
  EXPECT_EQ(requests(LookupOutcome::kL1Hit), 2U);
}

TEST_F(CorsFlowTest, pages_that_share_a_call_are_each_told_their_own_origin) {
  upstream_.answer_with({});
  auto first = start_chat(kQuestion, {{"Origin", kApp}});
  const auto call = upstream_.next();
  auto second = start_chat(kQuestion, {{"Origin", kOther}});
  auto third = start_chat(kQuestion);
  ASSERT_TRUE(eventually([&] { return l1_->counters().misses == 3; }));
  call.respond(std::string(kHelloBody),
               {{"Content-Type", "application/json"}, {"Access-Control-Allow-Origin", kApp}});
  expect_readable(first.wait(), kApp);
  expect_readable(second.wait(), kOther);
  expect_unreadable(third.wait());
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(CorsFlowTest, a_stream_is_readable_as_it_comes_and_again_from_memory) {
  answer_stream(hello_stream());
  const http::Headers headers{{"Origin", kApp}};
  const auto miss = ask(kStreamQuestion, headers);
  EXPECT_EQ(miss.header("content-type"), "text/event-stream");
  expect_readable(miss, kApp);
  const auto hit = ask(kStreamQuestion, headers);
  EXPECT_TRUE(hit.is_hit());
  expect_readable(hit, kApp);
}

TEST_F(CorsFlowTest, so_are_stale_answers_and_what_stands_in_for_a_provider_that_fails) {
  (void)ask_from(kApp);
  clock_->advance_ms(61'000);
  answer_as_providers_do(503);
  const auto stale = ask_from(kOther);
  EXPECT_NE(stale.cache_status().find("stale_while_revalidate"), std::string::npos);
  expect_readable(stale, kOther);
  clock_->advance_ms(60'000);
  const auto instead = ask_from(kOther);
  EXPECT_NE(instead.cache_status().find("stale_if_error"), std::string::npos);
  expect_readable(instead, kOther);
}

TEST_F(CorsFlowTest, so_are_errors_of_the_provider_of_the_proxy_and_of_its_server) {
  const auto not_cached = ask_from(kApp, {{"Cache-Control", "only-if-cached"}});
  EXPECT_EQ(not_cached.status(), 504);
  expect_readable(not_cached, kApp);
  const auto directive = ask_from(kApp, {{"x-llm-cache-ttl", "soon"}});
  EXPECT_EQ(directive.status(), 400);
  expect_readable(directive, kApp);
  const auto too_large = settled([&] {
    return start_chat(std::string(kMaxRequestBytes + 1, ' '), {{"Origin", kApp}}).wait();
  });
  EXPECT_EQ(too_large.status(), 413);
  expect_readable(too_large, kApp);
  answer_as_providers_do(429);
  const auto limit = ask_from(kApp, {{"Cache-Control", "no-store"}});
  EXPECT_EQ(limit.status(), 429);
  expect_readable(limit, kApp);
}

TEST_F(CorsFlowTest, so_is_what_passes_through_and_options_that_ask_for_no_permission) {
  for (const auto* method : {"GET", "OPTIONS"}) {
    auto head = http::request_head(method, "/v1/models");
    head.headers.add("Origin", kApp);
    expect_readable(settled([&] { return start(head, "").wait(); }), kApp);
  }
  EXPECT_EQ(upstream_.calls(), 2);
}

TEST_F(CorsFlowTest, so_are_embeddings_from_the_provider_and_from_memory) {
  upstream_.answer_with([](const UpstreamExchange& exchange) {
    exchange.respond(
        R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],)"
        R"("model":"e-1","usage":{"prompt_tokens":1,"total_tokens":1}})",
        {{"Content-Type", "application/json"}, {"Access-Control-Allow-Origin", kOther}});
  });
  for (int i = 0; i < 2; ++i) {
    auto head = http::request_head("POST", "/v1/embeddings");
    head.headers = {{"Content-Type", "application/json"}, {"Origin", kApp}};
    const auto answer =
        settled([&] { return start(head, R"({"model":"e-1","input":"Hi"})").wait(); });
    EXPECT_EQ(answer.is_hit(), i == 1);
    expect_readable(answer, kApp);
  }
}

TEST_F(CorsFlowTest, a_preflight_is_answered_here) {
  const auto yes = preflight(kApp, "authorization,content-type,x-stainless-os");
  EXPECT_EQ(yes.status(), 204);
  EXPECT_EQ(yes.body(), "");
  EXPECT_EQ(count(yes, "content-length"), 0U);
  expect_readable(yes, kApp);
  EXPECT_EQ(yes.header("access-control-allow-methods"), "GET, HEAD, POST, PUT, PATCH, DELETE");
  EXPECT_EQ(yes.header("access-control-allow-headers"),
            "authorization,content-type,x-stainless-os");
  EXPECT_EQ(yes.header("access-control-max-age"), "86400");
  EXPECT_EQ(upstream_.calls(), 0);
  EXPECT_EQ(requests(LookupOutcome::kBypass), 0U);
}

TEST_F(CorsFlowTest, a_preflight_of_a_stranger_is_refused_in_the_words_of_the_path) {
  const auto no = preflight(kStranger);
  EXPECT_EQ(no.status(), 403);
  EXPECT_NE(no.body().find(R"("code":"origin_not_allowed")"), std::string::npos);
  EXPECT_EQ(no.cache_status(), "llm-edge-cache; detail=origin_not_allowed");
  expect_unreadable(no);
  EXPECT_EQ(count(no, "access-control-allow-methods"), 0U);
  EXPECT_EQ(upstream_.calls(), 0);
}

TEST_F(CorsFlowTest, only_names_of_fields_are_echoed) {
  for (const auto* wanted : {"a b", "x-a, b:c", "", ", ,x y"}) {
    const auto answer = preflight(kApp, wanted);
    EXPECT_EQ(answer.status(), 204) << wanted;
    EXPECT_EQ(count(answer, "access-control-allow-headers"), 0U) << wanted;
  }
}

TEST_F(CorsFlowTest, the_provider_is_not_asked_what_it_thinks_of_an_origin_that_is_let_in) {
  std::string seen;
  upstream_.answer_with([&seen](const UpstreamExchange& exchange) {
    seen = exchange.head().headers.get("origin").value_or("none");
    exchange.respond_json("{}");
  });
  (void)ask_from(kApp);
  EXPECT_EQ(seen, "none");
  (void)ask_from(kStranger);
  EXPECT_EQ(seen, kStranger);
  auto head = http::request_head("GET", "/v1/models");
  head.headers.add("Origin", kApp);
  (void)settled([&] { return start(head, "").wait(); });
  EXPECT_EQ(seen, "none");
}

TEST_F(CorsFlowTest, a_reload_counts_for_the_next_request_of_a_head_that_is_known) {
  (void)ask_from(kStranger);
  auto options = options_with({kStranger});
  options.proxy.upstream_url = upstream_.url();
  ASSERT_TRUE(proxy_->reload(options.proxy).ok());
  expect_readable(ask_from(kStranger), kStranger);
  expect_unreadable(ask_from(kApp));
  EXPECT_EQ(preflight(kStranger).status(), 204);
  options.proxy.cors_origins = {"no origin"};
  EXPECT_FALSE(proxy_->reload(options.proxy).ok());
  expect_readable(ask_from(kStranger), kStranger);
}

class CorsStarTest : public CorsFlowTest {
 protected:
  CorsStarTest() : CorsFlowTest({"*"}) {}
};

TEST_F(CorsStarTest, says_the_same_to_all_and_varies_with_nobody) {
  for (const auto* origin : {kApp, kStranger, "null"}) {
    const auto answer = ask_from(origin);
    EXPECT_EQ(answer.header("access-control-allow-origin"), "*");
    EXPECT_EQ(count(answer, "access-control-allow-origin"), 1U);
    EXPECT_EQ(count(answer, "access-control-allow-credentials"), 0U);
    EXPECT_FALSE(answer.outcome.head->headers.has_token("vary", "origin"));
  }
  EXPECT_EQ(ask(kQuestion).header("access-control-allow-origin"), "*");
  EXPECT_EQ(preflight(kStranger).status(), 204);
}

class NoCorsTest : public CorsFlowTest {
 protected:
  NoCorsTest() : CorsFlowTest(std::vector<std::string>()) {}
};

TEST_F(NoCorsTest, the_providers_word_passes_with_its_own_answer_and_with_no_other) {
  const auto miss = ask_from(kApp);
  EXPECT_EQ(miss.header("access-control-allow-origin"), "https://provider.example");
  EXPECT_EQ(miss.header("vary"), "Accept-Encoding");
  const auto hit = ask_from(kApp);
  EXPECT_TRUE(hit.is_hit());
  EXPECT_EQ(count(hit, "access-control-allow-origin"), 0U);
  EXPECT_EQ(count(hit, "vary"), 0U);
}

TEST_F(NoCorsTest, the_provider_is_asked_for_permission_and_sees_the_origin) {
  std::string seen;
  upstream_.answer_with([&seen](const UpstreamExchange& exchange) {
    seen = exchange.head().headers.get("origin").value_or("none");
    exchange.respond("", {{"Access-Control-Allow-Headers", "x-of-the-provider"}}, 204);
  });
  const auto answer = preflight(kApp);
  EXPECT_EQ(answer.header("access-control-allow-headers"), "x-of-the-provider");
  EXPECT_EQ(seen, kApp);
}

}  // namespace
}  // namespace llm_edge_cache::proxy::test
