#include "tiers/redis/client_identity.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache::redis {
namespace {

TEST(ClientIdentityTest, is_read_from_client_info) {
  const auto identity = ClientIdentity::parse(
      "id=3 addr=127.0.0.1:50112 laddr=127.0.0.1:6379 fd=8 name= age=0 user=default\n");
  ASSERT_TRUE(identity.has_value());
  EXPECT_EQ(identity->id, "3");
  EXPECT_EQ(identity->address, "127.0.0.1:50112");
}

TEST(ClientIdentityTest, needs_both_parts) {
  EXPECT_FALSE(ClientIdentity::parse("").has_value());
  EXPECT_FALSE(ClientIdentity::parse("id=3").has_value());
  EXPECT_FALSE(ClientIdentity::parse("addr=127.0.0.1:1").has_value());
  EXPECT_FALSE(ClientIdentity::parse("id= addr=").has_value());
  EXPECT_FALSE(ClientIdentity::parse("laddr=127.0.0.1:1 xid=3").has_value());
}

}  // namespace
}  // namespace llm_edge_cache::redis
