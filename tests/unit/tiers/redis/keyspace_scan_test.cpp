#include "tiers/redis/keyspace_scan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace llm_edge_cache::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ScanPageTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<ScanPage> page(ScanPage::Place place = {}) {
    return std::make_unique<ScanPage>(
        "p*:", std::move(place), 512,
        [this](std::string_view next, RespReply keys) {
          cursor_ = next;
          for (const RespNode& key : keys) keys_.emplace_back(key.text);
        },
        [this](const Error& error) { error_ = error.message; });
  }
  // Whether it takes the bytes for an answer.
  [[nodiscard]] bool completes(const std::string& bytes) {
    RespParser parser;
    EXPECT_EQ(parser.parse(bytes), RespParser::Status::kReply);
    return page()->complete(parser.reply());
  }

  std::string cursor_;
  std::vector<std::string> keys_;
  std::string error_;
};

TEST_F(ScanPageTest, asks_for_a_page_of_the_keys_under_the_prefix) {
  std::string command;
  EXPECT_TRUE(page({std::nullopt, "17"})->append_to(command));
  EXPECT_EQ(command,
            "*6\r\n$4\r\nSCAN\r\n$2\r\n17\r\n$5\r\nMATCH\r\n$5\r\np\\*:*\r\n$5\r\nCOUNT\r\n$3\r\n"
            "512\r\n");
}

TEST_F(ScanPageTest, asks_the_node_whose_keyspace_it_is) {
  const ServerAddress node{"10.0.0.1", 7'000};
  EXPECT_EQ(page({node})->routing.node, node);
  EXPECT_EQ(page()->routing.node, std::nullopt);
  EXPECT_EQ(page({node})->slot(), std::nullopt);
}

TEST_F(ScanPageTest, asks_the_same_again_where_it_is_sent_elsewhere) {
  const auto one = page({std::nullopt, "17"});
  std::string first;
  std::string second;
  EXPECT_TRUE(one->append_to(first) && one->append_to(second));
  EXPECT_EQ(first, second);
}

TEST_F(ScanPageTest, gives_the_keys_and_the_next_cursor) {
  EXPECT_TRUE(completes("*2\r\n$2\r\n42\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n"));
  EXPECT_EQ(cursor_, "42");
  EXPECT_THAT(keys_, ElementsAre("a", "b"));
}

TEST_F(ScanPageTest, a_page_may_have_no_keys_before_the_end) {
  EXPECT_TRUE(completes("*2\r\n$2\r\n42\r\n*0\r\n"));
  EXPECT_EQ(cursor_, "42");
  EXPECT_THAT(keys_, IsEmpty());
}

TEST_F(ScanPageTest, takes_no_other_answer_and_tells_nothing_of_it) {
  for (const char* bytes :
       {"+OK\r\n", ":1\r\n", "$-1\r\n", "*0\r\n", "*2\r\n$1\r\n0\r\n$1\r\na\r\n",
        "*2\r\n:0\r\n*0\r\n", "*3\r\n$1\r\n0\r\n*0\r\n$1\r\na\r\n", "*2\r\n$1\r\n0\r\n*1\r\n:7\r\n",
        "*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$-1\r\n", "*2\r\n$1\r\n0\r\n*1\r\n*1\r\n$1\r\na\r\n"}) {
    EXPECT_FALSE(completes(bytes)) << bytes;
  }
  EXPECT_THAT(keys_, IsEmpty());
  EXPECT_EQ(cursor_, "");
}

TEST_F(ScanPageTest, tells_of_its_failure) {
  page()->fail({ErrorCode::kUnavailable, "redis: not available"});
  EXPECT_EQ(error_, "redis: not available");
}

}  // namespace
}  // namespace llm_edge_cache::redis
