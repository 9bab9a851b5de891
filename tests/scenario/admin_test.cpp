// The admin API and its commands, over the real binary, memory and a real Redis.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "tests/scenario/process_memory.hpp"
#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kToken = "a-token-of-the-operator";

class AdminTest : public ::testing::Test {
 protected:
  AdminTest() {
    std::ofstream(token_file()) << kToken << '\n';
    std::filesystem::permissions(token_file(), std::filesystem::perms::owner_read);
  }
  [[nodiscard]] std::string token_file() const { return (dir_.path() / "token").string(); }
  [[nodiscard]] std::string export_file() const { return (dir_.path() / "export").string(); }

  [[nodiscard]] std::vector<std::string> arguments(std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--l2", redis_.url(), "--l2-operation-timeout-ms", "20000",
                             "--admin-token-file", token_file()});
    return serve_arguments(mock_.url(), std::move(more));
  }
  [[nodiscard]] std::map<std::string, std::string> environment() const {
    return {{"XDG_STATE_HOME", (dir_.path() / "state").string()}};
  }

  // The Cache-Status of a question under a tag, and in a namespace where there is one.
  static std::string asked(const Program& proxy, const std::string& prompt, const std::string& tag,
                           const std::string& name_space = "") {
    auto request = chat_request(prompt);
    auto fields = "x-llm-cache-tags: " + tag + "\r\n";
    if (!name_space.empty()) fields += "x-llm-cache-namespace: " + name_space + "\r\n";
    request.insert(request.find("\r\n") + 2, fields);
    const auto answer = ask(proxy.address("listen"), request);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.field("cache-status");
  }
  Ended command(const Program& proxy, std::vector<std::string> words, std::string input = "") {
    words.insert(words.end(), {"--admin", proxy.url("admin"), "--token-file", token_file()});
    return run_program(std::move(words), std::move(input));
  }
  // What a command says when it went well.
  std::string said(const Program& proxy, std::vector<std::string> words, std::string input = "") {
    const auto ended = command(proxy, std::move(words), std::move(input));
    EXPECT_EQ(ended.status, 0) << ended.error;
    return ended.output;
  }
  // Entries that Redis has, markers of tags among them.
  [[nodiscard]] bool redis_has(const std::string& entries) {
    return eventually([&] { return redis_.command({"DBSIZE"}) == entries; });
  }

  TempDir dir_;
  RedisServer redis_;
  Program mock_{{"mock-provider", "--listen", "127.0.0.1:0"}};
};

TEST_F(AdminTest, a_purged_tag_is_gone_from_memory_and_from_redis_and_others_stay) {
  Program proxy(arguments(), environment());
  asked(proxy, "one", "a");
  asked(proxy, "two", "b");
  ASSERT_THAT(asked(proxy, "one", "a"), HasSubstr("detail=l1"));
  ASSERT_TRUE(redis_has("4"));
  EXPECT_EQ(said(proxy, {"purge", "--tag", "a"}), "{\"purged\":true}\n");
  // L1 of this proxy is empty: what it finds, it finds in Redis.
  Program fresh(arguments(), environment());
  EXPECT_THAT(asked(fresh, "one", "a"), HasSubstr("fwd="));
  EXPECT_THAT(asked(fresh, "two", "b"), HasSubstr("detail=l2"));
  EXPECT_THAT(asked(proxy, "two", "b"), HasSubstr("detail=l1"));
}

TEST_F(AdminTest, a_purged_tag_is_asked_for_anew_and_then_found_again) {
  Program proxy(arguments(), environment());
  asked(proxy, "one", "a");
  said(proxy, {"purge", "--tag", "a"});
  EXPECT_THAT(asked(proxy, "one", "a"), HasSubstr("fwd="));
  EXPECT_THAT(asked(proxy, "one", "a"), HasSubstr("; hit;"));
}

TEST_F(AdminTest, a_namespace_is_purged_without_its_neighbours) {
  Program proxy(arguments(), environment());
  asked(proxy, "one", "a", "blue");
  asked(proxy, "one", "a", "red");
  said(proxy, {"purge", "--namespace", "blue"});
  EXPECT_THAT(asked(proxy, "one", "a", "red"), HasSubstr("; hit;"));
  EXPECT_THAT(asked(proxy, "one", "a", "blue"), HasSubstr("fwd="));
}

TEST_F(AdminTest, models_are_purged_by_name_and_all_by_all) {
  Program proxy(arguments(), environment());
  asked(proxy, "one", "a");
  asked(proxy, "two", "a");
  ASSERT_TRUE(redis_has("3"));
  EXPECT_EQ(said(proxy, {"purge", "--model", "another"}), "{\"purged\":0}\n");
  const auto line = said(proxy, {"export"});
  const auto model = nlohmann::json::parse(line.substr(0, line.find('\n')))["model"];
  EXPECT_EQ(said(proxy, {"purge", "--model", model.get<std::string>()}), "{\"purged\":2}\n");
  EXPECT_THAT(asked(proxy, "one", "a"), HasSubstr("fwd="));
  EXPECT_EQ(said(proxy, {"purge", "--all"}), "{\"purged\":true}\n");
  EXPECT_EQ(redis_.command({"DBSIZE"}), "0");
}

TEST_F(AdminTest, what_one_proxy_exports_another_imports_and_hits) {
  std::string exported;
  {
    Program proxy(arguments(), environment());
    asked(proxy, "one", "a");
    asked(proxy, "two", "b");
    ASSERT_TRUE(redis_has("4"));
    said(proxy, {"export", "--output", export_file()});
  }
  std::stringstream text;
  text << std::ifstream(export_file()).rdbuf();
  exported = text.str();
  EXPECT_EQ(std::count(exported.begin(), exported.end(), '\n'), 2);
  redis_.command({"FLUSHALL"});

  Program fresh(arguments(), environment());
  EXPECT_EQ(said(fresh, {"import", export_file()}),
            "{\"imported\":2,\"expired\":0,\"filtered\":0}\n");
  EXPECT_THAT(asked(fresh, "one", "a"), HasSubstr("detail=l1"));
  EXPECT_THAT(asked(fresh, "two", "b"), HasSubstr("detail=l1"));
  // Its tags are as good as those of what was stored here.
  said(fresh, {"purge", "--tag", "a"});
  EXPECT_THAT(asked(fresh, "one", "a"), HasSubstr("fwd="));
}

TEST_F(AdminTest, export_and_import_choose_by_tag) {
  Program proxy(arguments(), environment());
  asked(proxy, "one", "a");
  asked(proxy, "two", "b");
  const auto chosen = said(proxy, {"export", "--tag", "b"});
  EXPECT_EQ(std::count(chosen.begin(), chosen.end(), '\n'), 1);
  EXPECT_EQ(said(proxy, {"import", "-", "--tag", "a"}, chosen),
            "{\"imported\":0,\"expired\":0,\"filtered\":1}\n");
}

TEST_F(AdminTest, hundreds_of_entries_come_through_both_ways) {
  Program proxy(arguments(), environment());
  for (int i = 0; i < 300; ++i) asked(proxy, "question " + std::to_string(i), "many");
  ASSERT_TRUE(redis_has("301"));
  said(proxy, {"export", "--output", export_file()});
  said(proxy, {"purge", "--all"});
  EXPECT_EQ(said(proxy, {"import", export_file()}),
            "{\"imported\":300,\"expired\":0,\"filtered\":0}\n");
  EXPECT_TRUE(redis_has("301"));
  EXPECT_THAT(asked(proxy, "question 299", "many"), HasSubstr("; hit;"));
}

// Fifty megabytes, more than all buffers on the way take: it must wait, in memory that stays small.
TEST_F(AdminTest, an_export_waits_for_who_reads_slowly_and_comes_whole) {
  Program proxy(arguments({"--l1-capacity", "10"}), environment());
  asked(proxy, "one", "many");
  auto entry = nlohmann::json::parse(said(proxy, {"export"}));
  constexpr std::size_t kContentBytes = 256U << 10U;
  constexpr std::size_t kEntries = 200;
  entry["content"] = std::string(kContentBytes, 'x');
  std::string lines;
  for (std::size_t i = 0; i < kEntries; ++i) {
    entry["key"] = fmt::format("{:064x}", i + 1);
    lines += entry.dump() + "\n";
  }
  EXPECT_THAT(said(proxy, {"import"}, lines), HasSubstr("\"imported\":200"));
  ASSERT_TRUE(redis_has(std::to_string(kEntries + 2)));

  const auto before = resident_bytes(proxy.process().pid());
  RawClient slow(proxy.address("admin"));
  slow.send("GET /export HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " +
            std::string(kToken) + "\r\n\r\n");
  slow.wait_for_bytes();
  // Whatever it does for another, it has done while this one was not read.
  said(proxy, {"export", "--output", export_file()});
  EXPECT_GT(std::filesystem::file_size(export_file()), kEntries * kContentBytes);
  const auto grown = grown_since(before, proxy.process().pid());
  EXPECT_GE(slow.read_bytes(kEntries * kContentBytes), kEntries * kContentBytes);
  expect_grown_less(grown, 32U << 20U);
}

TEST_F(AdminTest, a_line_that_is_not_an_entry_ends_the_import_with_its_number) {
  Program proxy(arguments(), environment());
  asked(proxy, "one", "a");
  const auto good = said(proxy, {"export"});
  const auto ended = command(proxy, {"import"}, good + "{\"key\":1}\n" + good);
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.error, HasSubstr("invalid_line: line 2: "));
  EXPECT_THAT(ended.error, HasSubstr("1 entries were imported before it"));
}

TEST_F(AdminTest, inspect_shows_what_each_tier_has) {
  Program proxy(arguments(), environment());
  asked(proxy, "one", "a");
  ASSERT_TRUE(redis_has("2"));
  const auto line = said(proxy, {"export"});
  const auto key = nlohmann::json::parse(line)["key"].get<std::string>();
  const auto seen = nlohmann::json::parse(said(proxy, {"inspect", key}));
  EXPECT_EQ(seen["key"], key);
  EXPECT_EQ(seen["l1"]["tags"], nlohmann::json::array({"a"}));
  EXPECT_EQ(seen["l2"]["content_bytes"], seen["l1"]["content_bytes"]);
  EXPECT_EQ(said(proxy, {"purge", "--key", key}), "{\"purged\":1}\n");
  const auto gone = command(proxy, {"inspect", key});
  EXPECT_EQ(gone.status, 1);
  EXPECT_THAT(gone.error, HasSubstr("not_found"));
}

TEST_F(AdminTest, without_the_token_nothing_is_told_but_health) {
  Program proxy(arguments(), environment());
  const auto refused = run_program({"purge", "--all", "--admin", proxy.url("admin")});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.error, HasSubstr("unauthorized"));
  EXPECT_EQ(get(proxy.address("admin"), "/metrics").status, 401);
  EXPECT_EQ(get(proxy.address("admin"), "/healthz").status, 200);
  EXPECT_THAT(said(proxy, {"stats", "--json"}), HasSubstr("uptime"));
}

TEST_F(AdminTest, beyond_this_machine_a_token_is_required) {
  const auto checked = [&](std::vector<std::string> more) {
    std::vector<std::string> words = {"serve",          "--upstream", mock_.url(),
                                      "--admin-listen", "0.0.0.0:0",  "--check"};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words);
  };
  const auto refused = checked({});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.error, HasSubstr("--admin-token-file is required"));
  EXPECT_EQ(checked({"--admin-token-file", token_file()}).status, 0);
}

TEST_F(AdminTest, an_order_that_is_not_one_says_which_there_are) {
  Program proxy(arguments(), environment());
  const auto post = [&](const std::string& body) {
    return ask(proxy.address("admin"),
               "POST /purge HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
               "Authorization: Bearer " +
                   std::string(kToken) + "\r\nContent-Length: " + std::to_string(body.size()) +
                   "\r\n\r\n" + body);
  };
  for (const char* body : {"", "{}", "[]", R"({"all":false})", R"({"tag":""})", R"({"tag":1})",
                           R"({"tag":"a","model":"b"})", R"({"key":"00"})"}) {
    const auto answer = post(body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(answer.body, HasSubstr("invalid_argument"));
  }
}

}  // namespace
}  // namespace llm_edge_cache::test
