#include "proxy/upstream_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llm_edge_cache::proxy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

UpstreamGroup group(std::string name) {
  UpstreamGroup made;
  made.name = std::move(name);
  made.members = {{.url = "http://" + made.name}};
  return made;
}

const std::vector<std::string> kCredentials = {"authorization", "x-api-key", "cookie"};

UpstreamTable table_of(const std::vector<UpstreamGroup>& groups, const std::string& url = "") {
  return {groups, url, kCredentials};
}

std::string name_of(const UpstreamTable& table, std::string_view path, std::string_view model) {
  const auto index = table.match(path, model);
  return index ? table.group(*index).name : "none";
}

std::string refusal(const UpstreamGroup& group) {
  const auto status = UpstreamTable::validate({group}, "");
  return status.ok() ? "" : status.error().message;
}

TEST(UpstreamTableTest, the_first_group_whose_conditions_are_met_takes_a_request) {
  auto anthropic = group("anthropic");
  anthropic.path = "/v1/messages";
  auto local = group("local");
  local.models = {"llama-*", "qwen?"};
  auto tuned = group("tuned");
  tuned.path = "/v1/chat";
  tuned.models = {"gpt-*"};
  const auto table = table_of({anthropic, local, tuned}, "http://rest");
  struct Case {
    std::string_view path;
    std::string_view model;
    std::string_view expected;
  };
  for (const auto& [path, model, expected] : std::initializer_list<Case>{
           {"/v1/messages", "claude-3", "anthropic"},
           {"/v1/messages", "llama-3", "anthropic"},
           {"/v1/messages/batches", "", "anthropic"},
           {"/v1/messagesX", "", "default"},
           {"/v1/chat/completions", "llama-3", "local"},
           {"/v1/chat/completions", "qwen3", "local"},
           {"/v1/chat/completions", "qwen33", "default"},
           {"/v1/chat/completions", "gpt-4o", "tuned"},
           {"/v1/completions", "gpt-4o", "default"},
           {"/v1/chat/completions", "", "default"},
           {"/", "", "default"},
       }) {
    EXPECT_EQ(name_of(table, path, model), expected) << path << " " << model;
  }
}

TEST(UpstreamTableTest, what_no_group_takes_has_no_upstream) {
  auto only = group("only");
  only.path = "/v1/chat/completions";
  EXPECT_EQ(name_of(table_of({only}), "/v1/embeddings", "m"), "none");
}

TEST(UpstreamTableTest, tells_where_the_model_matters) {
  auto local = group("local");
  local.path = "/v1/chat";
  local.models = {"llama-*"};
  const auto table = table_of({local}, "http://rest");
  EXPECT_TRUE(table.asks_for_model("/v1/chat/completions"));
  EXPECT_FALSE(table.asks_for_model("/v1/embeddings"));
  EXPECT_FALSE(table_of({}, "http://rest").asks_for_model("/v1/chat/completions"));
}

TEST(UpstreamTableTest, a_group_is_keyed_by_its_name_and_the_default_by_its_url) {
  auto named = group("named");
  named.members.push_back({.url = "http://other"});
  const auto table = table_of({named}, "http://rest/base");
  EXPECT_EQ(table.group(0).key_text, "named");
  EXPECT_EQ(table.group(1).key_text, "http://rest/base");
}

TEST(UpstreamTableTest, a_clients_credential_passes_where_none_is_injected) {
  const auto table = table_of({group("plain")});
  http::RequestHead head;
  head.target = "/v1/models?x=1";
  head.headers = {{"Authorization", "Bearer mine"}, {"x-api-key", "k"}};
  table.address(head, table.group(0).members[0]);
  EXPECT_EQ(head.target, "/v1/models?x=1");
  EXPECT_EQ(head.headers.get("authorization"), "Bearer mine");
  EXPECT_EQ(head.headers.get("x-api-key"), "k");
}

TEST(UpstreamTableTest, an_injected_credential_takes_the_place_of_all_of_the_clients) {
  struct Case {
    std::string provider;
    std::string header;
    std::string_view name;
    std::string_view value;
  };
  for (const auto& [provider, header, name, value] : std::initializer_list<Case>{
           {"", "", "authorization", "Bearer s3cret"},
           {"openai", "", "authorization", "Bearer s3cret"},
           {"anthropic", "", "x-api-key", "s3cret"},
           {"anthropic", "authorization", "authorization", "Bearer s3cret"},
           {"openai", "x-api-key", "x-api-key", "s3cret"},
       }) {
    auto injected = group("injected");
    injected.provider = provider;
    injected.members[0] = {
        .url = "http://a/base", .credential = "s3cret", .credential_header = header};
    const auto table = table_of({injected});
    http::RequestHead head;
    head.target = "/v1/models";
    head.headers = {{"Authorization", "Bearer mine"},
                    {"X-Api-Key", "mine"},
                    {"Cookie", "mine"},
                    {"traceparent", "00-a-b-01"}};
    table.address(head, table.group(0).members[0]);
    EXPECT_EQ(head.target, "/base/v1/models");
    EXPECT_EQ(head.headers.get(name), value);
    EXPECT_EQ(head.headers.size(), 2U);
    EXPECT_TRUE(head.headers.contains("traceparent"));
  }
}

TEST(UpstreamTableTest, a_clients_credential_goes_to_no_member_of_another_provider) {
  auto mixed = group("mixed");
  mixed.provider = "openai";
  mixed.members.push_back({.url = "http://other", .provider = "anthropic"});
  EXPECT_THAT(refusal(mixed), HasSubstr("http://other is of another provider (anthropic)"));
  mixed.members[1].credential = "s3cret";
  EXPECT_EQ(refusal(mixed), "");
  EXPECT_EQ(table_of({mixed}).group(0).members[1].credential_name, "x-api-key");
}

TEST(UpstreamTableTest, validation_names_the_group_and_the_fault) {
  EXPECT_EQ(refusal(group("good-1.x_y")), "");
  for (const auto* name : {"", "a b", "http://a", "default"}) {
    EXPECT_THAT(refusal(group(name)), HasSubstr("upstream '" + std::string(name) + "': "));
  }
  auto bad = group("bad");
  bad.path = "v1";
  EXPECT_THAT(refusal(bad), HasSubstr("path must start with '/'"));
  bad = group("bad");
  bad.models = {""};
  EXPECT_THAT(refusal(bad), HasSubstr("a model must have"));
  bad = group("bad");
  bad.members.clear();
  EXPECT_THAT(refusal(bad), HasSubstr("members"));
  bad = group("bad");
  bad.members[0].url = "ftp://a";
  EXPECT_THAT(refusal(bad), HasSubstr("'ftp://a'"));
  bad = group("bad");
  bad.members[0].credential_header = "cookie";
  EXPECT_THAT(refusal(bad), HasSubstr("credential_header"));
}

TEST(UpstreamTableTest, a_credential_that_cannot_be_sent_is_refused_and_not_repeated) {
  auto bad = group("bad");
  bad.members[0].credential = "s3cret\r\nx: y";
  EXPECT_THAT(refusal(bad), HasSubstr("credential"));
  EXPECT_THAT(refusal(bad), Not(HasSubstr("s3cret")));
}

TEST(UpstreamTableTest, there_is_an_upstream_and_no_name_twice) {
  EXPECT_FALSE(UpstreamTable::validate({}, "").ok());
  EXPECT_TRUE(UpstreamTable::validate({}, "http://a").ok());
  EXPECT_FALSE(UpstreamTable::validate({}, "a").ok());
  EXPECT_FALSE(UpstreamTable::validate({group("a"), group("a")}, "").ok());
}

}  // namespace
}  // namespace llm_edge_cache::proxy
