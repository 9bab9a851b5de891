#include "proxy/credential_caller.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "proxy_fixture.hpp"

namespace llm_edge_cache::proxy::test {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<std::string>& names() {
  static const std::vector<std::string> names = {"authorization", "x-api-key", "cookie"};
  return names;
}

TEST(CredentialsInTest, the_scheme_of_authorization_is_no_part_however_it_is_written) {
  for (const auto* value : {"Bearer a", "bearer a", "BEARER   a", "Basic a", "a"}) {
    EXPECT_THAT(credentials_in({{"Authorization", value}}, names()), ElementsAre("a")) << value;
  }
  EXPECT_THAT(credentials_in({{"authorization", "Bearer "}}, names()), ElementsAre("Bearer"));
}

TEST(CredentialsInTest, what_an_upstream_may_overlook_makes_no_other_credential) {
  for (const auto* value :
       {"Bearer a 1", "Bearer a\t2", "Bearer \ta", "Bearer\ta", "Bearer \t a \t", "Bearer a,",
        "Bearer a, 1", "Bearer a,1", "Bearer , a"}) {
    EXPECT_THAT(credentials_in({{"Authorization", value}}, names()), ElementsAre("a")) << value;
  }
  EXPECT_THAT(credentials_in({{"authorization", "Bearer \t,"}}, names()), ElementsAre("Bearer"));
}

TEST(CredentialsInTest, signatures_of_one_signer_are_one_credential) {
  for (const auto* value : {"AWS4-HMAC-SHA256 Credential=A/x, SignedHeaders=host, Signature=1",
                            "AWS4-HMAC-SHA256 Credential=A/x,SignedHeaders=host,Signature=2"}) {
    EXPECT_THAT(credentials_in({{"Authorization", value}}, names()), ElementsAre("Credential=A/x"));
  }
  EXPECT_THAT(
      credentials_in({{"Authorization", "Digest username=\"a\", nc=1, response=\"3\""}}, names()),
      ElementsAre("username=\"a\""));
}

TEST(CredentialsInTest, other_fields_are_taken_as_they_are) {
  EXPECT_THAT(credentials_in({{"cookie", "a=1; b=2"}, {"x-api-key", "k"}}, names()),
              ElementsAre("k", "a=1; b=2"));
}

TEST(CredentialsInTest, one_credential_counts_once_wherever_it_stands) {
  EXPECT_THAT(credentials_in(
                  {{"authorization", "Bearer a"}, {"x-api-key", "a"}, {"x-api-key", "a"}}, names()),
              ElementsAre("a"));
}

TEST(CredentialsInTest, whoever_has_none_is_everybody_who_has_none) {
  EXPECT_THAT(credentials_in({}, names()), ElementsAre(""));
  EXPECT_THAT(credentials_in({{"accept", "x"}}, names()), ElementsAre(""));
}

TEST(CredentialsInTest, what_does_not_go_up_is_no_credential) {
  EXPECT_THAT(
      credentials_in({{"authorization", "Bearer a"}, {"connection", "authorization"}}, names()),
      ElementsAre(""));
}

TEST(CredentialsInTest, a_flood_ends_one_past_the_bound) {
  http::Headers headers;
  for (int i = 0; i < 100; ++i) headers.add("x-api-key", std::to_string(i));
  EXPECT_EQ(credentials_in(headers, names()).size(), kMaxCallerCredentials + 1);
}

class CredentialAdmissionTest : public ::testing::Test {
 protected:
  Admission admit(const http::Headers& headers, const AdmissionRules& rules,
                  Caller::TimePoint now) {
    return admit_by_credentials(table_, rules, headers, names(), now);
  }
  [[nodiscard]] std::uint64_t refused(TenantRefusal limit) const {
    return table_.report().refused[static_cast<std::size_t>(limit)];
  }

  static AdmissionRules one_in_1000_s(RateCounts counts = RateCounts::kRequests) {
    return {.rate_counts = counts, .credentials = {.rate = {.per_1000_s = 1, .burst = 1}}};
  }
  static AdmissionRules one_at_once() { return {.credentials = {.max_concurrent = 1}}; }

  CredentialTable table_;
  const http::Headers alice_ = {{"Authorization", "Bearer alice"}};
  const http::Headers bob_ = {{"Authorization", "Bearer bob"}};
  const Caller::TimePoint now_{std::chrono::hours(1)};
};

TEST_F(CredentialAdmissionTest, over_its_rate_a_credential_is_told_when_to_come_back) {
  EXPECT_FALSE(admit(alice_, one_in_1000_s(), now_).refusal);
  const auto second = admit(alice_, one_in_1000_s(), now_ + seconds(900));
  ASSERT_TRUE(second.refusal);
  EXPECT_EQ(second.refusal->status, 429U);
  EXPECT_EQ(second.refusal->code, "credential_rate_limit");
  EXPECT_EQ(second.refusal->retry_after_s, 100U);
  EXPECT_FALSE(admit(bob_, one_in_1000_s(), now_).refusal);
  EXPECT_FALSE(admit(alice_, one_in_1000_s(), now_ + seconds(1'000)).refusal);
  EXPECT_EQ(refused(TenantRefusal::kRate), 1U);
}

TEST_F(CredentialAdmissionTest, a_place_is_free_again_when_all_that_held_it_have_gone) {
  auto first = admit(alice_, one_at_once(), now_);
  auto held_by_a_call = first.caller;
  const auto second = admit(alice_, one_at_once(), now_);
  ASSERT_TRUE(second.refusal);
  EXPECT_EQ(second.refusal->code, "credential_concurrency_limit");
  EXPECT_FALSE(admit(bob_, one_at_once(), now_).refusal);
  first.caller.reset();
  EXPECT_TRUE(admit(alice_, one_at_once(), now_).refusal);
  held_by_a_call.reset();
  EXPECT_FALSE(admit(alice_, one_at_once(), now_).refusal);
  EXPECT_EQ(refused(TenantRefusal::kConcurrency), 2U);
}

TEST_F(CredentialAdmissionTest, a_fresh_credential_beside_the_used_up_one_frees_nothing) {
  EXPECT_FALSE(admit(alice_, one_in_1000_s(), now_).refusal);
  for (const auto* name : {"x-api-key", "cookie", "authorization"}) {
    auto headers = alice_;
    headers.add(name, "fresh");
    EXPECT_TRUE(admit(headers, one_in_1000_s(), now_).refusal) << name;
  }
}

TEST_F(CredentialAdmissionTest, a_word_behind_the_used_up_one_frees_nothing) {
  EXPECT_FALSE(admit(alice_, one_in_1000_s(), now_).refusal);
  for (const auto* value : {"Bearer alice 1", "Bearer \talice", "Bearer alice,"}) {
    EXPECT_TRUE(admit({{"Authorization", value}}, one_in_1000_s(), now_).refusal) << value;
  }
}

TEST_F(CredentialAdmissionTest, who_is_refused_for_one_credential_leaves_the_places_of_the_others) {
  const auto bob = admit(bob_, one_at_once(), now_);
  auto both = alice_;
  both.add("authorization", "Bearer bob");
  EXPECT_TRUE(admit(both, one_at_once(), now_).refusal);
  EXPECT_FALSE(admit(alice_, one_at_once(), now_).refusal);
}

TEST_F(CredentialAdmissionTest, too_many_credentials_are_refused_and_none_is_counted) {
  http::Headers headers;
  for (std::size_t i = 0; i <= kMaxCallerCredentials; ++i) {
    headers.add("x-api-key", std::to_string(i));
  }
  const auto admission = admit(headers, one_in_1000_s(), now_);
  ASSERT_TRUE(admission.refusal);
  EXPECT_EQ(admission.refusal->status, 400U);
  EXPECT_EQ(admission.refusal->code, "too_many_credentials");
  EXPECT_EQ(table_.report().known, 0U);
}

TEST_F(CredentialAdmissionTest, a_rate_of_calls_lets_requests_in_and_refuses_the_call) {
  const auto rules = one_in_1000_s(RateCounts::kUpstreamCalls);
  for (int i = 0; i < 3; ++i) {
    const auto admission = admit(alice_, rules, now_);
    ASSERT_FALSE(admission.refusal);
    EXPECT_EQ(admission.caller->refuse_call(now_).has_value(), i > 0);
  }
}

TEST_F(CredentialAdmissionTest, a_rate_of_requests_refuses_no_call) {
  const auto admission = admit(alice_, one_in_1000_s(), now_);
  EXPECT_FALSE(admission.caller->refuse_call(now_));
  EXPECT_FALSE(admission.caller->refuse_call(now_));
}

TEST_F(CredentialAdmissionTest, requests_of_one_credential_share_limits_and_are_no_tenants) {
  const auto one = admit(alice_, one_in_1000_s(RateCounts::kUpstreamCalls), now_);
  const auto two = admit(alice_, one_in_1000_s(RateCounts::kUpstreamCalls), now_);
  const auto other = admit(bob_, one_in_1000_s(RateCounts::kUpstreamCalls), now_);
  EXPECT_EQ(one.caller->limits(), two.caller->limits());
  EXPECT_NE(one.caller->limits(), other.caller->limits());
  EXPECT_EQ(tenant_of(one.caller), nullptr);
}

TEST_F(CredentialAdmissionTest, requests_with_several_credentials_are_not_said_to_share_limits) {
  auto both = alice_;
  both.add("x-api-key", "k");
  const auto rules = one_in_1000_s(RateCounts::kUpstreamCalls);
  const auto one = admit(both, rules, now_);
  EXPECT_NE(one.caller->limits(), nullptr);
  EXPECT_NE(one.caller->limits(), admit(both, rules, now_).caller->limits());
}

// Over real sockets: who is refused what.
ProxyTestOptions limited(const AdmissionRules& rules) {
  ProxyTestOptions options;
  options.proxy.admission = rules;
  return options;
}

class LimitedProxyTest : public ProxyTest {
 protected:
  explicit LimitedProxyTest(CredentialLimits limits = {.rate = {.per_1000_s = 1, .burst = 2}},
                            RateCounts counts = RateCounts::kRequests)
      : ProxyTest(limited({.rate_counts = counts, .credentials = limits})) {
    answer_json();
  }
  const http::Headers alice_ = {{"Authorization", "Bearer alice"}};
  const http::Headers bob_ = {{"Authorization", "Bearer bob"}};
};

TEST_F(LimitedProxyTest, over_its_rate_a_credential_gets_429_and_others_do_not) {
  EXPECT_EQ(ask(kQuestion, alice_).status(), 200);
  EXPECT_TRUE(ask(kQuestion, alice_).is_hit());
  const auto refused = ask(kQuestion, alice_);
  EXPECT_EQ(refused.status(), 429);
  EXPECT_THAT(refused.body(), HasSubstr("credential_rate_limit"));
  EXPECT_EQ(refused.cache_status(), "llm-edge-cache; detail=credential_rate_limit");
  EXPECT_EQ(ask(kQuestion, bob_).status(), 200);
  EXPECT_EQ(ask(kQuestion).status(), 200);  // nobody is somebody else
  EXPECT_EQ(metrics().unknown_keys, 0U);
  EXPECT_EQ(proxy_->credentials().known, 3U);
}

TEST_F(LimitedProxyTest, passing_requests_count_as_well) {
  EXPECT_EQ(request("GET", "/v1/models").status(), 200);
  EXPECT_EQ(request("GET", "/v1/models").status(), 200);
  EXPECT_EQ(request("GET", "/v1/models").status(), 429);
}

TEST_F(LimitedProxyTest, other_limits_hold_from_the_reload_on_and_what_was_used_is_used) {
  EXPECT_EQ(ask(kQuestion, alice_).status(), 200);
  EXPECT_EQ(ask(kQuestion, alice_).status(), 200);
  ProxyOptions options;
  options.upstream_url = upstream_.url();
  options.admission.credentials = {.rate = {.per_1000_s = 1, .burst = 1}};
  ASSERT_TRUE(proxy_->reload(options).ok());
  EXPECT_EQ(ask(kQuestion, alice_).status(), 429);
  EXPECT_EQ(ask(kQuestion, bob_).status(), 200);
  EXPECT_EQ(ask(kQuestion, bob_).status(), 429);
  options.admission.credentials = {};
  ASSERT_TRUE(proxy_->reload(options).ok());
  EXPECT_EQ(ask(kQuestion, bob_).status(), 200);
}

class LimitedCallsTest : public LimitedProxyTest {
 protected:
  LimitedCallsTest()
      : LimitedProxyTest({.rate = {.per_1000_s = 1, .burst = 1}}, RateCounts::kUpstreamCalls) {}
};

TEST_F(LimitedCallsTest, where_calls_count_what_the_cache_has_is_free) {
  EXPECT_EQ(ask(kQuestion, alice_).status(), 200);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ask(kQuestion, alice_).is_hit());
  const auto refused =
      ask(kStreamQuestion, {{"Authorization", "Bearer alice"}, {"Cache-Control", "no-cache"}});
  EXPECT_EQ(refused.status(), 429);
  EXPECT_EQ(upstream_.calls(), 1);
}

class LimitedPlacesTest : public LimitedProxyTest {
 protected:
  LimitedPlacesTest() : LimitedProxyTest({.max_concurrent = 1}) {}
};

TEST_F(LimitedPlacesTest, who_hangs_up_early_gets_no_other_call_for_it) {
  upstream_.answer_with({});
  auto first = start_chat(kQuestion, alice_);
  const auto call = upstream_.next();
  EXPECT_EQ(start_chat(kQuestion, alice_).wait().status(), 429);
  first.hang_up();
  ASSERT_TRUE(eventually([&] { return server_->connection_count() <= 1; }));
  EXPECT_EQ(start_chat(kStreamQuestion, alice_).wait().status(), 429);
  call.respond_json(std::string(kHelloBody));
  ASSERT_TRUE(eventually([&] { return metrics().stores == 1; }));
  EXPECT_TRUE(eventually([&] { return start_chat(kQuestion, alice_).wait().status() == 200; }));
}

}  // namespace
}  // namespace llm_edge_cache::proxy::test
