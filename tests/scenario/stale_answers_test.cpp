// The provider dies, and its last good answers stand in for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::uint64_t stale_requests(const Program& proxy) {
  const auto stats =
      json::parse(run_program({"stats", "--json", "--admin", proxy.url("admin")}).output);
  return stats["outcomes"]["stale"];
}

TEST(StaleAnswersTest, a_provider_that_is_gone_is_stood_in_for) {
  std::optional<Program> mock(std::in_place,
                              std::vector<std::string>{"mock-provider", "--listen", "127.0.0.1:0"});
  Program proxy(
      serve_arguments(mock->url(), {"--l1-ttl-seconds", "1", "--stale-if-error-seconds", "3600"}));
  const auto good = ask_chat(proxy.address("listen"), "still there?");
  mock.reset();
  Answer answer;
  ASSERT_TRUE(eventually([&] {  // until the good answer has reached its end
    answer = ask_chat(proxy.address("listen"), "still there?");
    return answer.field("cache-status").find("; hit;") == std::string::npos;
  }));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, good.body);
  EXPECT_THAT(answer.field("cache-status"), StartsWith("llm-edge-cache; fwd=stale; ttl=-"));
  EXPECT_THAT(answer.field("cache-status"), HasSubstr("; detail=stale_if_error"));
  EXPECT_EQ(ask_chat(proxy.address("listen"), "never asked").status, 502);
  EXPECT_EQ(stale_requests(proxy), 1U);
}

TEST(StaleAnswersTest, a_stale_answer_comes_at_once_and_is_refreshed) {
  Program mock({"mock-provider", "--listen", "127.0.0.1:0"});
  Program proxy(serve_arguments(
      mock.url(), {"--l1-ttl-seconds", "1", "--stale-while-revalidate-seconds", "3600"}));
  ask_chat(proxy.address("listen"), "what is new?");
  Answer stale;
  ASSERT_TRUE(eventually([&] {
    stale = ask_chat(proxy.address("listen"), "what is new?");
    return stale.field("cache-status").find("detail=l1") == std::string::npos;
  }));
  // In its very last millisecond an answer is stale with a life of 0.
  EXPECT_THAT(stale.field("cache-status"),
              ::testing::AnyOf(StartsWith("llm-edge-cache; hit; ttl=-"),
                               StartsWith("llm-edge-cache; hit; ttl=0; detail=stale")));
  EXPECT_THAT(stale.field("cache-status"), HasSubstr("; detail=stale_while_revalidate"));
  EXPECT_TRUE(eventually([&] {
    return ask_chat(proxy.address("listen"), "what is new?").field("cache-status") ==
           "llm-edge-cache; hit; ttl=0; detail=l1";
  }));
}

class ExplainTest : public ::testing::Test {
 protected:
  ExplainTest() { std::ofstream(config_) << kConfig; }

  static constexpr auto kConfig =
      "upstream: {url: \"http://127.0.0.1:1\"}\n"
      "scope: {mode: shared}\n"
      "freshness: {stale_if_error_seconds: 60}\n"
      "rules:\n"
      "  - name: agents\n"
      "    tools: true\n"
      "    cache: never\n"
      "  - model: gpt-4o*\n"
      "    ttl_seconds: 120\n";
  static constexpr auto kRequest =
      R"({"model":"gpt-4o","messages":[{"role":"user","content":"Hi"}],"user":"u"})";

  Ended explain(std::vector<std::string> more, const std::string& body = kRequest) {
    std::vector<std::string> arguments = {"explain", "--config", config_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments, body);
  }

  TempDir directory_;
  const std::string config_ = (directory_.path() / "proxy.yaml").string();
};

TEST_F(ExplainTest, says_in_words_what_would_be_done) {
  const auto ended = explain({});
  EXPECT_EQ(ended.status, 0) << ended.error;
  EXPECT_THAT(ended.output, HasSubstr("cached           yes\n"));
  EXPECT_THAT(ended.output, HasSubstr(config_ + ":8: rules[2]\n"));
  EXPECT_THAT(ended.output, HasSubstr("ttl              120 s\n"));
  EXPECT_THAT(ended.output, HasSubstr("not in the key   user\n"));
}

TEST_F(ExplainTest, and_in_json) {
  const auto explanation = json::parse(
      explain({"--json"}, R"({"model":"gpt-4o","tools":[{"type":"function"}]})").output);
  EXPECT_EQ(explanation["cached"], false);
  EXPECT_EQ(explanation["reason"], "the rule says never");
  EXPECT_EQ(explanation["decision"]["rule"]["name"], "agents");
}

TEST_F(ExplainTest, its_key_is_the_one_of_the_proxy) {
  Program mock({"mock-provider", "--listen", "127.0.0.1:0"});
  std::ofstream(config_) << "upstream: {url: \"" << mock.url() << "\"}\nscope: {mode: shared}\n";
  Program proxy(
      {"serve", "--config", config_, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"});
  const auto answer = ask_chat(proxy.address("listen"), "Hi");
  const auto explanation = json::parse(explain({"--json"}).output);
  EXPECT_EQ(explanation["keys"][0]["short"], answer.field("x-llm-cache-key"));
}

TEST_F(ExplainTest, headers_and_path_count) {
  const auto refused = explain({"--header", "x-llm-cache-ttl: soon"});
  EXPECT_THAT(refused.output, HasSubstr("error            x-llm-cache-ttl must be"));
  EXPECT_THAT(explain({"--path", "/v1/models"}).output, HasSubstr("passed through"));
  EXPECT_EQ(explain({"--header", "nonsense"}).status, 2);
}

TEST_F(ExplainTest, a_configuration_that_is_wrong_is_an_error_with_its_line) {
  std::ofstream(config_, std::ios::app) << "  - ttl_seconds: soon\n";
  for (const auto* command : {"explain", "serve"}) {
    const auto ended = run_program({command, "--config", config_});
    EXPECT_EQ(ended.status, 2);
    EXPECT_THAT(ended.error, HasSubstr(config_ + ":10: rules[3].ttl_seconds: 'soon' is not"));
  }
  EXPECT_EQ(run_program({"serve", "--check", "--config", config_}).status, 2);
}

TEST_F(ExplainTest, check_says_ok) {
  const auto ended = run_program({"serve", "--check", "--config", config_});
  EXPECT_EQ(ended.status, 0) << ended.error;
  EXPECT_EQ(ended.output, "ok\n");
}

}  // namespace
}  // namespace llm_edge_cache::test
