// The tier on a disk that freezes, is full or may not be written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/tiers/disk/faulty_disk.hpp"
#include "tests/unit/tiers/disk/live_tier.hpp"

namespace llm_edge_cache::disk {
namespace {

using test::eventually;
using test::TempDir;
using ::testing::HasSubstr;

class DiskFaultsTest : public ::testing::Test {
 protected:
  // Enough to be in files, where reads have to ask the disk.
  void fill(const L2Config& config) {
    LiveTier tier(config);
    for (int i = 0; i < kEntries; ++i) tier.put(i, text(i));
  }
  static std::string text(int number) { return noise(static_cast<std::uint64_t>(number), 1'000); }
  [[nodiscard]] L2Config config() const {
    L2Config result = config_of(dir_.path() / "cache");
    result.disk_max_bytes = 16U << 20U;
    return result;
  }
  [[nodiscard]] L2Config impatient() const {
    L2Config result = config();
    result.operation_timeout_ms = 100;
    result.breaker_open_ms = 60'000;
    result.shutdown_flush_ms = 100;
    return result;
  }

  static constexpr int kEntries = 2'000;
  TempDir dir_;
  FaultyDisk disk_;
  const std::shared_ptr<const Clock> clock_ = std::make_shared<SystemClock>();
};

TEST_F(DiskFaultsTest, a_frozen_disk_costs_one_deadline_and_then_nothing) {
  fill(config());
  LiveTier tier(impatient(), clock_, disk_.file_system());
  ASSERT_EQ(tier.read(0), text(0));
  disk_.freeze();
  EXPECT_EQ(tier.read(500), "deadline_exceeded");
  for (int i = 600; i < 1'600; ++i) ASSERT_EQ(tier.read(i), "unavailable");
  const TierCounters counters = tier->counters();
  EXPECT_EQ(counters.errors_timeout, 1U);
  EXPECT_EQ(counters.errors_unavailable, 1'000U);
  EXPECT_EQ(tier->gauges().breaker, BreakerState::kOpen);
  EXPECT_EQ(tier.check().error().code, ErrorCode::kUnavailable);
  disk_.thaw();
  EXPECT_TRUE(eventually([&] { return tier.read(700) == text(700); }));
}

TEST_F(DiskFaultsTest, those_who_wait_when_it_freezes_are_all_told_at_their_deadline) {
  fill(config());
  LiveTier tier(impatient(), clock_, disk_.file_system());
  disk_.freeze();
  std::atomic<int> late{0};
  constexpr int kCallers = 50;
  for (int i = 0; i < kCallers; ++i) {
    tier->get(test::key_of(static_cast<std::uint64_t>(i)), [&](const Result<EntryPtr>& reply) {
      if (!reply.ok() && reply.error().code == ErrorCode::kDeadlineExceeded) late.fetch_add(1);
    });
  }
  EXPECT_TRUE(eventually([&] { return late.load() == kCallers; }));
  disk_.thaw();
}

TEST_F(DiskFaultsTest, writes_to_a_frozen_disk_are_dropped_at_the_bound_and_nobody_waits) {
  L2Config config = impatient();
  config.max_pending_writes = 100;
  LiveTier tier(config, clock_, disk_.file_system());
  disk_.freeze();
  for (int i = 0; i < 1'000; ++i) tier.put(i, "x");
  EXPECT_GE(tier->counters().dropped_writes, 900U);
  EXPECT_EQ(tier.flush().error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_TRUE(
      eventually([&] { return !tier.check().ok() && tier->gauges().pending_writes == 100; }));
  disk_.thaw();
  EXPECT_TRUE(tier.becomes_available());
  EXPECT_TRUE(eventually([&] { return tier->gauges().pending_writes == 0; }));
}

TEST_F(DiskFaultsTest, a_removal_that_waits_for_a_frozen_disk_hides_its_entry) {
  LiveTier tier(impatient(), clock_, disk_.file_system());
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  ASSERT_EQ(tier.read(1), "one");
  disk_.freeze();
  EXPECT_EQ(tier.remove(1).error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(tier.read(1), "(none)");
  disk_.thaw();
  EXPECT_TRUE(eventually([&] { return tier->counters().removals == 1; }));
  EXPECT_EQ(tier.read(1), "(none)");
}

TEST_F(DiskFaultsTest, a_destructor_completes_what_waits_for_a_frozen_disk) {
  fill(config());
  LiveTier tier(impatient(), clock_, disk_.file_system());
  disk_.freeze();
  std::atomic<int> completed{0};
  const auto count = [&](const auto&) { completed.fetch_add(1); };
  for (std::uint64_t i = 0; i < 20; ++i) tier->get(test::key_of(i), count);
  tier.put(1, "x");
  tier->remove(test::key_of(2), count);
  tier->clear(count);
  std::thread later([&] {
    EXPECT_TRUE(eventually([&] { return completed.load() == 22; }));
    disk_.thaw();
  });
  tier.destroy();
  later.join();
  EXPECT_EQ(completed.load(), 22);
}

TEST_F(DiskFaultsTest, a_full_disk_drops_writes_and_is_read_on) {
  fill(config());
  LiveTier tier(config(), clock_, disk_.file_system());
  disk_.fill_up();
  for (int i = 0; i < 10; ++i) tier.put(10'000 + i, "new");
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_EQ(tier->counters().dropped_writes, 10U);
  EXPECT_GE(tier->counters().errors_protocol, 1U);
  EXPECT_THAT(tier.last_event(TierEventKind::kStoreError), HasSubstr("full"));
  EXPECT_EQ(tier.read(5), text(5));
  EXPECT_EQ(tier->gauges().breaker, BreakerState::kClosed);
  EXPECT_FALSE(tier.check().ok());
}

TEST_F(DiskFaultsTest, writes_go_on_when_there_is_room_again) {
  LiveTier tier(config(), clock_, disk_.file_system());
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  disk_.fill_up();
  tier.put(2, "two");
  ASSERT_TRUE(tier.flush().ok());
  disk_.make_room();
  ASSERT_TRUE(tier.becomes_available());
  tier.put(3, "three");
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_EQ(tier.read(1), "one");
  EXPECT_EQ(tier.read(2), "(none)");
  EXPECT_EQ(tier.read(3), "three");
  tier.destroy();
  LiveTier again(config());
  EXPECT_EQ(again.read(1), "one");
  EXPECT_EQ(again.read(3), "three");
}

TEST_F(DiskFaultsTest, removals_and_clear_wait_for_room_and_hide_until_then) {
  L2Config patient = config();
  patient.operation_timeout_ms = 300;
  patient.shutdown_flush_ms = 300;
  LiveTier tier(patient, clock_, disk_.file_system());
  for (int i = 0; i < 4; ++i) tier.put(i, text(i));
  ASSERT_TRUE(tier.flush().ok());
  disk_.fill_up();
  EXPECT_FALSE(tier.remove(1).ok());
  EXPECT_EQ(tier.read(1), "(none)");
  EXPECT_EQ(tier.read(2), text(2));
  EXPECT_FALSE(tier.clear().ok());
  EXPECT_EQ(tier.read(2), "(none)");
  disk_.make_room();
  ASSERT_TRUE(tier.becomes_available());
  EXPECT_TRUE(eventually([&] { return tier->gauges().pending_writes == 0; }));
  tier.put(5, "five");
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_TRUE(eventually([&] { return tier.read(5) == "five"; }));
  EXPECT_EQ(tier.read(2), "(none)");
  EXPECT_EQ(tier.size().value(), 1U);
}

TEST_F(DiskFaultsTest, a_folder_that_may_not_be_written_is_tried_again) {
  if (::geteuid() == 0) GTEST_SKIP() << "root writes everywhere";
  const auto parent = dir_.path() / "closed";
  std::filesystem::create_directory(parent);
  std::filesystem::permissions(parent, std::filesystem::perms::owner_read);
  LiveTier tier(config_of(parent / "cache"));
  EXPECT_EQ(tier.read(1), "unavailable");
  std::filesystem::permissions(parent, std::filesystem::perms::owner_all);
  EXPECT_TRUE(tier.becomes_available());
}

// A real file system of a size, read-only or not; needs the right to mount.
class MountedDisk {
 public:
  explicit MountedDisk(const std::filesystem::path& at) : at_(at) {
    std::filesystem::create_directories(at_);
    mounted_ = ::mount("tmpfs", at_.c_str(), "tmpfs", 0, "size=12m") == 0;
    reason_ = std::strerror(errno);
  }
  ~MountedDisk() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  MountedDisk(const MountedDisk&) = delete;
  MountedDisk& operator=(const MountedDisk&) = delete;

  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] bool set_read_only(bool on) {
    unsigned long flags = MS_REMOUNT;
    if (on) flags |= MS_RDONLY;
    return ::mount("tmpfs", at_.c_str(), "tmpfs", flags, nullptr) == 0;
  }

 private:
  const std::filesystem::path at_;
  bool mounted_ = false;
  std::string reason_;
};

TEST_F(DiskFaultsTest, a_real_disk_that_is_full_degrades_the_tier_and_nothing_else) {
  const MountedDisk mounted(dir_.path() / "mount");
  if (!mounted.mounted()) GTEST_SKIP() << "cannot mount: " << mounted.reason();
  L2Config config = config_of(dir_.path() / "mount/cache");
  config.disk_max_bytes = 1U << 30U;  // more than there is
  LiveTier tier(config);
  for (int i = 0; i < 20'000; ++i) {
    tier.put(i, text(i));
    if (i % 1'000 == 0) {
      ASSERT_TRUE(tier.flush().ok());
    }
  }
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_GT(tier->counters().dropped_writes, 0U);
  EXPECT_FALSE(tier.last_event(TierEventKind::kStoreError).empty());
  int found = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string content = tier.read(i);
    if (content == "(none)") continue;
    ASSERT_EQ(content, text(i));
    ++found;
  }
  EXPECT_GT(found, 1'000);
}

TEST_F(DiskFaultsTest, a_real_disk_that_is_read_only_is_waited_for) {
  MountedDisk mounted(dir_.path() / "mount");
  if (!mounted.mounted()) GTEST_SKIP() << "cannot mount: " << mounted.reason();
  ASSERT_TRUE(mounted.set_read_only(true));
  LiveTier tier(config_of(dir_.path() / "mount/cache"));
  ASSERT_TRUE(tier.event_told(TierEventKind::kConnectFailed));
  EXPECT_THAT(tier.last_event(TierEventKind::kConnectFailed), HasSubstr("Read-only"));
  EXPECT_EQ(tier.read(1), "unavailable");
  ASSERT_TRUE(mounted.set_read_only(false));
  ASSERT_TRUE(tier.becomes_available());
  tier.put(1, "one");
  ASSERT_TRUE(tier.flush().ok());
  EXPECT_EQ(tier.read(1), "one");
}

}  // namespace
}  // namespace llm_edge_cache::disk
