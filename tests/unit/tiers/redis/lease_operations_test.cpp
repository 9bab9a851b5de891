#include "tiers/redis/lease_operations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "tests/support/entries.hpp"

namespace llm_edge_cache::redis {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Ask = LeaseOperation::Kind;

class LeaseOperationsTest : public ::testing::Test {
 protected:
  static TierContext context(std::string prefix = "llm_cache:") {
    L2Config config;
    config.key_prefix = std::move(prefix);
    config.flight_lease_ms = 1'234;
    return TierContext(config, EntryFormat::of(config).value(), std::make_shared<SystemClock>(),
                       {});
  }
  LeaseOperation operation(Ask kind) {
    return LeaseOperation(context_, kind, key_, "token",
                          [this](Result<bool> result) { result_ = std::move(result); });
  }
  std::string sent(Ask kind) {
    std::string out;
    EXPECT_TRUE(operation(kind).append_to(out));
    return out;
  }

  const KeyDigest key_ = test::key_of(1);
  const TierContext context_ = context();
  std::optional<Result<bool>> result_;
};

TEST_F(LeaseOperationsTest, a_lease_is_in_the_slot_of_its_entry) {
  for (const char* prefix : {"llm_cache:", "{a}llm:", "x{tag}y:"}) {
    const TierContext one = context(prefix);
    EXPECT_EQ(key_slot(lease_key(one, key_)), one.slot(key_)) << prefix;
  }
}

TEST_F(LeaseOperationsTest, a_lease_is_under_the_prefix_and_no_entry) {
  const std::string name = lease_key(context_, key_);
  EXPECT_TRUE(is_lease_key(name, "llm_cache:"));
  EXPECT_FALSE(is_lease_key(context_.stored_key(key_), "llm_cache:"));
  EXPECT_FALSE(is_lease_key(name, "other:"));
}

TEST_F(LeaseOperationsTest, is_taken_only_where_nobody_has_it_and_for_its_time) {
  EXPECT_THAT(sent(Ask::kAcquire), HasSubstr("'NX','PX',ARGV[2]"));
  EXPECT_THAT(sent(Ask::kAcquire), HasSubstr("token\r\n$4\r\n1234\r\n"));
}

TEST_F(LeaseOperationsTest, is_renewed_and_released_only_by_whoever_has_it) {
  for (const Ask kind : {Ask::kRenew, Ask::kRelease}) {
    EXPECT_THAT(sent(kind), HasSubstr("redis.call('GET',KEYS[1])==ARGV[1]"));
  }
  EXPECT_THAT(sent(Ask::kRelease), Not(HasSubstr("1234")));
}

TEST_F(LeaseOperationsTest, tells_what_the_store_said) {
  const RespNode yes{.type = RespType::kInteger, .integer = 1, .text = {}};
  EXPECT_TRUE(operation(Ask::kAcquire).complete({&yes, 1}));
  EXPECT_TRUE(result_->value());
  const RespNode no{.type = RespType::kInteger, .integer = 0, .text = {}};
  EXPECT_TRUE(operation(Ask::kAcquire).complete({&no, 1}));
  EXPECT_FALSE(result_->value());
  operation(Ask::kAcquire).fail({ErrorCode::kUnavailable, "away"});
  EXPECT_FALSE(result_->ok());
}

TEST_F(LeaseOperationsTest, takes_no_other_answer_for_its_own) {
  const RespNode text{.type = RespType::kBulkString, .text = "1"};
  EXPECT_FALSE(operation(Ask::kAcquire).complete({&text, 1}));
  EXPECT_FALSE(result_.has_value());
}

TEST_F(LeaseOperationsTest, an_answer_is_written_under_the_lease_that_it_ends) {
  std::string out;
  append_set_under_lease(out, context_, key_, "token", "bytes", 77);
  EXPECT_THAT(out, HasSubstr("redis.call('GET',KEYS[1])~=ARGV[1] then return 0"));
  EXPECT_THAT(out, HasSubstr("redis.call('UNLINK',KEYS[1]) return 1"));
  EXPECT_THAT(out, HasSubstr("$5\r\ntoken\r\n$5\r\nbytes\r\n$2\r\n77\r\n"));
}

}  // namespace
}  // namespace llm_edge_cache::redis
