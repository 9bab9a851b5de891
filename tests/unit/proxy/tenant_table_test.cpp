#include "proxy/tenant_table.hpp"

#include <gtest/gtest.h>

#include "base/sha256.hpp"
#include "proxy/caller.hpp"

namespace llm_edge_cache::proxy::tenant_table_test {
namespace {

TenantOptions tenant(const std::string& name) {
  return {.name = name, .keys = {sha256("key-" + name), sha256("old-key-" + name)}};
}

class TenantTableTest : public ::testing::Test {
 protected:
  // The tenant's name; "-" for nobody, "?" where it cannot be told.
  static std::string whose(const TenantTable& table, const http::Headers& headers) {
    const auto found = table.find(headers);
    if (found.is_doubtful) return "?";
    return found.tenant == nullptr ? "-" : found.tenant->options.name;
  }
  static http::Headers fields(
      std::initializer_list<std::pair<std::string_view, std::string_view>> given) {
    http::Headers headers;
    for (const auto& [name, value] : given) headers.add(name, value);
    return headers;
  }

  TenantTable table_{{tenant("a"), tenant("b")}};
};

TEST_F(TenantTableTest, a_key_is_found_wherever_a_client_library_puts_it) {
  EXPECT_EQ(whose(table_, fields({{"Authorization", "Bearer key-a"}})), "a");
  EXPECT_EQ(whose(table_, fields({{"authorization", "bearer  key-b"}})), "b");
  EXPECT_EQ(whose(table_, fields({{"X-Api-Key", "key-a"}})), "a");
  EXPECT_EQ(whose(table_, fields({{"api-key", "old-key-b"}})), "b");
}

TEST_F(TenantTableTest, what_is_not_exactly_a_key_belongs_to_nobody) {
  for (const auto* value :
       {"Bearer key-c", "Bearer key-a ", "Basic key-a", "key-a", "Bearer", ""}) {
    EXPECT_EQ(whose(table_, fields({{"Authorization", value}})), "-") << value;
  }
  EXPECT_EQ(whose(table_, fields({{"Cookie", "key-a"}})), "-");
  EXPECT_EQ(whose(table_, fields({})), "-");
}

TEST_F(TenantTableTest, a_foreign_credential_beside_a_key_counts_for_nothing) {
  EXPECT_EQ(whose(table_, fields({{"Authorization", "Bearer sk-x"}, {"x-api-key", "key-a"}})), "a");
  EXPECT_EQ(whose(table_, fields({{"x-api-key", "key-a"}, {"x-api-key", "old-key-a"}})), "a");
}

TEST_F(TenantTableTest, keys_of_two_tenants_are_nobodys) {
  EXPECT_EQ(whose(table_, fields({{"Authorization", "Bearer key-a"}, {"x-api-key", "key-b"}})),
            "?");
  EXPECT_EQ(whose(table_, fields({{"x-api-key", "key-b"}, {"x-api-key", "key-a"}})), "?");
}

TEST_F(TenantTableTest, a_flood_of_credentials_is_nobodys) {
  http::Headers headers;
  for (std::size_t i = 0; i < TenantTable::kMaxCredentials; ++i) headers.add("x-api-key", "no");
  headers.add("x-api-key", "key-a");
  EXPECT_EQ(whose(table_, headers), "?");
}

TEST_F(TenantTableTest, a_tenant_that_stays_keeps_its_state_and_the_key_that_went_is_refused) {
  const auto before = table_.find(fields({{"x-api-key", "old-key-a"}})).tenant;
  before->state->requests[0] = 7;
  auto options = tenant("a");
  options.keys.pop_back();
  const TenantTable fresh({options, tenant("c")}, &table_);
  EXPECT_EQ(whose(fresh, fields({{"x-api-key", "old-key-a"}})), "-");
  EXPECT_EQ(fresh.find(fields({{"x-api-key", "key-a"}})).tenant->state, before->state);
  ASSERT_EQ(fresh.report().size(), 2U);
  EXPECT_EQ(fresh.report()[0].requests[0], 7U);
}

class AdmissionTest : public TenantTableTest {
 protected:
  static TenantOptions limited(RateLimit rate, std::uint64_t max_concurrent = 0) {
    auto options = tenant("a");
    options.rate = rate;
    options.max_concurrent = max_concurrent;
    return options;
  }
  static Admission admit(const TenantTable& table, const AdmissionRules& rules,
                         const http::Headers& headers, Caller::TimePoint now) {
    return proxy::admit(table, table.find(headers), rules, now);
  }
  static constexpr RateLimit kOneIn1000S{.per_1000_s = 1, .burst = 1};
  const http::Headers key_ = fields({{"x-api-key", "key-a"}});
  const Caller::TimePoint now_{std::chrono::hours(1)};
};

TEST_F(AdmissionTest, without_tenants_everybody_is_let_in) {
  const auto admission = admit(TenantTable({}), {}, {}, now_);
  EXPECT_FALSE(admission.refusal);
  EXPECT_EQ(admission.caller, nullptr);
}

TEST_F(AdmissionTest, an_unknown_key_is_refused_or_passes_as_the_operator_has_it) {
  const auto stranger = fields({{"x-api-key", "key-x"}});
  const auto refused = admit(table_, {}, stranger, now_);
  ASSERT_TRUE(refused.refusal);
  EXPECT_EQ(refused.refusal->status, 401U);
  EXPECT_EQ(refused.refusal->code, "unknown_key");
  EXPECT_FALSE(admit(table_, {.unknown_keys = UnknownKeys::kPass}, stranger, now_).refusal);
}

TEST_F(AdmissionTest, keys_of_two_tenants_never_pass) {
  const auto both = fields({{"x-api-key", "key-a"}, {"api-key", "key-b"}});
  EXPECT_TRUE(admit(table_, {.unknown_keys = UnknownKeys::kPass}, both, now_).refusal);
}

TEST_F(AdmissionTest, over_the_rate_the_answer_says_when_to_come_back) {
  const TenantTable table({limited(kOneIn1000S)});
  EXPECT_FALSE(admit(table, {}, key_, now_).refusal);
  const auto second = admit(table, {}, key_, now_ + std::chrono::seconds(900));
  ASSERT_TRUE(second.refusal);
  EXPECT_EQ(second.refusal->status, 429U);
  EXPECT_EQ(second.refusal->code, "tenant_rate_limit");
  EXPECT_EQ(second.refusal->retry_after_s, 100U);
  EXPECT_FALSE(admit(table, {}, key_, now_ + std::chrono::seconds(1'000)).refusal);
  EXPECT_EQ(table.report()[0].refused[static_cast<std::size_t>(TenantRefusal::kRate)], 1U);
}

TEST_F(AdmissionTest, a_rate_of_calls_lets_requests_in_and_refuses_the_call) {
  const TenantTable table({limited(kOneIn1000S)});
  const AdmissionRules rules{.rate_counts = RateCounts::kUpstreamCalls};
  for (int i = 0; i < 3; ++i) {
    const auto admission = admit(table, rules, key_, now_);
    ASSERT_FALSE(admission.refusal);
    EXPECT_EQ(admission.caller->refuse_call(now_).has_value(), i > 0);
  }
}

TEST_F(AdmissionTest, a_place_is_free_again_when_all_that_held_it_have_gone) {
  const TenantTable table({limited({}, 1)});
  auto first = admit(table, {}, key_, now_);
  auto held_by_a_call = first.caller;
  const auto second = admit(table, {}, key_, now_);
  ASSERT_TRUE(second.refusal);
  EXPECT_EQ(second.refusal->status, 429U);
  EXPECT_EQ(second.refusal->code, "tenant_concurrency_limit");
  first.caller.reset();
  EXPECT_TRUE(admit(table, {}, key_, now_).refusal);
  held_by_a_call.reset();
  EXPECT_FALSE(admit(table, {}, key_, now_).refusal);
}

TEST_F(AdmissionTest, a_request_over_the_rate_leaves_its_place) {
  const TenantTable table({limited(kOneIn1000S, 1)});
  EXPECT_FALSE(admit(table, {}, key_, now_).refusal);
  EXPECT_EQ(admit(table, {}, key_, now_).refusal->code, "tenant_rate_limit");
  EXPECT_EQ(table.report()[0].concurrent, 0U);
}

}  // namespace
}  // namespace llm_edge_cache::proxy::tenant_table_test
