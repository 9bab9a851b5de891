#include "core/entry_table.hpp"

#include <flatbuffers/flatbuffers.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/tag_stamp.hpp"
#include "tests/unit/core/entry_samples.hpp"

namespace llm_edge_cache {
namespace {

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

// The table in memory of its own, exactly sized and aligned.
Result<EntryPtr> read(std::string_view table) {
  std::vector<std::uint64_t> storage(table.size() / 8 + 1);
  std::memcpy(storage.data(), table.data(), table.size());
  return read_entry_table({reinterpret_cast<const char*>(storage.data()), table.size()});
}

void expect_survives(const Entry& entry) {
  const auto table = write_entry_table(entry, kNoLimit);
  ASSERT_TRUE(table.ok());
  const auto back = read(*table);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(**back, entry);
}

TEST(EntryTableTest, every_field_survives) {
  expect_survives(sample_entry());
}

TEST(EntryTableTest, an_entry_of_defaults_survives) {
  expect_survives(Entry{});
}

TEST(EntryTableTest, absent_usage_differs_from_zero) {
  auto entry = sample_entry();
  entry.response.tokens = TokenUsage{};
  expect_survives(entry);
  entry.response.tokens.reset();
  expect_survives(entry);
}

TEST(EntryTableTest, extreme_values_survive) {
  auto entry = sample_entry();
  constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
  entry.response.tokens = TokenUsage{kMost, kMost, kMost};
  entry.response.cached_at_ms = std::numeric_limits<UnixMillis>::min();
  entry.expires_ms = std::numeric_limits<UnixMillis>::max();
  entry.stale_until_ms = -1;
  entry.status = std::numeric_limits<std::uint16_t>::max();
  expect_survives(entry);
}

TEST(EntryTableTest, any_bytes_survive) {
  auto entry = sample_entry();
  for (int byte = 0; byte < 256; ++byte) {
    entry.response.content += static_cast<char>(byte);
    entry.response.model += static_cast<char>(byte);
    entry.tags[1] += static_cast<char>(byte);
  }
  expect_survives(entry);
}

TEST(EntryTableTest, large_entries_leave_the_next_one_alone) {
  expect_survives(sample_entry(3'000'000));
  expect_survives(sample_entry(10));
}

TEST(EntryTableTest, the_limit_counts_the_whole_table) {
  const auto entry = sample_entry();
  const auto size = write_entry_table(entry, kNoLimit)->size();
  EXPECT_TRUE(write_entry_table(entry, size).ok());
  for (const std::size_t limit : {size - 1, entry.response.content.size() - 1, std::size_t{0}}) {
    const auto refused = write_entry_table(entry, limit);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
  }
}

TEST(EntryTableTest, any_prefix_is_refused_or_harmless) {
  const auto table = *write_entry_table(sample_entry(), kNoLimit);
  EXPECT_FALSE(read("").ok());
  for (std::size_t size = 1; size < table.size(); ++size) {
    const auto entry = read(std::string_view(table).substr(0, size));
    if (!entry.ok()) {
      EXPECT_EQ(entry.error().code, ErrorCode::kCorruptData);
    }
  }
}

// The checksum is gone here: whatever the bytes, reading must stay inside of them.
TEST(EntryTableTest, damaged_tables_never_read_out_of_bounds) {
  const auto table = *write_entry_table(sample_entry(), kNoLimit);
  std::mt19937 random(1);
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto damaged = table;
    for (auto changes = 1 + random() % 4; changes > 0; --changes) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    refused += read(damaged).ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 1'000);
}

TEST(EntryTableTest, a_table_without_payload_is_refused) {
  // Root offset, vtable of no fields, table: valid FlatBuffers, not an entry.
  const std::string table("\x08\0\0\0\x04\0\x04\0\x04\0\0\0", 12);
  const auto entry = read(table);
  ASSERT_FALSE(entry.ok());
  EXPECT_EQ(entry.error().code, ErrorCode::kCorruptData);
}

// Every offset of the list names the one long tag: read out, it would be a hundred times the table.
std::string table_of_one_tag_named_often(std::size_t times) {
  flatbuffers::FlatBufferBuilder builder;
  const auto payload = builder.CreateVector(std::vector<std::uint8_t>{'x'});
  const auto tag = builder.CreateString(std::string(10'000, 't'));
  const auto tags = builder.CreateVector(std::vector(times, tag));
  constexpr flatbuffers::voffset_t kPayloadField = 0;
  constexpr flatbuffers::voffset_t kTagsField = 9;
  const auto start = builder.StartTable();
  builder.AddOffset(flatbuffers::FieldIndexToOffset(kPayloadField), payload);
  builder.AddOffset(flatbuffers::FieldIndexToOffset(kTagsField), tags);
  builder.Finish(flatbuffers::Offset<flatbuffers::Table>(builder.EndTable(start)));
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

TEST(EntryTableTest, refuses_tags_that_are_longer_than_the_table_they_are_in) {
  EXPECT_TRUE(read(table_of_one_tag_named_often(1)).ok());
  const auto entry = read(table_of_one_tag_named_often(1'000));
  ASSERT_FALSE(entry.ok());
  EXPECT_EQ(entry.error().code, ErrorCode::kCorruptData);
}

TEST(EntryTableTest, reads_any_number_of_tags_that_was_written) {
  auto entry = sample_entry();
  entry.tags.assign(1'000, "");
  entry.tags.emplace_back(100'000, 't');
  expect_survives(entry);
}

TEST(EntryTableTest, keeps_the_generations_of_tags) {
  auto entry = sample_entry();
  for (const auto& tag : entry.tags) {
    entry.tag_stamps.push_back({tag_marker_key(tag), 0x8000'0000'0000'0001U + tag.size()});
  }
  expect_survives(entry);
}

TEST(EntryTableTest, drops_generations_that_are_not_one_for_each_tag) {
  auto entry = sample_entry();
  entry.tag_stamps.push_back({tag_marker_key(entry.tags[0]), 17});
  const auto back = read(write_entry_table(entry, kNoLimit).value());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ((*back)->tags, entry.tags);
  EXPECT_TRUE((*back)->tag_stamps.empty());
}

}  // namespace
}  // namespace llm_edge_cache
