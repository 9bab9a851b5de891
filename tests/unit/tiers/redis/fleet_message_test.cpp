#include "tiers/redis/fleet_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/support/entries.hpp"

namespace llm_edge_cache::redis {
namespace {

using News = FleetMessage::Kind;

constexpr NodeId kNode = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
constexpr std::size_t kHeaderBytes = 22;

std::vector<KeyDigest> keys(std::size_t count) {
  std::vector<KeyDigest> made;
  for (std::size_t i = 0; i < count; ++i) made.push_back(test::key_of(i));
  return made;
}

bool is_refused(std::string_view bytes) {
  const auto message = decode_fleet_message(bytes);
  return !message.ok() && message.error().code == ErrorCode::kCorruptData;
}

TEST(FleetMessageTest, comes_back_as_it_was_sent) {
  for (const News kind : {News::kChanged, News::kLanded, News::kNotStored}) {
    for (const std::size_t count : {std::size_t{1}, std::size_t{2}, FleetMessage::kMaxKeys}) {
      const auto sent = keys(count);
      const auto message = decode_fleet_message(encode_fleet_message(kNode, kind, sent));
      ASSERT_TRUE(message.ok());
      EXPECT_EQ(*message, (FleetMessage{kNode, kind, sent}));
    }
  }
  const auto all = decode_fleet_message(encode_fleet_message(kNode, News::kAll, {}));
  EXPECT_EQ(all.value(), (FleetMessage{kNode, News::kAll, {}}));
}

// docs/format.md says so; nodes of another build must agree.
TEST(FleetMessageTest, has_the_documented_bytes) {
  const auto key = keys(1);
  const auto bytes = encode_fleet_message(kNode, News::kChanged, key);
  EXPECT_EQ(bytes.substr(0, 6), std::string("lecf\x01\x01", 6));
  EXPECT_EQ(bytes.substr(6, 16), std::string(kNode.begin(), kNode.end()));
  EXPECT_EQ(bytes.substr(kHeaderBytes), key[0].view());
  EXPECT_EQ(encode_fleet_message(kNode, News::kAll, {}).size(), kHeaderBytes);
}

TEST(FleetMessageTest, refuses_what_is_not_one) {
  EXPECT_TRUE(is_refused(""));
  EXPECT_TRUE(is_refused("lecf"));
  EXPECT_TRUE(is_refused("somebody else speaks on this channel"));
  EXPECT_TRUE(is_refused(std::string(kHeaderBytes, '\0')));
}

TEST(FleetMessageTest, refuses_every_shorter_and_longer_form) {
  const auto bytes = encode_fleet_message(kNode, News::kChanged, keys(2));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const bool is_whole = size == kHeaderBytes + 32;
    EXPECT_EQ(is_refused(bytes.substr(0, size)), !is_whole) << size;
  }
  EXPECT_TRUE(is_refused(bytes + "x"));
  EXPECT_TRUE(is_refused(encode_fleet_message(kNode, News::kAll, keys(1))));
  EXPECT_TRUE(is_refused(encode_fleet_message(kNode, News::kChanged, {})));
  EXPECT_TRUE(
      is_refused(encode_fleet_message(kNode, News::kChanged, keys(FleetMessage::kMaxKeys + 1))));
}

TEST(FleetMessageTest, takes_a_version_or_kind_that_it_does_not_know_for_all) {
  for (const auto& [at, value] : {std::pair(4, 2), std::pair(5, 0), std::pair(5, 5)}) {
    auto bytes = encode_fleet_message(kNode, News::kChanged, keys(1));
    bytes[static_cast<std::size_t>(at)] = static_cast<char>(value);
    const auto message = decode_fleet_message(bytes);
    ASSERT_TRUE(message.ok());
    EXPECT_EQ(message->kind, News::kAll);
    EXPECT_EQ(message->sender, kNode);
    EXPECT_TRUE(message->keys.empty());
  }
}

TEST(FleetMessageTest, takes_from_any_bytes_no_more_than_they_are) {
  std::mt19937_64 random(7);
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = encode_fleet_message(kNode, News::kLanded, keys(random() % 3));
    bytes.resize(random() % 128, static_cast<char>(random()));
    for (int i = 0; i < 3 && !bytes.empty(); ++i) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const auto message = decode_fleet_message(bytes);
    if (!message.ok()) continue;
    ++accepted;
    EXPECT_LE(message->keys.size() * 32, bytes.size() - kHeaderBytes);
    if (message->kind != News::kAll) {
      EXPECT_EQ(encode_fleet_message(message->sender, message->kind, message->keys), bytes);
    }
  }
  EXPECT_GT(accepted, 100);
}

TEST(FleetMessageTest, names_every_process_differently) {
  EXPECT_NE(make_node_id(), make_node_id());
}

}  // namespace
}  // namespace llm_edge_cache::redis
