// What a folder adds to the contract that the conformance suite tests: a life after the process,
// a bound in bytes, one owner, and bytes that verify.
#include "tiers/disk/disk_tier.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/tiers/disk/live_tier.hpp"

namespace llm_edge_cache::disk {
namespace {

namespace fs = std::filesystem;
using test::eventually;
using test::key_of;
using test::TempDir;
using ::testing::HasSubstr;

std::uint64_t bytes_of(const fs::path& folder) {
  std::uint64_t bytes = 0;
  for (const auto& file : fs::recursive_directory_iterator(folder)) {
    std::error_code gone;  // RocksDB deletes files of its own accord
    const auto size = file.is_regular_file(gone) ? file.file_size(gone) : 0;
    if (!gone) bytes += size;
  }
  return bytes;
}

std::vector<fs::path> files_of(const fs::path& folder, const std::string& extension) {
  std::vector<fs::path> files;
  for (const auto& file : fs::recursive_directory_iterator(folder)) {
    if (file.path().extension() == extension) files.push_back(file.path());
  }
  return files;
}

class DiskTierTest : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path folder() const { return dir_.path() / "cache"; }
  [[nodiscard]] L2Config config() const { return config_of(folder()); }
  [[nodiscard]] L2Config small() const {
    L2Config result = config();
    result.disk_max_bytes = 16U << 20U;
    return result;
  }
  [[nodiscard]] static ErrorCode refusal(const L2Config& config) {
    const auto made = DiskTier::create(config, std::make_shared<SystemClock>());
    return made.ok() ? ErrorCode::kInternal : made.error().code;
  }

  TempDir dir_;
};

TEST_F(DiskTierTest, what_was_put_is_there_after_a_restart) {
  {
    LiveTier tier(config());
    for (int i = 0; i < 1'000; ++i) tier.put(i, std::to_string(i));
  }
  LiveTier tier(config());
  for (int i = 0; i < 1'000; ++i) ASSERT_EQ(tier.read(i), std::to_string(i));
  EXPECT_EQ(tier.size().value(), 1'000U);
}

TEST_F(DiskTierTest, what_was_removed_stays_removed_after_a_restart) {
  {
    LiveTier tier(config());
    tier.put(1, "one");
    tier.put(2, "two");
    EXPECT_TRUE(tier.remove(1).value());
  }
  LiveTier tier(config());
  EXPECT_EQ(tier.read(1), "(none)");
  EXPECT_EQ(tier.read(2), "two");
}

TEST_F(DiskTierTest, what_was_cleared_is_gone_from_the_folder) {
  LiveTier tier(small());
  for (int i = 0; i < 4'000; ++i) tier.put(i, noise(i, 1'000));
  ASSERT_TRUE(tier.flush().ok());
  ASSERT_GT(tier->gauges().disk_bytes, 1'000'000U);
  ASSERT_TRUE(tier.clear().ok());
  EXPECT_EQ(tier->gauges().disk_bytes, 0U);
  // At once, or with one of the next writes where RocksDB was about to write a file.
  EXPECT_TRUE(eventually([&] {
    tier.put(1, "new");
    return tier.flush().ok() && files_of(folder(), ".sst").empty();
  }));
  tier.destroy();
  LiveTier again(small());
  EXPECT_EQ(again.size().value(), 1U);
}

TEST_F(DiskTierTest, the_folder_stays_within_its_bound_and_the_newest_stay) {
  constexpr int kEntries = 40'000;  // of about 1 KB: two and a half times the bound
  LiveTier tier(small());
  for (int i = 0; i < kEntries; ++i) {
    tier.put(i, noise(i, 1'000));
    if (i % 5'000 == 0) {
      ASSERT_TRUE(tier.flush().ok());
    }
  }
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_TRUE(eventually([&] { return bytes_of(folder()) <= small().disk_max_bytes; }));
  EXPECT_EQ(tier.read(kEntries - 1), noise(kEntries - 1, 1'000));
  EXPECT_EQ(tier.read(0), "(none)");
  EXPECT_EQ(tier->counters().dropped_writes, 0U);
  EXPECT_GT(tier.size().value(), 8'000U);
  // A file may leave between the two.
  EXPECT_TRUE(eventually(
      [&] { return tier->counters().evicted_for_size == kEntries - tier.size().value(); }));
}

// A removal's tombstone is in a newer file than what it hides; were it dropped first, the entry
// would come back.
TEST_F(DiskTierTest, a_removed_entry_never_comes_back_while_old_files_leave) {
  LiveTier tier(small());
  constexpr int kRemoved = 300;
  int next = 0;
  const auto put_some = [&](int count) {
    for (int i = 0; i < count; ++i, ++next) tier.put(next, noise(next, 1'000));
    ASSERT_TRUE(tier.flush().ok());
  };
  put_some(3'000);
  for (int i = 0; i < kRemoved; ++i) ASSERT_TRUE(tier.remove(i).value()) << i;
  for (int round = 0; round < 40; ++round) {
    put_some(500);
    for (int i = 0; i < kRemoved; ++i) ASSERT_EQ(tier.read(i), "(none)") << i << ' ' << round;
  }
  EXPECT_GT(tier->counters().evicted_for_size, 5'000U);
}

TEST_F(DiskTierTest, an_entry_that_ended_is_counted_once_and_deleted) {
  const auto clock = std::make_shared<ManualClock>();
  LiveTier tier(config(), clock);
  tier.put(1, "short", 1'000);
  tier.put(2, "long", 60'000);
  ASSERT_TRUE(tier.flush().ok());
  clock->advance_ms(1'000);
  EXPECT_EQ(tier.read(1), "(none)");
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_EQ(tier.read(1), "(none)");
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_EQ(tier->counters().evicted_expired, 1U);
  EXPECT_EQ(tier.read(2), "long");
}

TEST_F(DiskTierTest, the_tiers_life_caps_the_entrys) {
  const auto clock = std::make_shared<ManualClock>();
  L2Config capped = config();
  capped.ttl_ms = 5'000;
  LiveTier tier(capped, clock);
  tier.put(1, "long", 60'000);
  ASSERT_TRUE(tier.flush().ok());
  clock->advance_ms(4'999);
  EXPECT_EQ(tier.read(1), "long");
  clock->advance_ms(1);
  EXPECT_EQ(tier.read(1), "(none)");
}

TEST_F(DiskTierTest, an_entry_over_the_limit_is_dropped_and_counted) {
  L2Config narrow = config();
  narrow.max_entry_bytes = 1'000;
  LiveTier tier(narrow);
  tier.put(1, noise(1, 1'001));
  EXPECT_EQ(tier->counters().dropped_writes, 1U);
  EXPECT_THAT(tier.last_event(TierEventKind::kWriteDropped), HasSubstr("max_entry_bytes"));
}

TEST_F(DiskTierTest, a_second_owner_is_told_and_waits_for_the_first) {
  LiveTier first(config());
  first.put(1, "one");
  L2Config second_config = config();
  second_config.connect_timeout_ms = 50;
  LiveTier second(second_config);
  ASSERT_TRUE(second.event_told(TierEventKind::kConnectFailed));
  EXPECT_THAT(second.last_event(TierEventKind::kConnectFailed),
              HasSubstr("another process holds the folder '" + folder().string() + "'"));
  EXPECT_EQ(second.read(1), "unavailable");
  EXPECT_EQ(second.check().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(second->gauges().breaker, BreakerState::kOpen);
  second.put(2, "two");
  first.destroy();
  ASSERT_TRUE(second.becomes_available());
  EXPECT_EQ(second.read(1), "one");
  ASSERT_TRUE(second.flush().ok());
  EXPECT_EQ(second.read(2), "two");
}

TEST_F(DiskTierTest, refuses_what_can_never_be_its_folder) {
  EXPECT_EQ(refusal(config_of("")), ErrorCode::kInvalidArgument);
  std::ofstream(dir_.path() / "file") << "x";
  EXPECT_EQ(refusal(config_of(dir_.path() / "file")), ErrorCode::kInvalidArgument);
  fs::create_directory(dir_.path() / "theirs");
  std::ofstream(dir_.path() / "theirs/CURRENT") << "MANIFEST-000001\n";
  EXPECT_EQ(refusal(config_of(dir_.path() / "theirs")), ErrorCode::kInvalidArgument);
  EXPECT_EQ(fs::file_size(dir_.path() / "theirs/CURRENT"), 16U);
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_.path() / "theirs"), {}), 1);
}

TEST_F(DiskTierTest, refuses_a_folder_of_a_format_that_it_does_not_know) {
  fs::create_directory(folder());
  std::ofstream(folder() / "llm-edge-cache") << "llm-edge-cache disk cache, format 2\n";
  EXPECT_EQ(refusal(config()), ErrorCode::kInvalidArgument);
}

TEST_F(DiskTierTest, flipped_bytes_in_the_files_are_misses_and_never_answers) {
  constexpr int kEntries = 3'000;
  {
    LiveTier tier(small());
    for (int i = 0; i < kEntries; ++i) tier.put(i, noise(i, 1'000));
  }
  const auto tables = files_of(folder(), ".sst");
  ASSERT_GE(tables.size(), 3U);
  for (const auto& table : tables) {
    std::fstream file(table, std::ios::in | std::ios::out | std::ios::binary);
    // Data only: a file whose index is damaged is another matter.
    for (std::uint64_t at = 1'000; at < fs::file_size(table) * 8 / 10; at += 20'000) {
      file.seekp(static_cast<std::streamoff>(at));
      file.put('\x5A');
    }
  }
  LiveTier tier(small());
  int found = 0;
  for (int i = 0; i < kEntries; ++i) {
    const std::string content = tier.read(i);
    if (content == "(none)") continue;
    ASSERT_EQ(content, noise(i, 1'000)) << i;
    ++found;
  }
  const std::uint64_t corrupt = tier->counters().errors_corrupt;
  EXPECT_GT(corrupt, 0U);
  EXPECT_EQ(found + corrupt, kEntries);
  ASSERT_TRUE(tier.flush().ok());  // what was corrupt is deleted: not counted again
  for (int i = 0; i < kEntries; ++i) (void)tier.read(i);
  EXPECT_EQ(tier->counters().errors_corrupt, corrupt);
}

TEST_F(DiskTierTest, a_database_that_cannot_be_opened_begins_anew) {
  {
    LiveTier tier(small());
    for (int i = 0; i < 2'000; ++i) tier.put(i, noise(i, 1'000));
  }
  std::ofstream(folder() / "precious") << "not of the database";
  for (const auto& table : files_of(folder(), ".sst")) fs::resize_file(table, 100);
  LiveTier tier(small());
  ASSERT_TRUE(tier.becomes_available());
  EXPECT_EQ(tier.read(1), "(none)");
  EXPECT_EQ(tier->counters().errors_corrupt, 1U);
  EXPECT_THAT(tier.last_event(TierEventKind::kCorruptEntry), HasSubstr("begins anew"));
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_EQ(tier.read(1), "one");
  EXPECT_TRUE(fs::exists(folder() / "precious"));
}

TEST_F(DiskTierTest, tells_what_it_holds) {
  LiveTier tier(small());
  for (int i = 0; i < 2'000; ++i) tier.put(i, noise(i, 1'000));
  ASSERT_TRUE(tier.flush().ok());
  const TierGauges gauges = tier->gauges();
  EXPECT_NEAR(static_cast<double>(gauges.entries), 2'000, 200);
  EXPECT_GT(gauges.memory_bytes, 0U);
  EXPECT_GT(gauges.disk_bytes, 1'000'000U);
  EXPECT_EQ(gauges.pending_writes, 0U);
}

TEST_F(DiskTierTest, a_write_over_the_queues_bounds_is_dropped_and_counted) {
  L2Config narrow = config();
  narrow.max_pending_bytes = 100;
  LiveTier tier(narrow);
  tier.put(1, "one");
  EXPECT_EQ(tier->counters().dropped_writes, 1U);
  EXPECT_EQ(tier.read(1), "(none)");
}

}  // namespace
}  // namespace llm_edge_cache::disk
