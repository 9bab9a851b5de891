#include "tiers/redis/held_lease.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/support/entries.hpp"

namespace llm_edge_cache::redis {
namespace {

using Ending = HeldLease::Ending;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class HeldLeaseTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::shared_ptr<HeldLease> lease() {
    return std::make_shared<HeldLease>(
        test::key_of(1), "token",
        [this](const KeyDigest& key, const std::string& token, Ending end) {
          EXPECT_EQ(key, test::key_of(1));
          EXPECT_EQ(token, "token");
          endings_.push_back(end);
        });
  }

  std::vector<Ending> endings_;
};

TEST_F(HeldLeaseTest, says_that_nothing_was_stored_where_nobody_said_otherwise) {
  lease().reset();
  EXPECT_THAT(endings_, ElementsAre(Ending::kNotStored));
}

TEST_F(HeldLeaseTest, says_that_the_answer_was_written_or_has_landed) {
  lease()->note_written();
  lease()->note_landed();
  EXPECT_THAT(endings_, ElementsAre(Ending::kWritten, Ending::kLanded));
}

TEST_F(HeldLeaseTest, is_given_back_once_by_the_last_who_holds_it) {
  auto flight = lease();
  auto write = flight;
  flight.reset();
  EXPECT_THAT(endings_, IsEmpty());
  write->note_written();
  write.reset();
  EXPECT_THAT(endings_, ElementsAre(Ending::kWritten));
}

}  // namespace
}  // namespace llm_edge_cache::redis
