#include "tiers/redis/any_node_locator.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace llm_edge_cache::redis {
namespace {

using Nodes = std::vector<std::optional<ServerAddress>>;

// Nothing is ever known to serve that is not so from the beginning, or at the next attempt.
AnyNodeLocator::Options of(std::vector<ServerAddress> seeds, const Nodes& serving,
                           std::size_t number) {
  return {.seeds = std::move(seeds),
          .serving = [&serving] { return serving; },
          .when_known = [](const std::function<void()>& told) { told(); },
          .number = number};
}

std::string located(AnyNodeLocator& locator) {
  std::string host;
  locator.locate([&](const Result<ServerAddress>& node) { host = node.value().host; });
  return host;
}

TEST(AnyNodeLocatorTest, asks_the_seeds_until_others_are_known) {
  Nodes serving;
  AnyNodeLocator locator(of({{"s1"}, {"s2"}}, serving, 0));
  EXPECT_EQ(located(locator), "s1");
  EXPECT_EQ(located(locator), "s2");
  EXPECT_FALSE(locator.is_astray());
  serving = {ServerAddress{"n1"}};
  EXPECT_EQ(located(locator), "n1");
}

TEST(AnyNodeLocatorTest, waits_at_first_until_some_serve) {
  Nodes serving;
  std::function<void()> told;
  auto options = of({{"s1"}}, serving, 0);
  options.when_known = [&](std::function<void()> when) { told = std::move(when); };
  AnyNodeLocator locator(std::move(options));
  std::string host;
  locator.locate([&](const Result<ServerAddress>& node) { host = node.value().host; });
  EXPECT_EQ(host, "");
  serving = {ServerAddress{"n1"}};
  told();
  EXPECT_EQ(host, "n1");
}

TEST(AnyNodeLocatorTest, goes_to_a_seed_after_it_has_waited_in_vain) {
  const Nodes serving;
  std::function<void()> told;
  auto options = of({{"s1"}}, serving, 0);
  options.when_known = [&](std::function<void()> when) { told = std::move(when); };
  AnyNodeLocator locator(std::move(options));
  EXPECT_EQ(located(locator), "");
  locator.cancel();
  EXPECT_EQ(located(locator), "s1");
  told();  // nobody waits any more
}

TEST(AnyNodeLocatorTest, knows_when_the_node_has_left_the_others) {
  Nodes serving = {ServerAddress{"n1"}, ServerAddress{"n2"}};
  AnyNodeLocator locator(of({{"s1"}}, serving, 0));
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
    AnyNodeLocator one(of({{"a"}, {"b"}}, one_way, number));
    AnyNodeLocator other(of({{"b"}, {"a"}}, other_way, number));
    EXPECT_EQ(located(one), located(other));
    EXPECT_EQ(located(one), located(other));  // after an attempt in vain
  }
}

TEST(AnyNodeLocatorTest, begins_anew_after_a_connection_that_held) {
  const Nodes serving = {ServerAddress{"n1"}, ServerAddress{"n2"}};
  AnyNodeLocator locator(of({{"s1"}}, serving, 0));
  EXPECT_EQ(located(locator), "n1");
  EXPECT_EQ(located(locator), "n2");
  EXPECT_FALSE(locator.is_astray());
  EXPECT_EQ(located(locator), "n1");
}

TEST(AnyNodeLocatorTest, leaves_a_seed_for_the_node_that_others_begin_with) {
  Nodes serving;
  AnyNodeLocator locator(of({{"n1"}}, serving, 1));
  EXPECT_EQ(located(locator), "n1");
  serving = {ServerAddress{"n1"}, ServerAddress{"n2"}};
  EXPECT_TRUE(locator.is_astray());
  EXPECT_EQ(located(locator), "n2");
  EXPECT_FALSE(locator.is_astray());
}

TEST(AnyNodeLocatorTest, stays_with_a_seed_that_others_begin_with) {
  Nodes serving;
  AnyNodeLocator locator(of({{"n2"}}, serving, 1));
  EXPECT_EQ(located(locator), "n2");
  serving = {ServerAddress{"n1"}, ServerAddress{"n2"}};
  EXPECT_FALSE(locator.is_astray());
}

TEST(AnyNodeLocatorTest, stays_with_a_second_choice_once_it_is_connected) {
  const Nodes serving = {ServerAddress{"n1"}, ServerAddress{"n2"}};
  AnyNodeLocator locator(of({{"s1"}}, serving, 0));
  EXPECT_EQ(located(locator), "n1");
  EXPECT_EQ(located(locator), "n2");
  EXPECT_FALSE(locator.is_astray());
  EXPECT_FALSE(locator.is_astray());
}

TEST(AnyNodeLocatorTest, leaves_out_nodes_without_an_address) {
  const Nodes serving = {std::nullopt, ServerAddress{"n1"}};
  AnyNodeLocator locator(of({{"s1"}}, serving, 0));
  EXPECT_EQ(located(locator), "n1");
  EXPECT_EQ(located(locator), "n1");
}

}  // namespace
}  // namespace llm_edge_cache::redis
