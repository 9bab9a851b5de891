#include "tiers/redis/any_node_locator.hpp"

#include <gtest/gtest.h>

#include <string>

namespace llm_edge_cache::redis {
namespace {

using Nodes = std::vector<std::optional<ServerAddress>>;

std::string located(AnyNodeLocator& locator) {
  std::string host;
  locator.locate([&](const Result<ServerAddress>& node) { host = node.value().host; });
  return host;
}

TEST(AnyNodeLocatorTest, asks_the_seeds_until_others_are_known) {
  Nodes serving;
  AnyNodeLocator locator({{"s1"}, {"s2"}}, [&] { return serving; }, 0);
  EXPECT_EQ(located(locator), "s1");
  EXPECT_EQ(located(locator), "s2");
  EXPECT_FALSE(locator.is_astray());
  serving = {ServerAddress{"n1"}};
  EXPECT_EQ(located(locator), "n1");
}

TEST(AnyNodeLocatorTest, knows_when_the_node_has_left_the_others) {
  Nodes serving = {ServerAddress{"n1"}, ServerAddress{"n2"}};
  AnyNodeLocator locator({{"s1"}}, [&] { return serving; }, 0);
  EXPECT_EQ(located(locator), "n1");
  EXPECT_FALSE(locator.is_astray());
  serving = {ServerAddress{"n2"}};
  EXPECT_TRUE(locator.is_astray());
  EXPECT_EQ(located(locator), "n2");
  EXPECT_FALSE(locator.is_astray());
}

TEST(AnyNodeLocatorTest, begins_with_the_same_node_in_whatever_order_they_are_told) {
  const Nodes one_way = {ServerAddress{"n1"}, ServerAddress{"n2"}, ServerAddress{"n3"}};
  const Nodes other_way = {one_way.rbegin(), one_way.rend()};
  for (std::size_t number = 0; number < 5; ++number) {
    AnyNodeLocator one({{"a"}, {"b"}}, [&] { return one_way; }, number);
    AnyNodeLocator other({{"b"}, {"a"}}, [&] { return other_way; }, number);
    EXPECT_EQ(located(one), located(other));
    EXPECT_EQ(located(one), located(other));  // after an attempt in vain
  }
}

TEST(AnyNodeLocatorTest, begins_anew_after_a_connection_that_held) {
  const Nodes serving = {ServerAddress{"n1"}, ServerAddress{"n2"}};
  AnyNodeLocator locator({{"s1"}}, [&] { return serving; }, 0);
  EXPECT_EQ(located(locator), "n1");
  EXPECT_EQ(located(locator), "n2");
  EXPECT_FALSE(locator.is_astray());
  EXPECT_EQ(located(locator), "n1");
}

TEST(AnyNodeLocatorTest, leaves_a_seed_for_the_node_that_others_begin_with) {
  Nodes serving;
  AnyNodeLocator locator({{"n1"}}, [&] { return serving; }, 1);
  EXPECT_EQ(located(locator), "n1");
  serving = {ServerAddress{"n1"}, ServerAddress{"n2"}};
  EXPECT_TRUE(locator.is_astray());
  EXPECT_EQ(located(locator), "n2");
  EXPECT_FALSE(locator.is_astray());
}

TEST(AnyNodeLocatorTest, stays_with_a_seed_that_others_begin_with) {
  Nodes serving;
  AnyNodeLocator locator({{"n2"}}, [&] { return serving; }, 1);
  EXPECT_EQ(located(locator), "n2");
  serving = {ServerAddress{"n1"}, ServerAddress{"n2"}};
  EXPECT_FALSE(locator.is_astray());
}

TEST(AnyNodeLocatorTest, stays_with_a_second_choice_once_it_is_connected) {
  const Nodes serving = {ServerAddress{"n1"}, ServerAddress{"n2"}};
  AnyNodeLocator locator({{"s1"}}, [&] { return serving; }, 0);
  EXPECT_EQ(located(locator), "n1");
  EXPECT_EQ(located(locator), "n2");
  EXPECT_FALSE(locator.is_astray());
  EXPECT_FALSE(locator.is_astray());
}

TEST(AnyNodeLocatorTest, leaves_out_nodes_without_an_address) {
  const Nodes serving = {std::nullopt, ServerAddress{"n1"}};
  AnyNodeLocator locator({{"s1"}}, [&] { return serving; }, 0);
  EXPECT_EQ(located(locator), "n1");
  EXPECT_EQ(located(locator), "n1");
}

}  // namespace
}  // namespace llm_edge_cache::redis
