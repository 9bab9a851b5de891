#include "tiers/redis/mailbox.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/unit/tiers/redis/recording_operation.hpp"

namespace llm_edge_cache::redis {
namespace {

using ::testing::ElementsAre;

// Counts what it is given, and fails it, as somebody has to.
class MailboxTest : public ::testing::Test {
 protected:
  void send(const std::string& name, bool ordered = false) {
    mailbox_.send({recording(name, journal_), ordered});
  }

  Journal journal_;
  std::vector<std::size_t> batches_;
  std::vector<bool> ordered_;
  boost::asio::io_context context_{1};
  Mailbox mailbox_{context_, [this](std::vector<Mailbox::Item>& items) {
                     batches_.push_back(items.size());
                     for (Mailbox::Item& item : items) {
                       ordered_.push_back(item.ordered);
                       item.operation->fail({ErrorCode::kUnavailable, "received"});
                     }
                   }};
};

TEST_F(MailboxTest, hands_over_in_order_and_together_what_came_in_between) {
  send("a");
  send("b", true);
  send("c");
  EXPECT_TRUE(batches_.empty());  // not on the sender's thread
  EXPECT_EQ(context_.run(), 1U);  // one wake-up
  EXPECT_THAT(batches_, ElementsAre(3));
  EXPECT_THAT(journal_, ElementsAre("a: unavailable", "b: unavailable", "c: unavailable"));
  EXPECT_THAT(ordered_, ElementsAre(false, true, false));
}

TEST_F(MailboxTest, wakes_its_thread_again_for_what_comes_later) {
  send("a");
  context_.run();
  context_.restart();
  send("b");
  context_.run();
  EXPECT_THAT(batches_, ElementsAre(1, 1));
}

TEST_F(MailboxTest, refuses_what_is_over_its_bound) {
  for (std::size_t i = 0; i < Mailbox::kMaxQueued; ++i) send("in");
  EXPECT_TRUE(journal_.empty());
  send("over");
  EXPECT_THAT(journal_, ElementsAre("over: overloaded"));
  context_.run();
  EXPECT_THAT(batches_, ElementsAre(Mailbox::kMaxQueued));
  send("there is room again");
  EXPECT_EQ(journal_.size(), Mailbox::kMaxQueued + 1);
}

TEST_F(MailboxTest, cancels_what_comes_after_the_end_and_hands_over_what_came_before) {
  send("before");
  mailbox_.close();
  send("after");
  EXPECT_THAT(journal_, ElementsAre("after: cancelled"));
  mailbox_.collect();
  EXPECT_THAT(journal_, ElementsAre("after: cancelled", "before: unavailable"));
  context_.run();
  EXPECT_THAT(batches_, ElementsAre(1, 0));  // the wake-up finds nothing any more
}

TEST_F(MailboxTest, loses_nothing_of_many_senders) {
  constexpr int kSenders = 4;
  constexpr int kEach = 5'000;
  std::atomic<std::size_t> received{0};
  auto work = boost::asio::make_work_guard(context_);
  Mailbox mailbox(context_, [&](std::vector<Mailbox::Item>& items) { received += items.size(); });
  std::thread receiver([&] { context_.run(); });
  std::vector<std::thread> senders;
  for (int i = 0; i < kSenders; ++i) {
    senders.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) mailbox.send({recording("any", journal_), false});
    });
  }
  for (std::thread& sender : senders) sender.join();
  work.reset();
  receiver.join();
  EXPECT_EQ(received, kSenders * kEach);
}

}  // namespace
}  // namespace llm_edge_cache::redis
