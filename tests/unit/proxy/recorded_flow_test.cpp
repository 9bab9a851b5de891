// What holds for every cached endpoint alike, asked of each.
#include "proxy/recorded_flow.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "base/sha256.hpp"
#include "embedding_fixture.hpp"

namespace llm_edge_cache::proxy::test {
namespace {

using ::testing::HasSubstr;

struct Endpoint {
  std::string name;
  std::string path;
  std::string question;

  friend void PrintTo(const Endpoint& endpoint, std::ostream* out) { *out << endpoint.name; }
};

class RecordedFlowTest : public EmbeddingTest, public ::testing::WithParamInterface<Endpoint> {
 protected:
  explicit RecordedFlowTest(ProxyTestOptions options = small()) : EmbeddingTest(options) {
    upstream_.answer_with([](const UpstreamExchange& exchange) {
      const bool is_chat = exchange.head().path() == "/v1/chat/completions";
      exchange.respond_json(is_chat ? std::string(kHelloBody)
                                    : embeddings_for(json::parse(exchange.body())).dump());
    });
  }
  static ProxyTestOptions small() {
    ProxyTestOptions options;
    options.proxy.max_request_bytes = 1'000;
    return options;
  }

  PendingAnswer begin(const http::Headers& headers = {}) {
    auto head = http::request_head("POST", GetParam().path);
    head.headers = headers;
    return start(std::move(head), GetParam().question);
  }
  Answer asked_with(const http::Headers& headers = {}) {
    return settled([&] { return begin(headers).wait(); });
  }
};

TEST_P(RecordedFlowTest, a_directive_that_cannot_be_used_goes_nowhere) {
  const auto answer = asked_with({{"x-llm-cache-ttl", "soon"}});
  EXPECT_EQ(answer.status(), 400);
  EXPECT_THAT(answer.body(), HasSubstr("invalid_cache_directive"));
  EXPECT_EQ(answer.cache_status(), "llm-edge-cache; detail=invalid_cache_directive");
  EXPECT_EQ(upstream_.calls(), 0);
  EXPECT_EQ(requests(LookupOutcome::kBypass), 1U);
}

TEST_P(RecordedFlowTest, a_body_over_the_bound_is_refused_before_it_is_read) {
  auto head = http::request_head("POST", GetParam().path);
  const auto answer = start(std::move(head), std::string(1'001, ' ')).wait();
  EXPECT_EQ(answer.status(), 413);
  EXPECT_EQ(upstream_.calls(), 0);
}

TEST_P(RecordedFlowTest, a_body_without_a_key_passes_as_it_is) {
  auto head = http::request_head("POST", GetParam().path);
  const std::string twice = R"({"model":"m","model":"m","input":"a","messages":[]})";
  const auto answer = settled([&] { return start(std::move(head), twice).wait(); });
  EXPECT_EQ(answer.cache_status(), "llm-edge-cache; fwd=bypass");
  EXPECT_EQ(upstream_.calls(), 1);
  EXPECT_EQ(metrics().stores, 0U);
}

TEST_P(RecordedFlowTest, only_a_cached_answer_is_an_error_where_none_is_and_where_none_may_be) {
  const auto none = asked_with({{"Cache-Control", "only-if-cached"}});
  EXPECT_EQ(none.status(), 504);
  EXPECT_EQ(requests(LookupOutcome::kMiss), 1U);
  const auto never = asked_with({{"Cache-Control", "only-if-cached, no-store"}});
  EXPECT_EQ(never.status(), 504);
  EXPECT_EQ(requests(LookupOutcome::kBypass), 1U);
  EXPECT_EQ(upstream_.calls(), 0);
}

TEST_P(RecordedFlowTest, only_a_cached_answer_is_given_where_there_is_one) {
  asked_with();
  EXPECT_TRUE(asked_with({{"Cache-Control", "only-if-cached"}}).is_hit());
}

TEST_P(RecordedFlowTest, no_cache_asks_alone_and_replaces_what_is_stored) {
  asked_with();
  EXPECT_EQ(asked_with({{"Cache-Control", "no-cache"}}).cache_status(),
            "llm-edge-cache; fwd=request; stored");
  EXPECT_EQ(metrics().stores, 2U);
  EXPECT_TRUE(asked_with().is_hit());
}

TEST_P(RecordedFlowTest, no_store_asks_alone_and_stores_nothing) {
  EXPECT_EQ(asked_with({{"Cache-Control", "no-store"}}).status(), 200);
  EXPECT_EQ(metrics().stores, 0U);
  EXPECT_FALSE(asked_with().is_hit());
}

TEST_P(RecordedFlowTest, a_client_that_hangs_up_does_not_take_the_answer_from_the_cache) {
  upstream_.answer_with({});
  auto pending = begin();
  const auto call = upstream_.next();
  pending.hang_up();
  call.respond_json(GetParam().name == "chat" ? std::string(kHelloBody)
                                              : embeddings_for(json::parse(call.body())).dump());
  ASSERT_TRUE(eventually([&] { return metrics().stores == 1; }));
  EXPECT_TRUE(asked_with().is_hit());
}

TEST_P(RecordedFlowTest, after_the_stop_what_is_new_is_refused) {
  proxy_->stop();
  const auto answer = begin().wait();
  EXPECT_EQ(answer.status(), 503);
  EXPECT_THAT(answer.body(), HasSubstr("shutting_down"));
  EXPECT_EQ(upstream_.calls(), 0);
}

class TenantsRecordedFlowTest : public RecordedFlowTest {
 protected:
  TenantsRecordedFlowTest() : RecordedFlowTest(options()) {}

  static ProxyTestOptions options() {
    ProxyTestOptions options;
    options.proxy.upstream_credential = "sk-of-all";
    options.proxy.tenants = {{.name = "a", .keys = {sha256("key-a")}, .max_ttl_ms = 5'000},
                             {.name = "b", .keys = {sha256("key-b")}}};
    return options;
  }
  const http::Headers a_ = {{"x-api-key", "key-a"}};
  const http::Headers b_ = {{"x-api-key", "key-b"}};
};

TEST_P(TenantsRecordedFlowTest, a_tenants_cap_bounds_the_life_of_its_answers_alone) {
  asked_with(a_);
  asked_with(b_);
  EXPECT_EQ(asked_with(a_).cache_status(), "llm-edge-cache; hit; ttl=5; detail=l1");
  EXPECT_EQ(asked_with(b_).cache_status(), "llm-edge-cache; hit; ttl=3600; detail=l1");
  clock_->advance_ms(5'001);
  EXPECT_FALSE(asked_with(a_).is_hit());
  EXPECT_TRUE(asked_with(b_).is_hit());
}

TEST_P(TenantsRecordedFlowTest, a_tenant_never_gets_what_another_has_stored) {
  asked_with(a_);
  EXPECT_EQ(asked_with({{"x-api-key", "key-b"}, {"Cache-Control", "only-if-cached"}}).status(),
            504);
  EXPECT_EQ(asked_with().status(), 401);
}

const auto kEndpoints =
    ::testing::Values(Endpoint{"chat", "/v1/chat/completions", std::string(kQuestion)},
                      Endpoint{"embeddings", "/v1/embeddings", R"({"model":"e","input":["a"]})"});

INSTANTIATE_TEST_SUITE_P(Endpoints, RecordedFlowTest, kEndpoints,
                         [](const auto& endpoint) { return endpoint.param.name; });
INSTANTIATE_TEST_SUITE_P(Endpoints, TenantsRecordedFlowTest, kEndpoints,
                         [](const auto& endpoint) { return endpoint.param.name; });

}  // namespace
}  // namespace llm_edge_cache::proxy::test
