#include "tiers/disk/database.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "core/built_in_dictionary.hpp"
#include "core/entry_codec.hpp"
#include "tests/support/entries.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::disk {
namespace {

using test::key_of;

constexpr UnixMillis kNow = 1'000'000;
constexpr UnixMillis kEnd = kNow + 60'000;

bool always() {
  return true;
}

class DatabaseTest : public ::testing::Test {
 protected:
  void open() {
    database_.reset();  // before another takes its lock
    database_ = Database::open(path_, options_, counters_).value();
  }
  [[nodiscard]] std::string frame(std::uint64_t number, const std::string& content) const {
    const auto entry = test::entry_of(content, {.expires_ms = kEnd});
    return encode_entry(key_of(number), *entry, options_.format).value();
  }
  void put(std::uint64_t number, const std::string& content, UnixMillis end_ms = kEnd) {
    database_->put(key_of(number), end_ms, frame(number, content));
  }
  [[nodiscard]] Found find(std::uint64_t number, UnixMillis now_ms = kNow) const {
    return database_->table()->find(key_of(number), now_ms, Wait::kAsNeeded);
  }
  [[nodiscard]] std::string read(std::uint64_t number) const {
    const Found found = find(number);
    return found.kind == Found::Kind::kEntry ? found.entry->response.content : "(none)";
  }
  [[nodiscard]] std::uint64_t count(UnixMillis now_ms = kNow) const {
    return database_->table()->count(now_ms, always).value();
  }

  test::TempDir folder_;
  const std::filesystem::path path_ = folder_.path() / "entries";
  const DatabaseOptions options_{.max_bytes = 64U << 20U};
  AtomicCounters counters_;
  std::unique_ptr<Database> database_;
};

TEST_F(DatabaseTest, holds_nothing_of_what_is_staged_until_it_is_committed) {
  open();
  put(1, "one");
  EXPECT_GT(database_->staged_bytes(), 0U);
  EXPECT_EQ(read(1), "(none)");
  ASSERT_TRUE(database_->commit().ok());
  EXPECT_EQ(read(1), "one");
}

TEST_F(DatabaseTest, applies_what_is_staged_in_its_order) {
  open();
  put(1, "one");
  database_->remove(key_of(1));
  put(2, "two");
  put(2, "two again");
  database_->remove(key_of(3));
  put(3, "three");
  ASSERT_TRUE(database_->commit().ok());
  EXPECT_EQ(read(1), "(none)");
  EXPECT_EQ(read(2), "two again");
  EXPECT_EQ(read(3), "three");
}

TEST_F(DatabaseTest, reads_what_was_written_in_another_way) {
  open();
  std::vector<std::string> contents;
  EntryFormat format;
  const auto put_with = [&](const EntryFormat& written) {
    const std::uint64_t number = contents.size();
    contents.push_back(std::string(3'000, static_cast<char>('a' + number)));
    const auto entry = test::entry_of(contents.back(), {.expires_ms = kEnd});
    database_->put(key_of(number), kEnd, encode_entry(key_of(number), *entry, written).value());
  };
  put_with(format);
  format.dictionary = built_in_dictionary();
  put_with(format);
  format.lz4_up_to_bytes = 4'096;
  put_with(format);
  format.compress_over_bytes = 10'000;
  put_with(format);
  ASSERT_TRUE(database_->commit().ok());
  for (std::uint64_t number = 0; number < contents.size(); ++number) {
    EXPECT_EQ(read(number), contents[number]) << number;
  }
}

TEST_F(DatabaseTest, has_what_was_committed_when_it_is_opened_again) {
  open();
  put(1, "one");
  put(2, "two");
  ASSERT_TRUE(database_->commit().ok());
  database_->remove(key_of(2));
  ASSERT_TRUE(database_->commit().ok());
  put(3, "never committed");
  open();
  EXPECT_EQ(read(1), "one");
  EXPECT_EQ(read(2), "(none)");
  EXPECT_EQ(read(3), "(none)");
}

TEST_F(DatabaseTest, is_opened_by_one_at_a_time) {
  open();
  AtomicCounters counters;
  EXPECT_FALSE(Database::open(path_, options_, counters).ok());
}

TEST_F(DatabaseTest, tells_what_has_ended_by_the_tiers_time_or_the_entrys_own) {
  open();
  put(1, "short for the tier", kNow + 10);
  put(2, "long for the tier", kEnd + 1'000);
  ASSERT_TRUE(database_->commit().ok());
  EXPECT_EQ(find(1, kNow + 9).kind, Found::Kind::kEntry);
  EXPECT_EQ(find(1, kNow + 10).kind, Found::Kind::kExpired);
  EXPECT_EQ(find(2, kEnd - 1).kind, Found::Kind::kEntry);
  EXPECT_EQ(find(2, kEnd).kind, Found::Kind::kExpired);
  EXPECT_EQ(count(kNow), 2U);
  EXPECT_EQ(count(kNow + 10), 1U);
}

TEST_F(DatabaseTest, gives_no_entry_from_a_value_that_is_cut_or_changed_or_anothers) {
  open();
  const std::string whole = frame(1, "one");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    database_->put(key_of(1), kEnd, std::string_view(whole).substr(0, size));
    ASSERT_TRUE(database_->commit().ok());
    ASSERT_EQ(find(1).kind, Found::Kind::kCorrupt) << size;
  }
  std::string flipped = whole;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  database_->put(key_of(1), kEnd, flipped);
  database_->put(key_of(2), kEnd, whole);  // moved under another key
  ASSERT_TRUE(database_->commit().ok());
  EXPECT_EQ(find(1).kind, Found::Kind::kCorrupt);
  EXPECT_EQ(find(2).kind, Found::Kind::kCorrupt);
}

TEST_F(DatabaseTest, pages_through_all_that_verify_and_none_twice) {
  open();
  constexpr std::uint64_t kEntries = 100;
  for (std::uint64_t i = 0; i < kEntries; ++i) put(i, std::to_string(i));
  put(kEntries, "ended", kNow);
  database_->put(key_of(kEntries + 1), kEnd, "rubbish");
  ASSERT_TRUE(database_->commit().ok());
  std::set<KeyDigest> seen;
  Page page = database_->table()->page(std::nullopt, 7, kNow, always).value();
  while (!page.entries.empty()) {
    EXPECT_LE(page.entries.size(), 7U);
    for (const KeyedEntry& one : page.entries) EXPECT_TRUE(seen.insert(one.key).second);
    page = database_->table()->page(page.last, 7, kNow, always).value();
  }
  EXPECT_EQ(seen.size(), kEntries);
}

TEST_F(DatabaseTest, stops_a_count_and_a_walk_when_it_is_told_to) {
  open();
  put(1, "one");
  ASSERT_TRUE(database_->commit().ok());
  const auto stop = [] { return false; };
  EXPECT_EQ(database_->table()->count(kNow, stop).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(database_->table()->page(std::nullopt, 7, kNow, stop).error().code,
            ErrorCode::kCancelled);
}

TEST_F(DatabaseTest, a_clear_is_for_good_and_leaves_readers_what_they_hold) {
  open();
  put(1, "one");
  ASSERT_TRUE(database_->commit().ok());
  const TablePtr before = database_->table();
  ASSERT_TRUE(database_->clear().ok());
  EXPECT_EQ(read(1), "(none)");
  EXPECT_EQ(before->find(key_of(1), kNow, Wait::kAsNeeded).kind, Found::Kind::kEntry);
  put(2, "two");
  ASSERT_TRUE(database_->commit().ok());
  EXPECT_EQ(before->find(key_of(2), kNow, Wait::kAsNeeded).kind, Found::Kind::kNothing);
}

TEST_F(DatabaseTest, a_clear_is_still_one_after_it_is_opened_again) {
  open();
  put(1, "one");
  ASSERT_TRUE(database_->commit().ok());
  ASSERT_TRUE(database_->clear().ok());
  open();
  EXPECT_EQ(read(1), "(none)");
  EXPECT_EQ(count(), 0U);
}

TEST_F(DatabaseTest, destroys_its_own_files_and_no_others) {
  open();
  put(1, "one");
  ASSERT_TRUE(database_->commit().ok());
  database_.reset();
  const auto foreign = path_ / "holiday.jpg";
  std::ofstream(foreign) << "not a database";
  ASSERT_TRUE(Database::destroy(path_).ok());
  EXPECT_TRUE(std::filesystem::exists(foreign));
  std::filesystem::remove(foreign);
  open();
  EXPECT_EQ(read(1), "(none)");
}

}  // namespace
}  // namespace llm_edge_cache::disk
