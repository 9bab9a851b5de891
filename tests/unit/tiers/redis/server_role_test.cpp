#include "tiers/redis/server_role.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace llm_edge_cache::redis {
namespace {

using ::testing::HasSubstr;

std::string complaint(ServerRole wanted, const std::string& bytes) {
  RespParser parser;
  EXPECT_EQ(parser.parse(bytes), RespParser::Status::kReply) << bytes;
  return complaint_about_role(wanted, parser.reply());
}

constexpr const char* kMaster = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";
constexpr const char* kLinked = "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:0\r\n";
constexpr const char* kCutOff = "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$10\r\nconnecting\r\n:0\r\n";

TEST(ServerRoleTest, a_master_is_no_replica_and_the_other_way_round) {
  EXPECT_EQ(complaint(ServerRole::kMaster, kMaster), "");
  EXPECT_EQ(complaint(ServerRole::kMaster, kLinked), "the server is a slave, not the master");
  EXPECT_EQ(complaint(ServerRole::kReplica, kLinked), "");
  EXPECT_EQ(complaint(ServerRole::kReplica, kMaster), "the server is a master, not a replica");
}

TEST(ServerRoleTest, a_replica_that_does_not_hear_its_master_is_none) {
  EXPECT_THAT(complaint(ServerRole::kReplica, kCutOff), HasSubstr("cut off"));
  EXPECT_THAT(complaint(ServerRole::kReplica, "*1\r\n$5\r\nslave\r\n"), HasSubstr("cut off"));
}

TEST(ServerRoleTest, a_sentinel_is_neither) {
  const std::string sentinel = "*2\r\n$8\r\nsentinel\r\n*0\r\n";
  EXPECT_THAT(complaint(ServerRole::kMaster, sentinel), HasSubstr("a sentinel, not the master"));
  EXPECT_THAT(complaint(ServerRole::kReplica, sentinel), HasSubstr("a sentinel, not a replica"));
}

TEST(ServerRoleTest, any_server_will_do_where_none_is_wanted) {
  EXPECT_EQ(complaint(ServerRole::kAny, "+OK\r\n"), "");
}

TEST(ServerRoleTest, what_is_no_answer_to_role_fits_nothing) {
  for (const char* bytes : {"+master\r\n", "*0\r\n", "$-1\r\n", ":1\r\n"}) {
    EXPECT_THAT(complaint(ServerRole::kMaster, bytes), HasSubstr("does not answer ROLE")) << bytes;
    EXPECT_THAT(complaint(ServerRole::kReplica, bytes), HasSubstr("does not answer ROLE")) << bytes;
  }
}

}  // namespace
}  // namespace llm_edge_cache::redis
