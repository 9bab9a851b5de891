#include "serve/entry_line.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/entries.hpp"

namespace llm_edge_cache::app {
namespace {

using test::entry_of;
using test::key_of;

std::shared_ptr<Entry> sample(std::string content = "{\"x\":1}\n") {
  auto entry = std::make_shared<Entry>(*entry_of(std::move(content), {.expires_ms = 60'000}));
  entry->status = 203;
  entry->stale_until_ms = 70'000;
  entry->tags = {"docs",
                 "\x01"
                 "ns-0"};
  return entry;
}

TEST(EntryLineTest, what_was_written_is_read_again) {
  const KeyedEntry written{key_of(1), sample()};
  const auto line = to_line(written);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto read = entry_of_line(line);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->key, written.key);
  EXPECT_EQ(*read->entry, *written.entry);
}

TEST(EntryLineTest, an_entry_without_usage_stays_without) {
  auto entry = sample();
  entry->response.tokens.reset();
  EXPECT_EQ(*entry_of_line(to_line({key_of(1), entry}))->entry, *entry);
}

TEST(EntryLineTest, bytes_that_are_not_utf8_come_back_as_they_were) {
  for (const std::size_t size : {1U, 2U, 3U, 4U, 1'000U}) {
    const auto entry = sample(std::string(size, '\xFF'));
    const auto line = to_line({key_of(1), entry});
    EXPECT_NE(line.find("content_base64"), std::string::npos);
    EXPECT_EQ(*entry_of_line(line)->entry, *entry) << size;
  }
}

TEST(EntryLineTest, a_line_that_is_not_of_an_entry_is_refused) {
  const auto whole = nlohmann::json::parse(to_line({key_of(1), sample()}));
  for (const auto& [member, value] : whole.items()) {
    auto without = whole;
    without.erase(member);
    EXPECT_EQ(entry_of_line(without.dump()).ok(), member == "tokens") << member;
    auto wrong = whole;
    wrong[member] = nlohmann::json::array({nlohmann::json::object()});
    EXPECT_FALSE(entry_of_line(wrong.dump()).ok()) << member;
  }
  for (const char* line : {"", "[]", "{", "null", "{\"key\":\"00\"}"}) {
    EXPECT_EQ(entry_of_line(line).error().code, ErrorCode::kInvalidArgument) << line;
  }
}

TEST(EntryLineTest, a_summary_has_sizes_in_place_of_content_and_hides_namespaces) {
  const auto json = nlohmann::json::parse(to_summary(*sample("secret"), 59'000));
  EXPECT_EQ(json["content_bytes"], 6);
  EXPECT_EQ(json["ttl_ms"], 1'000);
  EXPECT_EQ(json["tags"], nlohmann::json::array({"docs"}));
  EXPECT_EQ(json.dump().find("secret"), std::string::npos);
}

TEST(EntryFilterTest, without_a_word_everything_matches) {
  const auto filter = EntryFilter::of_query("");
  ASSERT_TRUE(filter.ok());
  EXPECT_TRUE(filter->matches(*sample(), 0));
}

TEST(EntryFilterTest, each_word_narrows) {
  auto entry = sample();
  entry->response.cached_at_ms = 1'000;
  const auto matches = [&](std::string_view query) {
    return EntryFilter::of_query(query).value().matches(*entry, 11'000);
  };
  EXPECT_TRUE(matches("model=gpt-4o&tag=docs&max_age_seconds=10"));
  EXPECT_FALSE(matches("model=gpt-4"));
  EXPECT_FALSE(matches("tag=doc"));
  EXPECT_FALSE(matches("max_age_seconds=9"));
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
