#include "tiers/redis/operations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "core/entry_codec.hpp"
#include "tests/support/entries.hpp"
#include "tiers/redis/command.hpp"

namespace llm_edge_cache::redis {
namespace {

using ::testing::HasSubstr;

using test::entry_of;
using test::key_of;

const Error kTimeout{ErrorCode::kDeadlineExceeded, "late"};

std::vector<RespNode> reply_of(RespType type, std::string_view text, std::int64_t integer = 0) {
  return {{type, 0, integer, text}};
}

class OperationsTest : public ::testing::Test {
 protected:
  OperationsTest() {
    context_.discard = [this](const KeyDigest& key) { discarded_.push_back(key); };
    context_.remove_later = [this](const KeyDigest& key, const Ticket&) {
      removed_later_.push_back(key);
    };
  }

  std::unique_ptr<GetOperation> get() {
    return std::make_unique<GetOperation>(context_, key_,
                                          [this](Result<EntryPtr> r) { got_ = std::move(r); });
  }
  std::unique_ptr<SetOperation> set(EntryPtr entry) {
    return std::make_unique<SetOperation>(context_, key_, std::move(entry),
                                          std::move(*Ticket::acquire(context_.budget, 10)));
  }
  std::unique_ptr<UnlinkOperation> unlink() {
    return std::make_unique<UnlinkOperation>(
        context_, key_, [this](Result<bool> r) { removed_ = std::move(r); },
        std::move(*Ticket::acquire(context_.budget)));
  }
  // An entry that expires, and stops being served stale, so many ms from now.
  EntryPtr lasting(std::int64_t life_ms, std::string content, std::int64_t stale_ms = 0) const {
    const UnixMillis now_ms = clock_->now_ms();
    return entry_of(std::move(content), {.expires_ms = now_ms + life_ms,
                                         .stale_until_ms = stale_ms == 0 ? 0 : now_ms + stale_ms});
  }
  TierCounters counters() const { return context_.counters.snapshot(); }

  const std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>(1'000'000);
  std::vector<TierEvent> events_;
  const EntryFormat format_{.max_bytes = 10'000};
  TierContext context_{L2Config{.key_prefix = "p:", .ttl_ms = 50'000, .max_entry_bytes = 10'000},
                       format_, clock_,
                       [this](const TierEvent& event) { events_.push_back(event); }};
  const KeyDigest key_ = key_of(1);
  const std::string stored_key_ = "p:" + to_hex(key_);
  std::vector<KeyDigest> discarded_;
  std::vector<KeyDigest> removed_later_;
  std::optional<Result<EntryPtr>> got_;
  std::optional<Result<bool>> removed_;
};

TEST_F(OperationsTest, no_lookup_asks_a_replica_unless_it_is_configured) {
  EXPECT_FALSE(get()->only_reads());
}

TEST_F(OperationsTest, get_asks_no_replica_for_what_changed_lately) {
  TierContext context{L2Config{.read_from = L2Config::ReadFrom::kReplica}, format_, clock_, {}};
  const auto asks_replica = [&](const KeyDigest& key) {
    return GetOperation(context, key, [](const Result<EntryPtr>&) {}).only_reads();
  };
  EXPECT_TRUE(asks_replica(key_));
  context.tell_changed(key_);
  EXPECT_FALSE(asks_replica(key_));
  EXPECT_TRUE(asks_replica(key_of(2)));
  context.note_change_of_all();
  EXPECT_FALSE(asks_replica(key_of(2)));
}

TEST_F(OperationsTest, get_asks_for_the_prefixed_key_in_hex) {
  std::string out;
  std::string expected;
  append_get(expected, stored_key_);
  EXPECT_TRUE(get()->append_to(out));
  EXPECT_EQ(out, expected);
}

TEST_F(OperationsTest, get_gives_the_entry_that_was_set) {
  const EntryPtr entry = lasting(1'000, "hello");
  const std::string bytes = *encode_entry(key_, *entry);
  EXPECT_TRUE(get()->complete(reply_of(RespType::kBulkString, bytes)));
  ASSERT_TRUE(got_ && got_->ok());
  EXPECT_EQ(**got_.value(), *entry);
  EXPECT_EQ(counters().hits, 1U);
}

TEST_F(OperationsTest, get_gives_null_for_a_miss) {
  EXPECT_TRUE(get()->complete(reply_of(RespType::kNull, {})));
  ASSERT_TRUE(got_ && got_->ok());
  EXPECT_EQ(got_->value(), nullptr);
  EXPECT_EQ(counters().misses, 1U);
}

TEST_F(OperationsTest, get_gives_a_stale_entry_within_its_window_and_none_after_it) {
  const EntryPtr entry = lasting(-10, "old", 10);
  const std::string bytes = *encode_entry(key_, *entry);
  (void)get()->complete(reply_of(RespType::kBulkString, bytes));
  EXPECT_NE(got_->value(), nullptr);
  clock_->advance_ms(10);
  (void)get()->complete(reply_of(RespType::kBulkString, bytes));
  EXPECT_EQ(got_->value(), nullptr);
  EXPECT_EQ(counters().misses, 1U);
}

TEST_F(OperationsTest, get_misses_counts_tells_and_deletes_what_does_not_verify) {
  const std::string good = *encode_entry(key_, *lasting(1'000, "hello"));
  std::string flipped = good;
  flipped[good.size() / 2] ^= 1;
  for (const std::string& bytes :
       {std::string("rubbish"), std::string(), flipped, good.substr(0, good.size() - 1)}) {
    EXPECT_TRUE(get()->complete(reply_of(RespType::kBulkString, bytes)));
    ASSERT_TRUE(got_->ok());
    EXPECT_EQ(got_->value(), nullptr);
  }
  EXPECT_EQ(counters().errors_corrupt, 4U);
  EXPECT_EQ(counters().misses, 4U);
  EXPECT_EQ(counters().hits, 0U);
  EXPECT_EQ(discarded_, std::vector<KeyDigest>(4, key_));
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_EQ(events_[0].kind, TierEventKind::kCorruptEntry);
}

TEST_F(OperationsTest, get_refuses_an_entry_of_another_key) {
  const std::string bytes = *encode_entry(key_of(2), *lasting(1'000, "other"));
  (void)get()->complete(reply_of(RespType::kBulkString, bytes));
  EXPECT_EQ(got_->value(), nullptr);
  EXPECT_EQ(counters().errors_corrupt, 1U);
}

TEST_F(OperationsTest, get_refuses_a_value_over_the_limit_and_leaves_it) {
  EXPECT_TRUE(get()->complete(reply_of(RespType::kTooLarge, {}, 20'000)));
  EXPECT_EQ(got_->error().code, ErrorCode::kTooLarge);
  EXPECT_TRUE(discarded_.empty());
}

TEST_F(OperationsTest, get_takes_no_answer_of_another_type) {
  EXPECT_FALSE(get()->complete(reply_of(RespType::kInteger, {}, 1)));
  EXPECT_FALSE(get()->complete(reply_of(RespType::kSimpleString, "OK")));
  EXPECT_FALSE(get()->complete(reply_of(RespType::kArray, {}, 0)));
  EXPECT_FALSE(got_);
}

TEST_F(OperationsTest, get_counts_failures_by_kind) {
  get()->fail(kTimeout);
  get()->fail({ErrorCode::kUnavailable, ""});
  get()->fail({ErrorCode::kProtocol, "redis: LOADING"});
  get()->fail({ErrorCode::kCancelled, ""});
  EXPECT_EQ(counters().errors_timeout, 1U);
  EXPECT_EQ(counters().errors_unavailable, 1U);
  EXPECT_EQ(counters().errors_protocol, 1U);
  EXPECT_EQ(got_->error().code, ErrorCode::kCancelled);
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_EQ(events_[0].message, "redis: LOADING");
}

TEST_F(OperationsTest, set_lives_as_long_as_the_entry_with_its_stale_window) {
  std::string out;
  EXPECT_TRUE(set(lasting(1'000, "x"))->append_to(out));
  EXPECT_THAT(out, HasSubstr("$2\r\nPX\r\n$4\r\n1000\r\n"));
  out.clear();
  EXPECT_TRUE(set(lasting(1'000, "x", 1'500))->append_to(out));
  EXPECT_THAT(out, HasSubstr("$2\r\nPX\r\n$4\r\n1500\r\n"));
}

TEST_F(OperationsTest, set_lives_no_longer_than_the_tier_allows) {
  std::string out;
  EXPECT_TRUE(set(lasting(90'000, "x"))->append_to(out));
  EXPECT_THAT(out, HasSubstr("$2\r\nPX\r\n$5\r\n50000\r\n"));
}

TEST_F(OperationsTest, set_is_not_sent_where_the_entry_expired_in_the_queue) {
  std::string out;
  const auto operation = set(lasting(1'000, "x"));
  clock_->advance_ms(1'000);
  EXPECT_FALSE(operation->append_to(out));
  EXPECT_EQ(out, "");
  EXPECT_EQ(counters().dropped_writes, 0U);
}

TEST_F(OperationsTest, set_is_dropped_where_the_entry_is_too_large) {
  std::string out;
  EXPECT_FALSE(set(lasting(1'000, std::string(20'000, 'x')))->append_to(out));
  EXPECT_EQ(out, "");
  EXPECT_EQ(counters().dropped_writes, 1U);
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_EQ(events_[0].kind, TierEventKind::kWriteDropped);
}

TEST_F(OperationsTest, set_counts_what_was_written_and_what_was_lost) {
  const EntryPtr entry = lasting(1'000, "x");
  EXPECT_TRUE(set(entry)->complete(reply_of(RespType::kSimpleString, "OK")));
  EXPECT_FALSE(set(entry)->complete(reply_of(RespType::kNull, {})));
  set(entry)->fail(kTimeout);
  EXPECT_EQ(counters().writes, 1U);
  EXPECT_EQ(counters().dropped_writes, 1U);
  EXPECT_EQ(counters().errors_timeout, 1U);
}

TEST_F(OperationsTest, set_gives_its_share_of_the_queue_back) {
  {
    const auto operation = set(lasting(1'000, "x"));
    EXPECT_EQ(context_.budget.bytes(), 10U);
  }
  EXPECT_EQ(context_.budget.bytes(), 0U);
}

TEST_F(OperationsTest, unlink_tells_whether_something_was_there) {
  EXPECT_TRUE(unlink()->complete(reply_of(RespType::kInteger, {}, 1)));
  EXPECT_TRUE(removed_->value());
  EXPECT_TRUE(unlink()->complete(reply_of(RespType::kInteger, {}, 0)));
  EXPECT_FALSE(removed_->value());
  EXPECT_EQ(counters().removals, 1U);
  EXPECT_FALSE(unlink()->complete(reply_of(RespType::kNull, {})));
}

TEST_F(OperationsTest, unlink_is_sent_when_nobody_waits_any_more) {
  const auto operation = unlink();
  EXPECT_TRUE(operation->waited_for());
  operation->stop_waiting(kTimeout);
  EXPECT_EQ(removed_->error(), kTimeout);
  EXPECT_FALSE(operation->waited_for());
  std::string out;
  EXPECT_TRUE(operation->append_to(out));
  EXPECT_TRUE(operation->complete(reply_of(RespType::kInteger, {}, 1)));
  EXPECT_EQ(removed_->error(), kTimeout);
}

TEST_F(OperationsTest, unlink_is_sent_again_where_its_answer_did_not_come) {
  unlink()->fail(kTimeout);
  unlink()->fail({ErrorCode::kUnavailable, "connection lost"});
  EXPECT_EQ(removed_later_, std::vector<KeyDigest>(2, key_));
  EXPECT_EQ(removed_->error().code, ErrorCode::kUnavailable);
}

TEST_F(OperationsTest, unlink_is_not_sent_again_where_it_was_refused_or_nothing_is_sent_any_more) {
  unlink()->fail({ErrorCode::kProtocol, "redis: NOPERM"});
  unlink()->fail({ErrorCode::kCancelled, ""});
  unlink()->fail({ErrorCode::kOverloaded, ""});
  EXPECT_TRUE(removed_later_.empty());
}

TEST_F(OperationsTest, ping_is_not_sent_when_nobody_waits_any_more) {
  std::optional<Status> status;
  PingOperation ping(context_, [&](Status s) { status = std::move(s); });
  ping.stop_waiting(kTimeout);
  EXPECT_EQ(status->error(), kTimeout);
  std::string out;
  EXPECT_FALSE(ping.append_to(out));
  ping.fail({ErrorCode::kCancelled, ""});
  EXPECT_EQ(status->error(), kTimeout);
}

TEST_F(OperationsTest, ping_takes_pong_and_nothing_else) {
  std::optional<Status> status;
  PingOperation ping(context_, [&](Status s) { status = std::move(s); });
  EXPECT_FALSE(ping.complete(reply_of(RespType::kBulkString, "PONG")));
  EXPECT_FALSE(status);
  EXPECT_TRUE(ping.complete(reply_of(RespType::kSimpleString, "PONG")));
  EXPECT_TRUE(status->ok());
}

}  // namespace
}  // namespace llm_edge_cache::redis
