#include "tiers/disk/disk_context.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "tiers/disk/timed_call.hpp"

namespace llm_edge_cache::disk {
namespace {

using std::chrono::hours;

class DiskContextTest : public ::testing::Test {
 protected:
  [[nodiscard]] UnixMillis end_of(UnixMillis expires_ms, UnixMillis stale_until_ms = 0,
                                  bool outlives_ttl = false) const {
    Entry entry;
    entry.expires_ms = expires_ms;
    entry.stale_until_ms = stale_until_ms;
    entry.outlives_ttl = outlives_ttl;
    return context_.end_of(entry);
  }
  [[nodiscard]] std::shared_ptr<TimedCall<Status>> call(TimePoint deadline) {
    return TimedCall<Status>::start(context_, deadline, [this](const Status& status) {
      outcomes_.push_back(status.ok() ? "ok" : std::string(to_string(status.error().code)));
    });
  }

  const std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>(1'000'000);
  const L2Config config_{.ttl_ms = 500};
  std::vector<std::string> outcomes_;
  DiskContext context_{config_, EntryFormat::of(config_).value(), clock_, nullptr};
};

TEST_F(DiskContextTest, an_entry_is_let_go_of_at_its_end_or_after_the_tiers_ttl) {
  EXPECT_EQ(end_of(1'000'100), 1'000'100);
  EXPECT_EQ(end_of(1'000'500), 1'000'500);
  EXPECT_EQ(end_of(1'000'501), 1'000'500);
}

TEST_F(DiskContextTest, a_stale_window_belongs_to_the_life) {
  EXPECT_EQ(end_of(1'000'100, 1'000'400), 1'000'400);
  EXPECT_EQ(end_of(1'000'100, 2'000'000), 1'000'500);
}

TEST_F(DiskContextTest, an_entry_that_has_ended_ends_now) {
  EXPECT_EQ(end_of(10), 1'000'000);
}

TEST_F(DiskContextTest, an_entry_without_an_end_overflows_nothing) {
  constexpr UnixMillis kNever = std::numeric_limits<UnixMillis>::max();
  EXPECT_EQ(end_of(kNever), 1'000'500);
  EXPECT_EQ(end_of(kNever, 0, true), kNever);
}

TEST_F(DiskContextTest, a_marker_outlives_the_ttl) {
  EXPECT_EQ(end_of(5'000'000, 0, true), 5'000'000);
}

TEST_F(DiskContextTest, a_call_ends_once_whoever_comes_first) {
  const auto completed = call(std::chrono::steady_clock::now() + hours{1});
  completed->complete(Status());
  completed->on_deadline();
  completed->complete(Error{ErrorCode::kIo, "late"});
  EXPECT_EQ(outcomes_, (std::vector<std::string>{"ok"}));
  EXPECT_EQ(context_.counters.snapshot().errors_timeout, 0U);
}

TEST_F(DiskContextTest, a_call_that_is_overdue_is_told_so_and_counted) {
  const auto overdue = call(std::chrono::steady_clock::now() + hours{1});
  overdue->on_deadline();
  overdue->complete(Status());
  EXPECT_EQ(outcomes_, (std::vector<std::string>{"deadline_exceeded"}));
  EXPECT_EQ(context_.counters.snapshot().errors_timeout, 1U);
}

}  // namespace
}  // namespace llm_edge_cache::disk
