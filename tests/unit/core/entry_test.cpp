#include "core/entry.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace llm_edge_cache {
namespace {

TEST(EntryTest, is_fresh_until_it_expires) {
  Entry entry;
  entry.expires_ms = 1000;
  EXPECT_TRUE(entry.is_fresh(999));
  EXPECT_FALSE(entry.is_fresh(1000));
}

TEST(EntryTest, memory_counts_every_string) {
  const std::string text(1000, 'x');
  const auto empty = Entry{}.memory_bytes();
  EXPECT_GE(empty, sizeof(Entry));

  for (auto *const set : {+[](Entry& e, const std::string& t) { e.response.content = t; },
                          +[](Entry& e, const std::string& t) { e.response.model = t; },
                          +[](Entry& e, const std::string& t) { e.content_type = t; },
                          +[](Entry& e, const std::string& t) { e.finish_reason = t; },
                          +[](Entry& e, const std::string& t) { e.tags.push_back(t); }}) {
    Entry entry;
    set(entry, text);
    EXPECT_GE(entry.memory_bytes(), empty + text.size());
    EXPECT_LE(entry.memory_bytes(), empty + text.size() + 64);
  }
}

TEST(EntryTest, short_strings_cost_nothing_beyond_the_entry) {
  Entry entry;
  entry.finish_reason = "stop";
  EXPECT_EQ(entry.memory_bytes(), Entry{}.memory_bytes());
}

TEST(EntryTest, memory_counts_what_is_reserved) {
  Entry entry;
  entry.response.content.reserve(10'000);
  EXPECT_GT(entry.memory_bytes(), 10'000U);
}

TEST(LastToExpireTest, takes_the_later_one_and_whatever_there_is) {
  const auto ending_at = [](UnixMillis expires_ms) {
    auto entry = std::make_shared<Entry>();
    entry->expires_ms = expires_ms;
    return entry;
  };
  const EntryPtr early = ending_at(1);
  const EntryPtr late = ending_at(2);
  EXPECT_EQ(last_to_expire(early, late), late);
  EXPECT_EQ(last_to_expire(late, early), late);
  EXPECT_EQ(last_to_expire(early, nullptr), early);
  EXPECT_EQ(last_to_expire(nullptr, early), early);
  EXPECT_EQ(last_to_expire(nullptr, nullptr), nullptr);
}

}  // namespace
}  // namespace llm_edge_cache
