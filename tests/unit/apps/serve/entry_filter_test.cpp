#include "serve/entry_filter.hpp"

#include <gtest/gtest.h>

namespace llm_edge_cache::app {
namespace {

Entry answer() {
  Entry entry;
  entry.response.model = "gpt-4o";
  entry.tags = {"docs", "more"};
  return entry;
}

TEST(EntryFilterTest, without_a_word_everything_matches) {
  const auto filter = EntryFilter::of_query("");
  ASSERT_TRUE(filter.ok());
  EXPECT_TRUE(filter->matches(answer(), 0));
}

TEST(EntryFilterTest, each_word_narrows) {
  auto entry = answer();
  entry.response.cached_at_ms = 1'000;
  const auto matches = [&](std::string_view query) {
    return EntryFilter::of_query(query).value().matches(entry, 11'000);
  };
  EXPECT_TRUE(matches("model=gpt-4o&tag=docs&max_age_seconds=10"));
  EXPECT_FALSE(matches("model=gpt-4"));
  EXPECT_FALSE(matches("tag=doc"));
  EXPECT_FALSE(matches("max_age_seconds=9"));
}

TEST(EntryFilterTest, the_age_counts_to_the_millisecond_and_an_answer_to_come_has_none) {
  auto entry = answer();
  entry.response.cached_at_ms = 100'000;
  const auto filter = EntryFilter::of_query("max_age_seconds=10").value();
  EXPECT_TRUE(filter.matches(entry, 110'000));
  EXPECT_FALSE(filter.matches(entry, 110'001));
  EXPECT_TRUE(filter.matches(entry, 99'999));
  EXPECT_TRUE(EntryFilter::of_query("max_age_seconds=0").value().matches(entry, 100'000));
}

TEST(EntryFilterTest, values_are_percent_decoded) {
  EXPECT_EQ(EntryFilter::of_query("tag=a%20b%2Bc+d").value().tag, "a b+c d");
  for (const char* query : {"tag=%", "tag=%2", "tag=%zz"}) {
    EXPECT_FALSE(EntryFilter::of_query(query).ok()) << query;
  }
}

TEST(EntryFilterTest, what_it_does_not_know_is_an_error) {
  for (const char* query :
       {"modl=x", "max_age_seconds=x", "max_age_seconds=-1", "max_age_seconds="}) {
    EXPECT_EQ(EntryFilter::of_query(query).error().code, ErrorCode::kInvalidArgument) << query;
  }
}

}  // namespace
}  // namespace llm_edge_cache::app
