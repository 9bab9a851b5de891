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

}  // namespace
}  // namespace llm_edge_cache::redis
