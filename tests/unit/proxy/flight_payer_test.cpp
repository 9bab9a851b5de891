// Requests that share a flight and not what the call is made with: who gets whose refusal.
#include "proxy/flight_payer.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/sha256.hpp"
#include "proxy_fixture.hpp"

namespace llm_edge_cache::proxy::test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kEmbeddings = R"({"model":"e","input":["a"]})";

TEST(IsAboutTheCredentialTest, is_what_another_credential_might_not_be_told) {
  for (const auto status : std::initializer_list<std::uint16_t>{400, 401, 402, 403, 404, 429}) {
    EXPECT_TRUE(is_about_the_credential(status)) << status;
  }
  for (const auto status : std::initializer_list<std::uint16_t>{200, 307, 500, 502, 503, 529}) {
    EXPECT_FALSE(is_about_the_credential(status)) << status;
  }
}

TenantOptions tenant(std::string name, std::string name_space) {
  TenantOptions options;
  options.name = name;
  options.keys = {sha256("key-of-" + name)};
  options.name_space = std::move(name_space);
  return options;
}

http::Headers key_of(const std::string& name) {
  return {{"Authorization", "Bearer key-of-" + name}};
}

class SharedFlightTest : public ProxyTest {
 protected:
  explicit SharedFlightTest(ProxyOptions options) : ProxyTest({.proxy = std::move(options)}) {}

  // The leader's: it has looked into memory for the last time, and others have yet to be started.
  UpstreamExchange first_call() {
    auto call = upstream_.next();
    misses_before_ = l1_->counters().misses;
    return call;
  }
  // So many more wait in a flight: whoever has looked into memory joins one before its thread does
  // anything else.
  void wait_until_followed_by(std::uint64_t requests) {
    ASSERT_TRUE(eventually([&] { return l1_->counters().misses >= misses_before_ + requests; }));
    threads_.run_on_each([](http::IoThread&) {});
  }
  // Of a flight whose refusal has led to another call: those who followed have been told by the end
  // of the first round at the latest, and have joined the other by the end of the second.
  void wait_until_asked_anew() {
    for (int round = 0; round < 2; ++round) threads_.run_on_each([](http::IoThread&) {});
  }
  static void refuse(const UpstreamExchange& call, std::uint16_t status) {
    call.respond(R"({"error":{"message":"not you"}})",
                 {{"Content-Type", "application/json"}, {"Retry-After", "700"}}, status);
  }
  static std::string credential_of(const UpstreamExchange& call) {
    return std::string(call.head().headers.get("authorization").value_or(""));
  }
  PendingAnswer start_embeddings(const http::Headers& headers) {
    auto head = http::request_head("POST", "/v1/embeddings");
    head.headers = headers;
    return start(std::move(head), kEmbeddings);
  }

 private:
  std::uint64_t misses_before_ = 0;
};

// a and b share, and each has a credential of its own; c and d share the upstream's.
class TenantFlightTest : public SharedFlightTest {
 protected:
  TenantFlightTest() : SharedFlightTest(options()) {}

  static ProxyOptions options() {
    ProxyOptions options;
    options.upstream_credential = "sk-of-all";
    options.tenants = {tenant("a", "one"), tenant("b", "one"), tenant("c", "two"),
                       tenant("d", "two")};
    options.tenants[0].credentials = {{"default", "sk-of-a"}};
    options.tenants[1].credentials = {{"default", "sk-of-b"}};
    return options;
  }
};

class RefusedCredentialTest : public TenantFlightTest,
                              public ::testing::WithParamInterface<std::uint16_t> {};

TEST_P(RefusedCredentialTest, is_for_its_tenant_alone_and_the_other_asks_with_its_own) {
  auto a = start_chat(kQuestion, key_of("a"));
  const auto first = first_call();
  EXPECT_EQ(credential_of(first), "Bearer sk-of-a");
  auto b = start_chat(kQuestion, key_of("b"));
  wait_until_followed_by(1);
  EXPECT_EQ(upstream_.calls(), 1);
  refuse(first, GetParam());
  const auto second = upstream_.next();
  EXPECT_EQ(credential_of(second), "Bearer sk-of-b");
  second.respond_json(std::string(kHelloBody));
  EXPECT_EQ(a.wait().status(), GetParam());
  const auto answer = b.wait();
  EXPECT_EQ(answer.body(), kHelloBody);
  EXPECT_EQ(answer.cache_status(), "llm-edge-cache; fwd=miss; stored");
  EXPECT_TRUE(ask(kQuestion, key_of("a")).is_hit());
}

INSTANTIATE_TEST_SUITE_P(Statuses, RefusedCredentialTest,
                         ::testing::Values(400, 401, 402, 403, 404, 429));

TEST_F(TenantFlightTest, one_of_those_who_ask_anew_leads_the_rest) {
  auto a = start_chat(kStreamQuestion, key_of("a"));
  const auto first = first_call();
  std::vector<PendingAnswer> others;
  for (int i = 0; i < 12; ++i) others.push_back(start_chat(kStreamQuestion, key_of("b")));
  wait_until_followed_by(12);
  refuse(first, 401);
  const auto second = upstream_.next();
  EXPECT_EQ(a.wait().status(), 401);
  wait_until_asked_anew();
  second.respond_stream(hello_stream());
  for (auto& other : others) EXPECT_EQ(other.wait().body(), hello_stream());
  EXPECT_EQ(upstream_.calls(), 2);
  EXPECT_EQ(requests(LookupOutcome::kMiss), 2U);
  EXPECT_EQ(requests(LookupOutcome::kCoalesced), 11U);
}

TEST_F(TenantFlightTest, those_of_the_leaders_tenant_get_its_refusal) {
  auto leader = start_chat(kQuestion, key_of("a"));
  const auto call = first_call();
  auto follower = start_chat(kQuestion, key_of("a"));
  wait_until_followed_by(1);
  refuse(call, 403);
  EXPECT_EQ(leader.wait().status(), 403);
  const auto answer = follower.wait();
  EXPECT_EQ(answer.status(), 403);
  EXPECT_EQ(answer.cache_status(), "llm-edge-cache; fwd=miss; fwd-status=403; collapsed");
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(TenantFlightTest, what_is_not_about_the_credential_is_for_all) {
  auto leader = start_chat(kQuestion, key_of("a"));
  const auto call = first_call();
  auto follower = start_chat(kQuestion, key_of("b"));
  wait_until_followed_by(1);
  refuse(call, 501);
  EXPECT_EQ(leader.wait().status(), 501);
  EXPECT_EQ(follower.wait().status(), 501);
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(TenantFlightTest, tenants_with_one_credential_share_its_refusal) {
  auto leader = start_chat(kQuestion, key_of("c"));
  const auto call = first_call();
  EXPECT_EQ(credential_of(call), "Bearer sk-of-all");
  auto follower = start_chat(kQuestion, key_of("d"));
  wait_until_followed_by(1);
  refuse(call, 429);
  EXPECT_EQ(leader.wait().status(), 429);
  EXPECT_EQ(follower.wait().status(), 429);
  EXPECT_EQ(upstream_.calls(), 1);
}

TEST_F(TenantFlightTest, a_refusal_whose_body_breaks_off_sends_others_on_as_well) {
  auto leader = start_chat(kQuestion, key_of("a"));
  const auto first = first_call();
  auto follower = start_chat(kQuestion, key_of("b"));
  wait_until_followed_by(1);
  first.start({{"Content-Type", "application/json"}, {"Content-Length", "1000"}}, 401);
  first.write("{");
  first.abort();
  upstream_.next().respond_json(std::string(kHelloBody));
  EXPECT_EQ(follower.wait().body(), kHelloBody);
  EXPECT_THAT(leader.wait().body(), HasSubstr("upstream_truncated"));
}

TEST_F(TenantFlightTest, embeddings_are_asked_for_anew_too) {
  auto a = start_embeddings(key_of("a"));
  const auto first = first_call();
  auto b = start_embeddings(key_of("b"));
  wait_until_followed_by(1);
  refuse(first, 429);
  upstream_.next().respond_json(
      R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[1]}],)"
      R"("model":"e","usage":{"prompt_tokens":1,"total_tokens":1}})");
  EXPECT_EQ(a.wait().status(), 429);
  EXPECT_EQ(b.wait().status(), 200);
}

// a has made the one call that it may make for a long time.
class TenantRateFlightTest : public ProxyTest {
 protected:
  TenantRateFlightTest() : ProxyTest({.proxy = options(), .has_l2 = true}) {
    answer_json();
    EXPECT_EQ(ask(R"({"model":"m-1","messages":[]})", key_of("a")).status(), 200);
  }
  static ProxyOptions options() {
    ProxyOptions options;
    options.upstream_credential = "sk-of-all";
    options.tenants = {tenant("a", "one"), tenant("b", "one")};
    options.tenants[0].rate = {.per_1000_s = 1, .burst = 1};
    options.admission.rate_counts = RateCounts::kUpstreamCalls;
    return options;
  }
};

TEST_F(TenantRateFlightTest, a_leader_without_a_call_left_is_refused_alone) {
  l2_->close_gate();
  const auto gets_before = l2_->gets();
  auto a = start_chat(kQuestion, key_of("a"));
  ASSERT_TRUE(eventually([&] { return l2_->gets() > gets_before; }));
  threads_.run_on_each([](http::IoThread&) {});
  const auto misses_of_the_leader = l1_->counters().misses;
  auto b = start_chat(kQuestion, key_of("b"));
  auto b_too = start_chat(kQuestion, key_of("b"));
  auto a_too = start_chat(kQuestion, key_of("a"));
  ASSERT_TRUE(eventually([&] { return l1_->counters().misses == misses_of_the_leader + 3; }));
  threads_.run_on_each([](http::IoThread&) {});
  l2_->open_gate();
  for (auto* mine : {&a, &a_too}) {
    const auto answer = mine->wait();
    EXPECT_EQ(answer.status(), 429);
    EXPECT_THAT(answer.body(), HasSubstr("tenant_rate_limit"));
  }
  EXPECT_EQ(b.wait().body(), kHelloBody);
  EXPECT_EQ(b_too.wait().body(), kHelloBody);
  EXPECT_EQ(upstream_.calls(), 2);
}

TEST_F(TenantRateFlightTest, a_refusal_of_one_leaves_its_namespace_open_for_others) {
  EXPECT_EQ(ask(kQuestion, key_of("a")).status(), 429);
  EXPECT_EQ(ask(kQuestion, key_of("b")).status(), 200);
  EXPECT_TRUE(ask(kQuestion, key_of("a")).is_hit());
}

// Everybody's answers are everybody's, and the clients bring credentials of their own.
class SharedScopeFlightTest : public SharedFlightTest {
 protected:
  explicit SharedScopeFlightTest(std::string upstream_credential = "")
      : SharedFlightTest(options(std::move(upstream_credential))) {}

  static ProxyOptions options(std::string upstream_credential) {
    ProxyOptions options;
    options.scope = ScopeMode::kShared;
    options.upstream_credential = std::move(upstream_credential);
    return options;
  }
  static http::Headers with(const std::string& credential) {
    return {{"Authorization", "Bearer " + credential}};
  }
};

TEST_F(SharedScopeFlightTest, a_client_with_a_bad_credential_is_refused_alone) {
  auto bad = start_chat(kQuestion, with("bad"));
  const auto first = first_call();
  auto good = start_chat(kQuestion, with("good"));
  auto bad_too = start_chat(kQuestion, with("bad"));
  wait_until_followed_by(2);
  refuse(first, 401);
  const auto second = upstream_.next();
  EXPECT_EQ(credential_of(second), "Bearer good");
  second.respond_json(std::string(kHelloBody));
  EXPECT_EQ(bad.wait().status(), 401);
  EXPECT_EQ(bad_too.wait().status(), 401);
  EXPECT_EQ(good.wait().body(), kHelloBody);
}

TEST_F(SharedScopeFlightTest, nobody_waits_behind_bad_credentials_for_ever) {
  upstream_.answer_with([](const UpstreamExchange& call) {
    if (credential_of(call) == "Bearer good") {
      call.respond_json(std::string(kHelloBody));
    } else {
      refuse(call, 401);
    }
  });
  std::vector<PendingAnswer> bad;
  for (int i = 0; i < 3 * kMaxBoardings; ++i) {
    bad.push_back(start_chat(kQuestion, with("bad-" + std::to_string(i))));
  }
  auto good = start_chat(kQuestion, with("good"));
  EXPECT_EQ(good.wait().body(), kHelloBody);
  for (auto& pending : bad) {
    const auto answer = pending.wait();
    EXPECT_TRUE(answer.status() == 401 || answer.body() == kHelloBody) << answer.status();
  }
}

class InjectedCredentialFlightTest : public SharedScopeFlightTest {
 protected:
  InjectedCredentialFlightTest() : SharedScopeFlightTest("sk-of-all") {}
};

TEST_F(InjectedCredentialFlightTest, whoever_sends_what_never_goes_up_shares_the_refusal) {
  auto leader = start_chat(kQuestion, with("x"));
  const auto call = first_call();
  auto follower = start_chat(kQuestion, with("y"));
  wait_until_followed_by(1);
  refuse(call, 429);
  EXPECT_EQ(leader.wait().status(), 429);
  EXPECT_EQ(follower.wait().status(), 429);
  EXPECT_EQ(upstream_.calls(), 1);
}

}  // namespace
}  // namespace llm_edge_cache::proxy::test
