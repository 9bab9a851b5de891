// What is exported and imported, of whom and how old, through the real commands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/scenario/raw_client.hpp"
#include "tests/scenario/transfer_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/redis_server.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ChosenTransferTest : public TransferTest {
 protected:
  // Each word of a choice leaves out one of them that the other words take.
  static std::vector<SampleLine> assorted() {
    return {{.number = 1},
            {.number = 2, .age_s = 3 * 3'600},
            {.number = 3, .tag = "code"},
            {.number = 4, .model = "gpt-4o-mini"},
            {.number = 5, .model = "org/a model & more=1%", .tag = "ä, b", .age_s = 3 * 3'600}};
  }
  static void expect_choices(const Program& proxy) {
    EXPECT_EQ(exported(proxy), (Numbers{1, 2, 3, 4, 5}));
    EXPECT_EQ(exported(proxy, {"--model", "gpt-4o"}), (Numbers{1, 2, 3}));
    EXPECT_EQ(exported(proxy, {"--tag", "docs"}), (Numbers{1, 2, 4}));
    EXPECT_EQ(exported(proxy, {"--max-age-seconds", "7200"}), (Numbers{1, 3, 4}));
    EXPECT_EQ(exported(proxy, {"--max-age-seconds", "14400"}), (Numbers{1, 2, 3, 4, 5}));
    EXPECT_EQ(exported(proxy, {"--model", "gpt-4o", "--tag", "docs"}), (Numbers{1, 2}));
    EXPECT_EQ(exported(proxy, {"--model", "gpt-4o", "--max-age-seconds", "7200"}), (Numbers{1, 3}));
    EXPECT_EQ(exported(proxy, {"--tag", "docs", "--max-age-seconds", "7200"}), (Numbers{1, 4}));
    EXPECT_EQ(exported(proxy, {"--model", "gpt-4o", "--tag", "docs", "--max-age-seconds", "7200"}),
              (Numbers{1}));
  }
};

TEST_F(ChosenTransferTest, an_export_is_chosen_by_model_by_tag_by_age_and_by_all_of_them) {
  const auto proxy = started();
  said(proxy, {"import"}, lines_of(assorted()));
  expect_choices(proxy);
}

TEST_F(ChosenTransferTest, an_export_chooses_the_same_where_the_entries_are_in_redis) {
  RedisServer redis;
  const std::vector<std::string> store = {"--l2", redis.url(), "--l2-operation-timeout-ms",
                                          "20000"};
  said(started(store), {"import"}, lines_of(assorted()));
  expect_choices(started(store));  // whose memory has nothing
}

TEST_F(ChosenTransferTest, names_are_taken_whole_whatever_is_in_them) {
  const auto proxy = started();
  said(proxy, {"import"}, lines_of(assorted()));
  EXPECT_EQ(exported(proxy, {"--model", "org/a model & more=1%"}), Numbers{5});
  EXPECT_EQ(exported(proxy, {"--tag", "ä, b"}), Numbers{5});
  EXPECT_EQ(exported(proxy, {"--model", "gpt"}), Numbers{});
  EXPECT_EQ(exported(proxy, {"--model", "gpt-4o*"}), Numbers{});
  EXPECT_EQ(exported(proxy, {"--tag", "Docs"}), Numbers{});
}

TEST_F(ChosenTransferTest, an_import_chooses_in_the_same_words_and_counts_what_it_left_out) {
  const auto proxy = started();
  EXPECT_EQ(
      said(proxy, {"import", "--model", "gpt-4o", "--tag", "docs", "--max-age-seconds", "7200"},
           lines_of(assorted())),
      "{\"imported\":1,\"expired\":0,\"filtered\":4}\n");
  EXPECT_EQ(exported(proxy), Numbers{1});
}

TEST_F(ChosenTransferTest, an_age_that_is_none_is_refused) {
  const auto proxy = started();
  for (const char* age : {"-1", "an hour", "1.5", "99999999999"}) {
    const auto ended = command(proxy, {"export", "--max-age-seconds", age});
    EXPECT_NE(ended.status, 0) << age;
    EXPECT_THAT(ended.error + ended.output, testing::ContainsRegex("max.age.seconds")) << age;
  }
}

TEST_F(TransferTest, an_export_in_the_clear_is_encrypted_where_it_is_imported) {
  RedisServer redis;
  const std::vector<std::string> plain = {"--l2", redis.url(), "--l2-operation-timeout-ms",
                                          "20000"};
  std::ofstream(file("key")) << std::string(64, 'a');
  std::filesystem::permissions(file("key"), std::filesystem::perms::owner_read);
  auto encrypted = plain;
  encrypted.insert(encrypted.end(), {"--l2-encryption-key-file", file("key")});

  const auto first = started(plain);
  const auto answer = ask_chat(first.address("listen"), "one");
  ASSERT_TRUE(eventually([&] { return redis.command({"DBSIZE"}) == "1"; }));
  const auto lines = said(first, {"export"});
  ASSERT_THAT(lines, HasSubstr("answer 1"));
  redis.command({"FLUSHALL"});
  EXPECT_EQ(said(started(encrypted), {"import"}, lines),
            "{\"imported\":1,\"expired\":0,\"filtered\":0}\n");

  ASSERT_EQ(redis.command({"DBSIZE"}), "1");
  const auto stored = redis.command({"GET", redis.command({"KEYS", "*"})});
  EXPECT_THAT(stored, AllOf(HasSubstr("LLEC"), Not(HasSubstr("answer 1"))));
  const auto found = ask_chat(started(encrypted).address("listen"), "one");
  EXPECT_THAT(found.field("cache-status"), HasSubstr("detail=l2"));
  EXPECT_EQ(found.body, answer.body);
  EXPECT_EQ(provider_.count(), 1U);
}

}  // namespace
}  // namespace llm_edge_cache::test
