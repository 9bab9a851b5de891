#include "tiers/redis/news_queue.hpp"

#include <gtest/gtest.h>

#include "tests/support/entries.hpp"

namespace llm_edge_cache::redis {
namespace {

using News = FleetMessage::Kind;
using test::key_of;

TEST(NewsQueueTest, wakes_somebody_for_the_first_piece_only) {
  NewsQueue news;
  EXPECT_TRUE(news.add(News::kChanged, key_of(1)));
  EXPECT_FALSE(news.add(News::kChanged, key_of(2)));
  EXPECT_FALSE(news.add_all());
  (void)news.take();
  EXPECT_FALSE(news.take().has_value());
  EXPECT_TRUE(news.add_all());
}

TEST(NewsQueueTest, gives_what_waits_as_one_message_for_each_kind_in_turn) {
  NewsQueue news;
  news.add(News::kChanged, key_of(1));
  news.add(News::kChanged, key_of(2));
  news.add(News::kNotStored, key_of(3));
  news.add(News::kChanged, key_of(4));
  const auto first = news.take();
  EXPECT_EQ(first->kind, News::kChanged);
  EXPECT_EQ(first->keys, (std::vector{key_of(1), key_of(2)}));
  EXPECT_EQ(news.take()->kind, News::kNotStored);
  EXPECT_EQ(news.take()->keys, std::vector{key_of(4)});
  EXPECT_FALSE(news.take().has_value());
}

TEST(NewsQueueTest, fills_a_message_up_to_its_bound) {
  NewsQueue news;
  for (std::size_t i = 0; i < FleetMessage::kMaxKeys + 1; ++i) news.add(News::kChanged, key_of(i));
  EXPECT_EQ(news.take()->keys.size(), FleetMessage::kMaxKeys);
  EXPECT_EQ(news.take()->keys.size(), 1U);
}

TEST(NewsQueueTest, says_all_in_place_of_more_than_it_holds) {
  NewsQueue news;
  for (std::size_t i = 0; i <= NewsQueue::kMaxKeys; ++i) news.add(News::kChanged, key_of(i));
  EXPECT_EQ(news.size(), 1U);
  EXPECT_EQ(news.overflows(), 1U);
  EXPECT_EQ(news.take()->kind, News::kAll);
  EXPECT_FALSE(news.take().has_value());
}

TEST(NewsQueueTest, loses_news_of_leases_rather_than_changes) {
  NewsQueue news;
  for (std::size_t i = 0; i < NewsQueue::kMaxKeys; ++i) news.add(News::kChanged, key_of(i));
  news.add(News::kLanded, key_of(1));
  EXPECT_EQ(news.size(), NewsQueue::kMaxKeys);
  EXPECT_EQ(news.overflows(), 1U);
  EXPECT_EQ(news.take()->kind, News::kChanged);
}

TEST(NewsQueueTest, puts_what_could_not_be_told_in_front_again) {
  NewsQueue news;
  news.add(News::kChanged, key_of(1));
  news.add(News::kChanged, key_of(2));
  auto batch = news.take();
  news.add(News::kChanged, key_of(3));
  news.give_back(*std::move(batch));
  EXPECT_EQ(news.take()->keys, (std::vector{key_of(1), key_of(2), key_of(3)}));
}

TEST(NewsQueueTest, does_not_repeat_changes_behind_an_all) {
  NewsQueue news;
  news.add(News::kChanged, key_of(1));
  auto batch = news.take();
  news.add_all();
  news.give_back(*std::move(batch));
  auto all = news.take();
  EXPECT_EQ(all->kind, News::kAll);
  EXPECT_FALSE(news.take().has_value());
  news.give_back(*std::move(all));
  EXPECT_EQ(news.take()->kind, News::kAll);
}

}  // namespace
}  // namespace llm_edge_cache::redis
