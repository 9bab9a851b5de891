// What the commands print, and how they end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

constexpr int kUsage = 2;

std::string file_in(const TempDir& directory, const std::string& name, const std::string& text) {
  const auto path = (directory.path() / name).string();
  std::ofstream(path) << text;
  return path;
}

TEST(CommandLineTest, help_and_version_are_there_for_all) {
  EXPECT_THAT(run_program({"--version"}).output, MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+\n"));
  for (const auto* command :
       {"serve", "mock-provider", "replay", "key", "explain", "stats", "simulate"}) {
    const auto ended = run_program({command, "--help"});
    EXPECT_EQ(ended.status, 0);
    EXPECT_THAT(ended.output, HasSubstr("--"));
    EXPECT_THAT(run_program({"--help"}).output, HasSubstr(command));
  }
}

TEST(CommandLineTest, what_is_not_known_ends_with_2) {
  EXPECT_EQ(run_program({}).status, kUsage);
  EXPECT_EQ(run_program({"brew"}).status, kUsage);
  EXPECT_EQ(run_program({"serve", "--upstraem", "x"}).status, kUsage);
}

TEST(CommandLineTest, serve_says_in_one_line_why_it_cannot_start) {
  const TempDir directory;
  const auto bad = file_in(directory, "proxy.yaml", "l1:\n  capcity: 5\n");
  const auto ended = run_program({"serve", "--config", bad});
  EXPECT_EQ(ended.status, kUsage);
  EXPECT_EQ(ended.error, "llm-edge-cache: " + bad +
                             ":2: unknown key 'l1.capcity' (did you mean 'l1.capacity'?)\n");
}

TEST(CommandLineTest, a_port_in_use_is_named) {
  Program mock({"mock-provider", "--listen", "127.0.0.1:0"});
  const auto ended = run_program({"serve", "--listen", mock.address("listen"), "--admin-listen",
                                  "127.0.0.1:0", "--upstream", mock.url()});
  EXPECT_EQ(ended.status, kUsage);
  EXPECT_THAT(ended.error, StartsWith("llm-edge-cache: --listen: cannot listen on " +
                                      mock.address("listen") + ": "));
}

TEST(CommandLineTest, check_validates_and_exits) {
  EXPECT_EQ(run_program({"serve", "--check", "--upstream", "http://127.0.0.1:1"}).status, 0);
  EXPECT_EQ(run_program({"serve", "--check"}).status, kUsage);
}

TEST(CommandLineTest, replay_counts_hits_and_compares_every_byte) {
  const TempDir directory;
  Program mock({"mock-provider", "--listen", "127.0.0.1:0"});
  const auto prompts = file_in(directory, "prompts.jsonl",
                               "{\"prompt\":\"a\"}\n{\"prompt\":\"b\"}\n{\"prompt\":\"a\"}\n");
  for (const auto* form : {"--json", "--stream"}) {
    // A form that is derived from the other has its own bytes: each is recorded afresh.
    Program proxy(serve_arguments(mock.url()));
    const auto ended =
        run_program({"replay", "--target", proxy.url(), "--prompts", prompts, "--concurrency", "1",
                     "--verify", "--provider", mock.url(), "--json", form});
    EXPECT_EQ(ended.status, 0) << ended.error;
    const auto report = json::parse(ended.output);
    EXPECT_EQ(report["requests"], 3);
    EXPECT_EQ(report["hits_by_tier"]["l1"], 1);
    EXPECT_EQ(report["errors"], 0);
    EXPECT_EQ(report["mismatches"], 0);
    EXPECT_GT(report["tokens_saved"], 0);
  }
}

TEST(CommandLineTest, replay_fails_where_answers_differ) {
  const TempDir directory;
  Program mock({"mock-provider", "--listen", "127.0.0.1:0"});
  Program failing({"mock-provider", "--listen", "127.0.0.1:0", "--error-rate", "1"});
  const auto prompts = file_in(directory, "prompts.jsonl", "{\"prompt\":\"a\"}\n");
  const auto ended = run_program({"replay", "--target", mock.url(), "--prompts", prompts, "--json",
                                  "--verify", "--provider", failing.url()});
  EXPECT_EQ(ended.status, 1);
  EXPECT_EQ(json::parse(ended.output)["mismatches"], 1);
}

TEST(CommandLineTest, replay_names_the_line_that_is_malformed) {
  const TempDir directory;
  const auto prompts = file_in(directory, "prompts.jsonl", "{\"prompt\":\"a\"}\n{}\n");
  const auto ended =
      run_program({"replay", "--target", "http://127.0.0.1:1", "--prompts", prompts});
  EXPECT_EQ(ended.status, kUsage);
  EXPECT_THAT(ended.error, HasSubstr("prompts.jsonl:2: "));
}

TEST(CommandLineTest, stats_reads_a_running_proxy) {
  Program mock({"mock-provider", "--listen", "127.0.0.1:0"});
  Program proxy(serve_arguments(mock.url()));
  ask_chat(proxy.address("listen"), "x");
  ask_chat(proxy.address("listen"), "x");
  const auto table = run_program({"stats", "--admin", proxy.url("admin")});
  EXPECT_EQ(table.status, 0) << table.error;
  EXPECT_THAT(table.output, HasSubstr("l1_hit"));
  const auto stats =
      json::parse(run_program({"stats", "--json", "--admin", proxy.url("admin")}).output);
  EXPECT_EQ(stats["requests"], 2);
  EXPECT_EQ(stats["hit_ratio"], 0.5);
}

TEST(CommandLineTest, stats_of_nobody_is_an_error) {
  const auto ended = run_program({"stats", "--admin", "http://127.0.0.1:1"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.error, HasSubstr("http://127.0.0.1:1"));
}

TEST(CommandLineTest, key_is_the_one_that_the_proxy_tells) {
  Program mock({"mock-provider", "--listen", "127.0.0.1:0"});
  Program proxy(serve_arguments(mock.url(), {"--scope", "shared"}));
  const auto answer = ask_chat(proxy.address("listen"), "which key?");
  const auto ended =
      run_program({"key", "--request", "-", "--upstream", mock.url(), "--scope", "shared"},
                  R"({"messages":[{"content":"which key?","role":"user"}],"model":"gpt-4o"})");
  EXPECT_EQ(ended.status, 0) << ended.error;
  EXPECT_EQ(ended.output.substr(0, 16), answer.field("x-llm-cache-key"));
}

TEST(CommandLineTest, simulate_prints_an_array) {
  const TempDir directory;
  const auto trace = file_in(directory, "trace.txt", "a\nb\na\nc\na\n");
  const auto ended =
      run_program({"simulate", "--trace", trace, "--capacity", "2,3", "--policy", "lru", "--json"});
  EXPECT_EQ(ended.status, 0) << ended.error;
  const auto results = json::parse(ended.output);
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0]["capacity"], 2);
  EXPECT_EQ(results[1]["hits"], 2);
}

}  // namespace
}  // namespace llm_edge_cache::test
