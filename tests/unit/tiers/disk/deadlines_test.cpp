#include "tiers/disk/deadlines.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <vector>

#include "tests/support/eventually.hpp"

namespace llm_edge_cache::disk {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct Recorder {
  std::mutex mutex;
  std::vector<int> told;

  std::size_t count() {
    const std::lock_guard lock(mutex);
    return told.size();
  }
};

class Waiter final : public Deadlines::Waiter {
 public:
  Waiter(Recorder& recorder, int number) : recorder_(recorder), number_(number) {}
  void on_deadline() override {
    const std::lock_guard lock(recorder_.mutex);
    recorder_.told.push_back(number_);
  }

 private:
  Recorder& recorder_;
  const int number_;
};

TEST(DeadlinesTest, are_told_in_their_order) {
  Recorder recorder;
  Deadlines deadlines;
  const auto now = steady_clock::now();
  for (const int number : {3, 1, 2}) {
    deadlines.watch(std::make_shared<Waiter>(recorder, number), now + milliseconds(number));
  }
  ASSERT_TRUE(test::eventually([&] { return recorder.count() == 3; }));
  EXPECT_EQ(recorder.told, (std::vector<int>{1, 2, 3}));
}

TEST(DeadlinesTest, one_that_is_sooner_than_all_others_does_not_wait_for_them) {
  Recorder recorder;
  Deadlines deadlines;
  const auto now = steady_clock::now();
  deadlines.watch(std::make_shared<Waiter>(recorder, 1), now + std::chrono::hours{1});
  deadlines.watch(std::make_shared<Waiter>(recorder, 2), now);
  ASSERT_TRUE(test::eventually([&] { return recorder.count() == 1; }));
  EXPECT_EQ(recorder.told, std::vector<int>{2});
}

TEST(DeadlinesTest, what_is_forgotten_is_let_go_and_not_told) {
  Recorder recorder;
  Deadlines deadlines;
  const auto deadline = steady_clock::now() + std::chrono::hours{1};
  auto waiter = std::make_shared<Waiter>(recorder, 1);
  deadlines.watch(waiter, deadline);
  deadlines.forget(*waiter, deadline);
  EXPECT_EQ(waiter.use_count(), 1);
  deadlines.forget(*waiter, deadline);
  EXPECT_EQ(recorder.count(), 0U);
}

TEST(DeadlinesTest, end_without_a_call_for_those_who_still_wait) {
  Recorder recorder;
  auto waiter = std::make_shared<Waiter>(recorder, 1);
  {
    Deadlines deadlines;
    deadlines.watch(waiter, steady_clock::now() + std::chrono::hours{1});
  }
  EXPECT_EQ(waiter.use_count(), 1);
  EXPECT_EQ(recorder.count(), 0U);
}

}  // namespace
}  // namespace llm_edge_cache::disk
