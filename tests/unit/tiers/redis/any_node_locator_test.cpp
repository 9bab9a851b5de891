#include "tiers/redis/any_node_locator.hpp"

#include <gtest/gtest.h>

#include <string>

namespace llm_edge_cache::redis {
namespace {

std::string located(AnyNodeLocator& locator) {
  std::string host;
  locator.locate([&](const Result<ServerAddress>& node) { host = node.value().host; });
  return host;
}

TEST(AnyNodeLocatorTest, asks_the_seeds_until_others_are_known) {
  std::vector<std::optional<ServerAddress>> serving;
  AnyNodeLocator locator({{"s1"}, {"s2"}}, [&] { return serving; }, 0);
  EXPECT_EQ(located(locator), "s1");
  EXPECT_EQ(located(locator), "s2");
  EXPECT_FALSE(locator.is_astray());
  serving = {ServerAddress{"n1"}};
  EXPECT_EQ(located(locator), "n1");
}

TEST(AnyNodeLocatorTest, knows_when_the_node_has_left_the_others) {
  std::vector<std::optional<ServerAddress>> serving = {ServerAddress{"n1"}, ServerAddress{"n2"}};
  AnyNodeLocator locator({{"s1"}}, [&] { return serving; }, 0);
  EXPECT_EQ(located(locator), "n1");
  EXPECT_FALSE(locator.is_astray());
  serving = {ServerAddress{"n2"}};
  EXPECT_TRUE(locator.is_astray());
  EXPECT_EQ(located(locator), "n2");
  EXPECT_FALSE(locator.is_astray());
}

}  // namespace
}  // namespace llm_edge_cache::redis
