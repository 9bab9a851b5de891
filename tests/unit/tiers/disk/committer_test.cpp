#include "tiers/disk/committer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/entries.hpp"
#include "tests/unit/tiers/disk/recording_database.hpp"

namespace llm_edge_cache::disk {
namespace {

using std::chrono::hours;
using std::chrono::steady_clock;
using test::key_of;
using ::testing::ElementsAre;
using Kind = WriteOp::Kind;

const Error kDiskFull{ErrorCode::kIo, "disk: no space left"};

class CommitterTest : public ::testing::Test, public Committer::Owner {
 protected:
  void on_new_table() override { told_.emplace_back("new table"); }
  void on_write_failed(const Error& error) override { told_.push_back(error.message); }

  void put(std::uint64_t number, std::string content = "text", UnixMillis life_ms = 60'000) {
    const auto entry = test::entry_of(std::move(content), {.expires_ms = kNow + life_ms});
    ops_.push_back({.kind = Kind::kPut, .key = key_of(number), .entry = entry});
  }
  void remove(std::uint64_t number) {
    context_.mask.hide(key_of(number));
    const auto call = TimedCall<Result<bool>>::start(
        context_, steady_clock::now() + hours{1}, [this](const Result<bool>& removed) {
          told_.push_back(!removed.ok() ? removed.error().message : *removed ? "gone" : "absent");
        });
    ops_.push_back({.kind = Kind::kRemove, .key = key_of(number), .removal = call});
  }
  void discard(std::uint64_t number) {
    ops_.push_back({.kind = Kind::kDiscard, .key = key_of(number)});
  }
  void flush() { ops_.push_back({.kind = Kind::kFlush, .call = told_as("flushed")}); }
  void clear() {
    context_.mask.hide_all();
    ops_.push_back({.kind = Kind::kClear, .call = told_as("cleared")});
  }
  Status write() { return committer_.write(ops_, database_); }
  [[nodiscard]] TierCounters counters() const { return context_.counters.snapshot(); }
  [[nodiscard]] auto count_calls(const std::string& name) const {
    return std::count(database_.calls.begin(), database_.calls.end(), name);
  }

  static constexpr UnixMillis kNow = 1'000'000;
  const std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>(kNow);
  const L2Config config_{};
  std::vector<std::string> told_;  // before `context_`, whose calls write into it
  DiskContext context_{config_, EntryFormat::of(config_).value(), clock_, nullptr};
  Committer committer_{context_, *this};
  RecordingDatabase database_;
  std::deque<WriteOp> ops_;

 private:
  StatusCall told_as(std::string name) {
    return TimedCall<Status>::start(
        context_, steady_clock::now() + hours{1},
        [this, name = std::move(name)](const Status& status) {
          told_.push_back(status.ok() ? name : name + ": " + status.error().message);
        });
  }
};

TEST_F(CommitterTest, what_waits_together_is_one_batch) {
  put(1);
  put(2);
  remove(3);
  database_.rows->held[key_of(3)] = Found::Kind::kEntry;
  ASSERT_TRUE(write().ok());
  EXPECT_THAT(database_.calls, ElementsAre("put", "put", "remove", "commit 3"));
  EXPECT_THAT(told_, ElementsAre("gone"));
  EXPECT_EQ(counters().writes, 2U);
  EXPECT_EQ(counters().removals, 1U);
  EXPECT_TRUE(ops_.empty());
}

TEST_F(CommitterTest, a_batch_is_bounded_in_number_and_in_bytes) {
  for (std::uint64_t i = 0; i < 513; ++i) put(i);
  ASSERT_TRUE(write().ok());
  EXPECT_EQ(count_calls("commit 512"), 1);
  EXPECT_EQ(count_calls("commit 1"), 1);

  database_.calls.clear();
  std::string incompressible;
  for (std::uint32_t state = 1; incompressible.size() < 700'000;) {
    state = state * 1'664'525U + 1'013'904'223U;
    incompressible += static_cast<char>(state >> 24U);
  }
  for (std::uint64_t i = 0; i < 3; ++i) put(i, incompressible);
  ASSERT_TRUE(write().ok());
  EXPECT_THAT(database_.calls, ElementsAre("put", "put", "commit 2", "put", "commit 1"));
}

TEST_F(CommitterTest, a_removal_knows_what_its_batch_has_put_and_removed) {
  put(1);
  remove(1);
  remove(1);
  ASSERT_TRUE(write().ok());
  EXPECT_THAT(database_.calls, ElementsAre("put", "remove", "commit 2"));
  EXPECT_THAT(told_, ElementsAre("gone", "absent"));
}

TEST_F(CommitterTest, an_entry_is_hidden_until_its_removal_is_written) {
  database_.rows->held[key_of(1)] = Found::Kind::kEntry;
  remove(1);
  database_.commit_fails = kDiskFull;
  EXPECT_FALSE(write().ok());
  EXPECT_TRUE(context_.mask.hides(key_of(1)));
  EXPECT_THAT(told_, ElementsAre(kDiskFull.message));  // to the owner; who waits, waits on
  ASSERT_EQ(ops_.size(), 1U);

  database_.commit_fails.reset();
  ASSERT_TRUE(write().ok());
  EXPECT_FALSE(context_.mask.hides(key_of(1)));
  EXPECT_EQ(told_.back(), "gone");
}

TEST_F(CommitterTest, a_batch_that_fails_drops_its_puts_and_gives_back_its_removals_in_order) {
  put(1);
  remove(2);
  put(3);
  remove(4);
  flush();
  remove(5);
  for (const std::uint64_t number : {2, 4, 5}) {
    database_.rows->held[key_of(number)] = Found::Kind::kEntry;
  }
  database_.commit_fails = kDiskFull;
  EXPECT_EQ(write().error().code, ErrorCode::kIo);
  EXPECT_EQ(counters().dropped_writes, 2U);
  EXPECT_EQ(counters().writes, 0U);
  EXPECT_THAT(told_, ElementsAre(kDiskFull.message, "flushed"));
  ASSERT_EQ(ops_.size(), 3U);
  EXPECT_EQ(ops_[0].key, key_of(2));
  EXPECT_EQ(ops_[1].key, key_of(4));
  EXPECT_EQ(ops_[2].key, key_of(5));
}

TEST_F(CommitterTest, what_ended_while_it_waited_is_not_written) {
  put(1, "short", 10);
  put(2, "long");
  clock_->advance_ms(10);
  ASSERT_TRUE(write().ok());
  EXPECT_THAT(database_.calls, ElementsAre("put", "commit 1"));
  EXPECT_EQ(counters().writes, 1U);
  EXPECT_EQ(counters().dropped_writes, 0U);
}

TEST_F(CommitterTest, an_entry_over_the_limit_of_stored_bytes_is_dropped_and_the_others_are_not) {
  put(1, std::string(config_.max_entry_bytes + 1, 'x'));
  put(2);
  ASSERT_TRUE(write().ok());
  EXPECT_EQ(counters().dropped_writes, 1U);
  EXPECT_EQ(counters().writes, 1U);
}

TEST_F(CommitterTest, discards_only_what_is_unwanted_still) {
  database_.rows->held = {{key_of(1), Found::Kind::kExpired},
                          {key_of(2), Found::Kind::kCorrupt},
                          {key_of(3), Found::Kind::kEntry}};
  for (const std::uint64_t number : {1, 2, 3, 4}) discard(number);
  ASSERT_TRUE(write().ok());
  EXPECT_TRUE(database_.rows->held.contains(key_of(3)));
  EXPECT_EQ(database_.rows->held.size(), 1U);
  EXPECT_EQ(count_calls("remove"), 2);
  EXPECT_EQ(counters().evicted_expired, 1U);
  EXPECT_EQ(counters().removals, 0U);
}

TEST_F(CommitterTest, a_clear_comes_after_what_was_before_it) {
  put(1);
  clear();
  put(2);
  ASSERT_TRUE(write().ok());
  EXPECT_THAT(database_.calls, ElementsAre("put", "commit 1", "clear", "sweep", "put", "commit 1"));
  EXPECT_THAT(told_, ElementsAre("new table", "cleared"));
  EXPECT_FALSE(context_.mask.hides(key_of(1)));
}

TEST_F(CommitterTest, a_clear_that_fails_hides_everything_and_is_tried_again) {
  clear();
  database_.clear_fails = kDiskFull;
  EXPECT_FALSE(write().ok());
  EXPECT_TRUE(context_.mask.hides(key_of(1)));
  EXPECT_THAT(told_, ElementsAre("new table", kDiskFull.message));

  database_.clear_fails.reset();
  ASSERT_TRUE(write().ok());
  EXPECT_FALSE(context_.mask.hides(key_of(1)));
  EXPECT_EQ(told_.back(), "cleared");
}

TEST_F(CommitterTest, files_without_an_owner_are_looked_for_a_while_after_a_clear) {
  clear();
  ASSERT_TRUE(write().ok());
  for (std::uint64_t i = 0; i < 100; ++i) {
    put(i);
    ASSERT_TRUE(write().ok());
  }
  EXPECT_EQ(count_calls("sweep"), 1 + 8);
}

TEST_F(CommitterTest, while_nothing_can_be_written_puts_are_dropped_and_removals_wait) {
  put(1);
  remove(2);
  discard(3);
  flush();
  clear();
  committer_.drop_puts(ops_, kDiskFull);
  EXPECT_EQ(counters().dropped_writes, 1U);
  EXPECT_THAT(told_, ElementsAre("flushed"));
  ASSERT_EQ(ops_.size(), 2U);
  EXPECT_EQ(ops_[0].kind, Kind::kRemove);
  EXPECT_EQ(ops_[1].kind, Kind::kClear);
}

TEST_F(CommitterTest, what_is_abandoned_is_told_to_all_who_wait_and_hides_nothing) {
  put(1);
  remove(2);
  flush();
  clear();
  committer_.abandon(ops_, Error{ErrorCode::kCancelled, "closed"});
  EXPECT_TRUE(ops_.empty());
  EXPECT_EQ(counters().dropped_writes, 1U);
  EXPECT_THAT(told_, ElementsAre("closed", "flushed: closed", "cleared: closed"));
  EXPECT_FALSE(context_.mask.hides(key_of(2)));
}

}  // namespace
}  // namespace llm_edge_cache::disk
