#include "proxy/request_keyer.hpp"

#include <gtest/gtest.h>

#include "proxy/dialects/openai_chat.hpp"

namespace llm_edge_cache::proxy {
namespace {

const OpenAiChatDialect kDialect;
constexpr std::string_view kBody = R"({"model":"m","messages":[{"role":"user","content":"Hi"}]})";

ProxyOptions options_for(std::string upstream) {
  ProxyOptions options;
  options.upstream_url = std::move(upstream);
  options.scope_secret = "secret";
  return options;
}

http::RequestHead head_with(const http::Headers& headers = {},
                            std::string target = "/v1/chat/completions") {
  http::RequestHead head;
  head.method = "POST";
  head.target = std::move(target);
  head.headers = headers;
  return head;
}

class RequestKeyerTest : public ::testing::Test {
 protected:
  KeyDigest key(std::string_view body, const http::RequestHead& head = head_with(),
                std::string_view name_space = "") {
    const auto keyed = keyer_.key_of(kDialect, head, name_space, body);
    EXPECT_TRUE(keyed.ok()) << body;
    return keyed.ok() ? keyed->key : KeyDigest{};
  }

  RequestKeyer keyer_{options_for("http://a")};
};

TEST_F(RequestKeyerTest, order_and_white_space_do_not_matter) {
  EXPECT_EQ(key(R"({"a":1,"b":[1,2]})"), key("{ \"b\" : [ 1, 2 ],\n \"a\" : 1 }"));
}

TEST_F(RequestKeyerTest, members_that_cannot_change_the_answer_do_not_matter) {
  EXPECT_EQ(key(R"({"model":"m"})"),
            key(R"({"model":"m","stream":true,"stream_options":{"include_usage":true},"user":"u",
                    "metadata":{"a":"b"},"store":true,"safety_identifier":"s",
                    "prompt_cache_key":"p"})"));
}

TEST_F(RequestKeyerTest, every_other_member_matters_known_or_not) {
  for (const auto* member : {R"("temperature":0)", R"("seed":1)", R"("n":2)",
                             R"("unheard_of":null)", R"("tools":[])", R"("User":"u")"}) {
    EXPECT_NE(key(R"({"model":"m"})"), key(R"({"model":"m",)" + std::string(member) + "}"))
        << member;
  }
}

TEST_F(RequestKeyerTest, the_name_of_a_keyless_member_further_down_matters) {
  EXPECT_NE(key(R"({"a":{"user":"x"}})"), key(R"({"a":{"user":"y"}})"));
}

TEST_F(RequestKeyerTest, credentials_keep_requests_apart) {
  EXPECT_NE(key(kBody, head_with({{"authorization", "Bearer a"}})),
            key(kBody, head_with({{"authorization", "Bearer b"}})));
  EXPECT_NE(key(kBody, head_with({{"authorization", "Bearer a"}})), key(kBody));
}

TEST_F(RequestKeyerTest, a_namespace_divides_a_scope_and_never_leaves_it) {
  const auto a = head_with({{"authorization", "Bearer a"}});
  const auto b = head_with({{"authorization", "Bearer b"}});
  EXPECT_NE(key(kBody, a, "one"), key(kBody, a, "two"));
  EXPECT_NE(key(kBody, a, "one"), key(kBody, b, "one"));
}

TEST_F(RequestKeyerTest, headers_that_change_the_answer_matter) {
  for (const auto* name :
       {"anthropic-version", "Anthropic-Beta", "openai-organization", "openai-project"}) {
    EXPECT_NE(key(kBody, head_with({{name, "1"}})), key(kBody)) << name;
    EXPECT_NE(key(kBody, head_with({{name, "1"}})), key(kBody, head_with({{name, "2"}}))) << name;
  }
  EXPECT_NE(key(kBody, head_with({{"openai-organization", "x"}})),
            key(kBody, head_with({{"openai-project", "x"}})));
  EXPECT_EQ(key(kBody, head_with({{"user-agent", "x"}})), key(kBody));
}

TEST_F(RequestKeyerTest, the_target_matters_with_its_query) {
  EXPECT_NE(key(kBody, head_with({}, "/v1/chat/completions?api-version=1")), key(kBody));
}

TEST_F(RequestKeyerTest, the_upstream_matters) {
  RequestKeyer other(options_for("http://b"));
  EXPECT_NE(other.key_of(kDialect, head_with(), "", kBody)->key, key(kBody));
}

TEST_F(RequestKeyerTest, the_wish_is_no_part_of_the_key_but_told) {
  const auto keyed = keyer_.key_of(kDialect, head_with(), "", R"({"model":"m","stream":true})");
  ASSERT_TRUE(keyed.ok());
  EXPECT_EQ(keyed->key, key(R"({"model":"m"})"));
  EXPECT_EQ(keyed->wish.form, AnswerForm::kStream);
}

TEST_F(RequestKeyerTest, the_memo_gives_the_key_that_parsing_gives) {
  const auto first = keyer_.key_of(kDialect, head_with(), "n", kBody);
  const auto second = keyer_.key_of(kDialect, head_with(), "n", kBody);
  auto options = options_for("http://a");
  options.memo_entries = 0;
  RequestKeyer forgetful(options);
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(*first, *forgetful.key_of(kDialect, head_with(), "n", kBody));
}

TEST_F(RequestKeyerTest, the_memo_takes_no_field_for_another) {
  // The same bytes, divided otherwise between namespace, target and body.
  const auto a = key(R"({"a":1})", head_with({}, "/x"), "n/x");
  const auto b = key(R"({"a":1})", head_with({}, "/x/x"), "n");
  EXPECT_NE(a, b);
  EXPECT_EQ(key(R"({"a":1})", head_with({}, "/x"), "n/x"), a);
  EXPECT_EQ(key(R"({"a":1})", head_with({}, "/x/x"), "n"), b);
}

TEST_F(RequestKeyerTest, what_cannot_be_keyed_without_doubt_has_no_key) {
  for (const auto* body :
       {"", "[]", "\"x\"", "{", R"({"a":1,"a":2})", R"({"m":{"a":1,"\u0061":2}})",
        R"({"stream":true,"stream":false})", R"({"stream":"true"})", "{}x"}) {
    EXPECT_FALSE(keyer_.key_of(kDialect, head_with(), "", body).ok()) << body;
  }
}

TEST_F(RequestKeyerTest, the_list_of_keyless_members_is_configuration) {
  auto options = options_for("http://a");
  options.keyless_members = {"stream", "trace_id"};
  RequestKeyer keyer(options);
  const auto key_with = [&keyer](std::string_view body) {
    return keyer.key_of(kDialect, head_with(), "", body)->key;
  };
  EXPECT_EQ(key_with(R"({"a":1,"trace_id":"x"})"), key_with(R"({"a":1})"));
  EXPECT_NE(key_with(R"({"a":1,"user":"x"})"), key_with(R"({"a":1})"));
}

TEST_F(RequestKeyerTest, parts_have_keys_of_their_own_in_the_same_surroundings) {
  const auto keys_of = [this](const http::RequestHead& head, std::string_view name_space,
                              const BodyInParts& body) {
    return keyer_.keys_of_parts(head, name_space, body);
  };
  const BodyInParts body{R"({"model":"m"})", {R"("a")", R"("b")", R"("a")"}};
  const auto keys = keys_of(head_with(), "", body);
  ASSERT_EQ(keys.size(), 3U);
  EXPECT_EQ(keys[0], keys[2]);
  EXPECT_NE(keys[0], keys[1]);
  EXPECT_EQ(keys_of(head_with(), "", {body.common, {R"("b")"}}).front(), keys[1]);
  EXPECT_NE(keys_of(head_with(), "n", body)[0], keys[0]);
  EXPECT_NE(keys_of(head_with({{"authorization", "x"}}), "", body)[0], keys[0]);
  EXPECT_NE(keys_of(head_with({{"openai-project", "x"}}), "", body)[0], keys[0]);
  EXPECT_NE(keys_of(head_with({}, "/v1/other"), "", body)[0], keys[0]);
  EXPECT_NE(keys_of(head_with(), "", {R"({"model":"n"})", body.parts})[0], keys[0]);
}

TEST(RequestKeyerScopeTest, in_shared_mode_credentials_do_not_matter) {
  auto options = options_for("http://a");
  options.scope = ScopeMode::kShared;
  RequestKeyer keyer(options);
  EXPECT_EQ(keyer.key_of(kDialect, head_with({{"authorization", "a"}}), "", kBody)->key,
            keyer.key_of(kDialect, head_with({{"authorization", "b"}}), "", kBody)->key);
}

ProxyOptions with_group(std::string name, std::vector<UpstreamMember> members) {
  auto options = options_for("");
  UpstreamGroup group;
  group.name = std::move(name);
  group.models = {"m*"};
  group.members = std::move(members);
  options.upstreams = {group};
  return options;
}

TEST(RequestKeyerUpstreamTest, a_group_matters_and_its_members_do_not) {
  RequestKeyer one(with_group("a", {{.url = "http://a"}}));
  RequestKeyer more(with_group("a", {{.url = "http://b"}, {.url = "http://a"}}));
  RequestKeyer other(with_group("b", {{.url = "http://a"}}));
  const auto keyed = one.key_of(kDialect, head_with(), "", kBody);
  ASSERT_TRUE(keyed.ok());
  EXPECT_EQ(more.key_of(kDialect, head_with(), "", kBody)->key, keyed->key);
  EXPECT_NE(other.key_of(kDialect, head_with(), "", kBody)->key, keyed->key);
}

TEST(RequestKeyerUpstreamTest, a_request_that_no_group_takes_has_no_key) {
  RequestKeyer keyer(with_group("a", {{.url = "http://a"}}));
  EXPECT_FALSE(keyer.key_of(kDialect, head_with(), "", R"({"model":"x"})").ok());
  EXPECT_FALSE(keyer.key_of(kDialect, head_with(), "", "{}").ok());
}

TEST(RequestKeyerUpstreamTest, the_default_group_has_the_index_after_the_named_ones) {
  auto options = with_group("a", {{.url = "http://a"}});
  options.upstream_url = "http://rest";
  RequestKeyer keyer(options);
  EXPECT_EQ(keyer.key_of(kDialect, head_with(), "", kBody)->upstream, 0);
  EXPECT_EQ(keyer.key_of(kDialect, head_with(), "", R"({"model":"x"})")->upstream, 1);
  // The default's key is what it was before there were groups.
  EXPECT_EQ(keyer.key_of(kDialect, head_with(), "", R"({"model":"x"})")->key,
            RequestKeyer(options_for("http://rest"))
                .key_of(kDialect, head_with(), "", R"({"model":"x"})")
                ->key);
}

}  // namespace
}  // namespace llm_edge_cache::proxy
