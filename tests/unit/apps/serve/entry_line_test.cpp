#include "serve/entry_line.hpp"

#include <gtest/gtest.h>

#include <limits>
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

// What is said of a whole line in which that member has another value.
std::string refusal(const std::string& member, const nlohmann::json& value) {
  auto line = nlohmann::json::parse(to_line({key_of(1), sample()}));
  line[member] = value;
  const auto read = entry_of_line(line.dump());
  return read.ok() ? "" : read.error().message;
}

TEST(EntryLineTest, the_member_that_is_wrong_is_named) {
  auto line = nlohmann::json::parse(to_line({key_of(1), sample()}));
  for (const auto& [member, value] : line.items()) {
    const auto of_another_type = nlohmann::json::array({1});
    EXPECT_NE(refusal(member, of_another_type).find("'" + member + "'"), std::string::npos);
  }
  line.erase("model");
  EXPECT_EQ(entry_of_line(line.dump()).error().message, "'model' is missing");
  EXPECT_EQ(refusal("tokens", {{"prompt", 1}, {"total", 1}}), "'completion' is missing");
}

TEST(EntryLineTest, a_number_that_its_member_cannot_hold_is_refused_and_not_cut) {
  EXPECT_EQ(refusal("status", 65'536), "'status' is out of range");
  EXPECT_EQ(refusal("status", -1), "'status' is out of range");
  EXPECT_EQ(refusal("status", 200.5), "'status' is not a whole number");
  EXPECT_EQ(refusal("status", true), "'status' is not a whole number");
  EXPECT_EQ(refusal("expires_ms", 1e300), "'expires_ms' is not a whole number");
  EXPECT_EQ(refusal("expires_ms", 9'223'372'036'854'775'808U), "'expires_ms' is out of range");
  EXPECT_EQ(refusal("created_ms", 9'223'372'036'854'775'807), "'created_ms' is out of range");
  EXPECT_EQ(refusal("tokens", {{"prompt", 1}, {"completion", 4'294'967'296}, {"total", 1}}),
            "'completion' is out of range");
}

TEST(EntryLineTest, an_entry_without_an_end_comes_back_as_it_was) {
  auto entry = sample();
  entry->expires_ms = std::numeric_limits<UnixMillis>::max();
  EXPECT_EQ(*entry_of_line(to_line({key_of(1), entry}))->entry, *entry);
}

TEST(EntryLineTest, base64_that_was_damaged_is_refused) {
  for (const char* text : {"AAA", "AA=A", "=AAA", "A===", "====", "AAAA====", " AAAAAA ", "AA-A"}) {
    EXPECT_EQ(refusal("content_base64", text), "'content_base64' is not base64") << text;
  }
  for (const char* text : {"", "AAAA", "AAA=", "AA=="}) {
    EXPECT_EQ(refusal("content_base64", text), "") << text;
  }
}

TEST(EntryLineTest, a_summary_has_sizes_in_place_of_content_and_hides_namespaces) {
  const auto json = nlohmann::json::parse(to_summary(*sample("secret"), 59'000));
  EXPECT_EQ(json["content_bytes"], 6);
  EXPECT_EQ(json["ttl_ms"], 1'000);
  EXPECT_EQ(json["tags"], nlohmann::json::array({"docs"}));
  EXPECT_EQ(json.dump().find("secret"), std::string::npos);
}

}  // namespace
}  // namespace llm_edge_cache::app
