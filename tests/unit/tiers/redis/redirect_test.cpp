#include "tiers/redis/redirect.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache::redis {
namespace {

using Kind = Redirect::Kind;

const ServerAddress kFrom{"10.0.0.1", 7'000};

TEST(RedirectTest, reads_where_a_slot_has_moved) {
  const Redirect redirect = Redirect::parse("MOVED 3999 127.0.0.1:6381", kFrom);
  EXPECT_EQ(redirect.kind, Kind::kMoved);
  EXPECT_EQ(redirect.slot, 3'999);
  EXPECT_EQ(redirect.address, (ServerAddress{"127.0.0.1", 6'381}));
}

TEST(RedirectTest, reads_whom_to_ask_once) {
  const Redirect redirect = Redirect::parse("ASK 16383 node.example:1", kFrom);
  EXPECT_EQ(redirect.kind, Kind::kAsk);
  EXPECT_EQ(redirect.slot, 16'383);
  EXPECT_EQ(redirect.address, (ServerAddress{"node.example", 1}));
}

TEST(RedirectTest, takes_the_host_of_whoever_says_so_where_none_is_named) {
  EXPECT_EQ(Redirect::parse("MOVED 1 :6381", kFrom).address, (ServerAddress{"10.0.0.1", 6'381}));
}

TEST(RedirectTest, reads_ipv6_addresses_as_redis_writes_them) {
  EXPECT_EQ(Redirect::parse("MOVED 1 ::1:6381", kFrom).address, (ServerAddress{"::1", 6'381}));
}

TEST(RedirectTest, waits_where_it_is_asked_to) {
  EXPECT_EQ(Redirect::parse("TRYAGAIN Multiple keys request during rehashing", kFrom).kind,
            Kind::kTryLater);
  EXPECT_EQ(Redirect::parse("CLUSTERDOWN The cluster is down", kFrom).kind, Kind::kTryLater);
}

TEST(RedirectTest, takes_everything_else_for_an_error) {
  for (const char* error :
       {"", "MOVED", "MOVED 1", "MOVED x 127.0.0.1:1", "MOVED 16384 127.0.0.1:1",
        "MOVED -1 127.0.0.1:1", "MOVED 1 127.0.0.1", "MOVED 1 127.0.0.1:0",
        "MOVED 1 127.0.0.1:65536", "MOVED 1 127.0.0.1:1x", "MOVED 1 ?:6379", "MOVEDX 1 127.0.0.1:1",
        "ERR MOVED 1 127.0.0.1:1", "moved 1 127.0.0.1:1"}) {
    EXPECT_EQ(Redirect::parse(error, kFrom).kind, Kind::kNone) << error;
  }
}

TEST(RedirectTest, a_replica_that_cannot_answer_is_told_from_one_that_will_not) {
  EXPECT_TRUE(replica_refuses("LOADING Redis is loading the dataset in memory"));
  EXPECT_TRUE(replica_refuses("MASTERDOWN Link with MASTER is down"));
  EXPECT_FALSE(replica_refuses("NOPERM this user has no permissions"));
  EXPECT_FALSE(replica_refuses("MOVED 1 h:2"));
}

}  // namespace
}  // namespace llm_edge_cache::redis
