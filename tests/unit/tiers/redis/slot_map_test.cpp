#include "tiers/redis/slot_map.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace llm_edge_cache::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const ServerAddress kTeller{"10.0.0.9", 7'000};
const ServerAddress kA{"10.0.0.1", 7'000};
const ServerAddress kB{"10.0.0.2", 7'000};
const ServerAddress kC{"10.0.0.3", 7'000};

Result<SlotMap> map_of(const std::string& bytes) {
  static RespParser parser;
  parser = RespParser();
  if (parser.parse(bytes) != RespParser::Status::kReply) {
    ADD_FAILURE() << "not a reply: " << bytes;
    return Error{ErrorCode::kInternal, "not a reply"};
  }
  return SlotMap::parse(parser.reply(), kTeller);
}

std::string bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}
std::string node(const std::string& host, int port) {
  return "*4\r\n" + bulk(host) + ":" + std::to_string(port) + "\r\n" + bulk("id") + "*0\r\n";
}
std::string range(int first, int last, const std::vector<std::string>& nodes) {
  std::string text = "*" + std::to_string(nodes.size() + 2) + "\r\n:" + std::to_string(first) +
                     "\r\n:" + std::to_string(last) + "\r\n";
  for (const std::string& each : nodes) text += each;
  return text;
}

TEST(SlotMapTest, knows_the_primary_and_the_replicas_of_each_slot) {
  const auto map =
      map_of("*2\r\n" + range(0, 8'191, {node("10.0.0.1", 7'000), node("10.0.0.3", 7'000)}) +
             range(8'192, 16'383, {node("10.0.0.2", 7'000)}));
  ASSERT_TRUE(map.ok());
  EXPECT_TRUE(map->covers_all());
  EXPECT_EQ(map->shards()[map->shard_of(0)].primary, kA);
  EXPECT_EQ(map->shards()[map->shard_of(8'191)].primary, kA);
  EXPECT_THAT(map->shards()[map->shard_of(0)].replicas, ElementsAre(kC));
  EXPECT_EQ(map->shards()[map->shard_of(8'192)].primary, kB);
  EXPECT_THAT(map->shards()[map->shard_of(16'383)].replicas, IsEmpty());
}

TEST(SlotMapTest, is_the_same_whichever_order_a_node_tells_it_in) {
  const std::string low = range(0, 9, {node("10.0.0.2", 7'000), node("c", 1), node("b", 1)});
  const std::string low_again = range(0, 9, {node("10.0.0.2", 7'000), node("b", 1), node("c", 1)});
  const std::string high = range(10, 19, {node("10.0.0.1", 7'000)});
  EXPECT_EQ(*map_of("*2\r\n" + low + high), *map_of("*2\r\n" + high + low_again));
}

TEST(SlotMapTest, takes_the_host_of_whoever_answers_where_a_node_does_not_know_its_own) {
  const auto empty = map_of("*1\r\n" + range(5, 5, {node("", 7'001)}));
  EXPECT_EQ(empty->shards()[empty->shard_of(5)].primary, (ServerAddress{"10.0.0.9", 7'001}));
  const auto null = map_of("*1\r\n*3\r\n:5\r\n:5\r\n*3\r\n$-1\r\n:7001\r\n$1\r\nx\r\n");
  ASSERT_TRUE(null.ok());
  EXPECT_EQ(null->shards()[null->shard_of(5)].primary, (ServerAddress{"10.0.0.9", 7'001}));
}

TEST(SlotMapTest, leaves_out_nodes_of_no_known_address) {
  const auto map = map_of("*2\r\n" + range(0, 1, {node("?", 7'000)}) +
                          range(2, 3, {node("10.0.0.1", 7'000), node("?", 1), node("r", 0)}));
  ASSERT_TRUE(map.ok());
  EXPECT_EQ(map->shard_of(0), SlotMap::kNoShard);
  EXPECT_EQ(map->shards()[map->shard_of(2)].primary, kA);
  EXPECT_THAT(map->shards()[map->shard_of(2)].replicas, IsEmpty());
}

TEST(SlotMapTest, covers_nothing_before_the_cluster_is_made) {
  const auto map = map_of("*0\r\n");
  ASSERT_TRUE(map.ok());
  EXPECT_FALSE(map->covers_all());
  EXPECT_THAT(map->shards(), IsEmpty());
}

TEST(SlotMapTest, is_corrected_by_what_moves) {
  SlotMap map = *map_of("*1\r\n" + range(0, 16'383, {node("10.0.0.1", 7'000)}));
  EXPECT_TRUE(map.move(7, kB));
  EXPECT_EQ(map.shards()[map.shard_of(7)].primary, kB);
  EXPECT_EQ(map.shards()[map.shard_of(8)].primary, kA);
  EXPECT_FALSE(map.move(7, kB));
  EXPECT_TRUE(map.move(7, kA));
  EXPECT_EQ(map, map);
}

TEST(SlotMapTest, has_a_bound_for_nodes) {
  SlotMap map;
  for (std::uint16_t i = 0; i < SlotMap::kMaxShards; ++i) {
    EXPECT_TRUE(map.move(i, {"node", static_cast<std::uint16_t>(i + 1)}));
  }
  EXPECT_FALSE(map.move(0, {"another", 1}));
  EXPECT_EQ(map.shards().size(), SlotMap::kMaxShards);
}

TEST(SlotMapTest, refuses_what_is_no_answer_to_cluster_slots) {
  for (const std::string& bytes : std::vector<std::string>{
           "+OK\r\n", ":1\r\n", "*1\r\n:1\r\n", "*1\r\n*2\r\n:0\r\n:1\r\n",
           "*1\r\n" + range(0, 16'384, {node("h", 1)}), "*1\r\n" + range(2, 1, {node("h", 1)}),
           "*1\r\n" + range(-1, 1, {node("h", 1)}), "*1\r\n" + range(0, 1, {":1\r\n"}),
           "*1\r\n" + range(0, 1, {node("h", 65'536)}),
           std::string("*1\r\n*3\r\n:0\r\n:1\r\n*1\r\n$1\r\nh\r\n"),
           std::string("*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n:1\r\n:1\r\n")}) {
    const auto map = map_of(bytes);
    ASSERT_FALSE(map.ok()) << bytes;
    EXPECT_EQ(map.error().code, ErrorCode::kProtocol);
  }
}

}  // namespace
}  // namespace llm_edge_cache::redis
