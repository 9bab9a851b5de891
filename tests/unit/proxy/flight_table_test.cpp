#include "proxy/flight_table.hpp"

#include <gtest/gtest.h>

#include "base/sha256.hpp"

namespace llm_edge_cache::proxy {
namespace {

FlightKey flight_key(std::string_view name, AnswerWish wish = {},
                     std::optional<std::uint64_t> ttl_ms = std::nullopt) {
  return {sha256(name), wish, ttl_ms};
}

class FlightTableTest : public ::testing::Test {
 protected:
  FlightTable::Boarding board(const FlightKey& key) {
    return table_.join_or_start(key, table_.landings(key.key), {});
  }

  FlightTable table_;
};

TEST_F(FlightTableTest, who_comes_second_joins) {
  const auto first = board(flight_key("a"));
  const auto second = board(flight_key("a"));
  EXPECT_TRUE(first.is_new);
  EXPECT_FALSE(second.is_new);
  EXPECT_EQ(first.flight, second.flight);
}

TEST_F(FlightTableTest, other_questions_forms_and_lives_fly_apart) {
  const auto first = board(flight_key("a"));
  EXPECT_NE(board(flight_key("b")).flight, first.flight);
  EXPECT_NE(board(flight_key("a", {AnswerForm::kStream, false})).flight, first.flight);
  EXPECT_NE(board(flight_key("a", {AnswerForm::kStream, true})).flight,
            board(flight_key("a", {AnswerForm::kStream, false})).flight);
  EXPECT_NE(board(flight_key("a", {}, 5)).flight, first.flight);
}

TEST_F(FlightTableTest, a_removed_flight_takes_nobody_more) {
  const auto first = board(flight_key("a"));
  table_.remove(flight_key("a"), *first.flight);
  const auto second = board(flight_key("a"));
  EXPECT_TRUE(second.is_new);
  EXPECT_NE(second.flight, first.flight);
}

TEST_F(FlightTableTest, removing_an_older_flight_leaves_the_newer) {
  const auto first = board(flight_key("a"));
  table_.remove(flight_key("a"), *first.flight);
  const auto second = board(flight_key("a"));
  table_.remove(flight_key("a"), *first.flight);
  EXPECT_EQ(board(flight_key("a")).flight, second.flight);
}

TEST_F(FlightTableTest, who_looked_before_a_landing_has_to_look_again) {
  const auto key = flight_key("a");
  const auto first = board(key);
  const auto seen = table_.landings(key.key);
  table_.remove(key, *first.flight);
  EXPECT_TRUE(table_.join_or_start(key, seen, {}).must_recheck);
}

TEST_F(FlightTableTest, who_looked_after_it_has_not) {
  const auto key = flight_key("a");
  table_.remove(key, *board(key).flight);
  EXPECT_FALSE(board(key).must_recheck);
}

TEST_F(FlightTableTest, nothing_starts_beside_a_flight_for_the_same_question) {
  const auto flying = board(flight_key("a", {AnswerForm::kStream, true}, 5));
  const auto refused = table_.start_unless_flying(flight_key("a"), 0, {});
  EXPECT_EQ(refused.flight, nullptr);
  EXPECT_FALSE(refused.is_new);
  EXPECT_NE(table_.start_unless_flying(flight_key("b"), 0, {}).flight, nullptr);
}

TEST_F(FlightTableTest, what_starts_so_is_a_flight_like_any_other) {
  const auto key = flight_key("a");
  const auto started = table_.start_unless_flying(key, table_.landings(key.key), {});
  EXPECT_TRUE(started.is_new);
  EXPECT_FALSE(started.must_recheck);
  EXPECT_EQ(board(key).flight, started.flight);
  table_.remove(key, *started.flight);
  EXPECT_TRUE(table_.start_unless_flying(key, 0, {}).must_recheck);
}

}  // namespace
}  // namespace llm_edge_cache::proxy
