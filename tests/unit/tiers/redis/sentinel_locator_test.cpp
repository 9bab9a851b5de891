#include "tiers/redis/sentinel_locator.hpp"

#include <gtest/gtest.h>

#include <string>

namespace llm_edge_cache::redis {
namespace {

Result<ServerAddress> parsed_answer(const std::string& bytes) {
  RespParser parser;
  EXPECT_EQ(parser.parse(bytes), RespParser::Status::kReply) << bytes;
  return SentinelLocator::parse(parser.reply());
}

TEST(SentinelLocatorTest, reads_the_masters_address) {
  const auto address = parsed_answer("*2\r\n$9\r\n127.0.0.1\r\n$4\r\n6379\r\n");
  ASSERT_TRUE(address.ok());
  EXPECT_EQ(*address, (ServerAddress{"127.0.0.1", 6'379}));
}

TEST(SentinelLocatorTest, says_when_the_name_is_not_known) {
  for (const char* bytes : {"*-1\r\n", "$-1\r\n"}) {
    EXPECT_EQ(parsed_answer(bytes).error().code, ErrorCode::kUnavailable);
  }
}

TEST(SentinelLocatorTest, takes_nothing_else_for_an_address) {
  for (const char* bytes : {"+OK\r\n", "*1\r\n$1\r\nx\r\n", "*2\r\n$0\r\n\r\n$1\r\n1\r\n",
                            "*2\r\n$1\r\nh\r\n:1\r\n", "*2\r\n$1\r\nh\r\n$1\r\n0\r\n",
                            "*2\r\n$1\r\nh\r\n$5\r\n65536\r\n", "*2\r\n$1\r\nh\r\n$2\r\n1x\r\n"}) {
    EXPECT_EQ(parsed_answer(bytes).error().code, ErrorCode::kProtocol) << bytes;
  }
}

// A list of servers as a sentinel sends it, each by its fields in turn.
Result<std::vector<ServerAddress>> parsed_replicas(
    const std::vector<std::vector<std::string>>& servers) {
  std::string bytes = "*" + std::to_string(servers.size()) + "\r\n";
  for (const auto& fields : servers) {
    bytes += "*" + std::to_string(fields.size()) + "\r\n";
    for (const auto& field : fields) {
      bytes += "$" + std::to_string(field.size()) + "\r\n" + field + "\r\n";
    }
  }
  RespParser parser;
  EXPECT_EQ(parser.parse(bytes), RespParser::Status::kReply) << bytes;
  return SentinelLocator::parse_replicas(parser.reply());
}

std::vector<std::string> replica(const std::string& port, const std::string& flags = "slave",
                                 const std::string& link = "ok") {
  return {"name", "x", "ip", "10.0.0.1", "port", port, "flags", flags, "master-link-status", link};
}

TEST(SentinelLocatorTest, reads_the_replicas_in_order) {
  const auto replicas = parsed_replicas({replica("7"), replica("6")});
  ASSERT_TRUE(replicas.ok());
  EXPECT_EQ(*replicas, (std::vector<ServerAddress>{{"10.0.0.1", 6}, {"10.0.0.1", 7}}));
}

TEST(SentinelLocatorTest, passes_over_replicas_that_are_not_well) {
  const auto replicas = parsed_replicas({replica("1", "s_down,slave"),
                                         replica("2", "slave,o_down"),
                                         replica("3", "slave,disconnected"),
                                         replica("4", "slave", "err"),
                                         replica("0"),
                                         {"ip", "10.0.0.1", "port", "5"},
                                         {"flags", "slave"},
                                         {},
                                         replica("9")});
  ASSERT_TRUE(replicas.ok());
  EXPECT_EQ(*replicas, (std::vector<ServerAddress>{{"10.0.0.1", 9}}));
}

TEST(SentinelLocatorTest, says_when_no_replica_is_well) {
  EXPECT_EQ(parsed_replicas({}).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(parsed_replicas({replica("1", "slave", "err")}).error().code, ErrorCode::kUnavailable);
}

TEST(SentinelLocatorTest, takes_nothing_else_for_replicas) {
  for (const std::string bytes : {"+OK\r\n", "$-1\r\n", ":1\r\n"}) {
    RespParser parser;
    ASSERT_EQ(parser.parse(bytes), RespParser::Status::kReply);
    EXPECT_EQ(SentinelLocator::parse_replicas(parser.reply()).error().code, ErrorCode::kProtocol);
  }
  RespParser parser;
  ASSERT_EQ(parser.parse("*3\r\n+a\r\n*1\r\n*0\r\n:1\r\n"), RespParser::Status::kReply);
  EXPECT_FALSE(SentinelLocator::parse_replicas(parser.reply()).ok());
}

}  // namespace
}  // namespace llm_edge_cache::redis
