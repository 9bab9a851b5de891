#include "tiers/disk/read_pool.hpp"

#include <gtest/gtest.h>

#include <future>
#include <string>

#include "tests/support/eventually.hpp"

namespace llm_edge_cache::disk {
namespace {

using std::chrono::milliseconds;
using test::eventually;

class ReadPoolTest : public ::testing::Test {
 protected:
  // Reads that wait until release().
  void submit_held(ReadPool& pool) {
    pool.submit<Result<int>>(
        [this]() -> Result<int> {
          running_.fetch_add(1);
          held_.wait();
          running_.fetch_sub(1);
          return 1;
        },
        [this](const Result<int>& told) { note(told); });
  }
  void submit(ReadPool& pool, Result<int> outcome) {
    pool.submit<Result<int>>([outcome] { return outcome; },
                             [this](const Result<int>& told) { note(told); });
  }
  void release() { release_.set_value(); }
  [[nodiscard]] std::vector<std::string> told() {
    const std::lock_guard lock(mutex_);
    return told_;
  }
  [[nodiscard]] bool is_told(std::size_t count) {
    return eventually([&] { return told().size() == count; });
  }
  [[nodiscard]] bool is_running() {
    return eventually([&] { return running_.load() == 1; });
  }

  Deadlines deadlines_;
  ReadGate gate_{{.failures = 2, .open_for = std::chrono::hours{1}}};

 private:
  void note(const Result<int>& told) {
    const std::lock_guard lock(mutex_);
    told_.emplace_back(told.ok() ? std::to_string(*told) : to_string(told.error().code));
  }

  std::mutex mutex_;
  std::vector<std::string> told_;
  std::atomic<int> running_{0};
  std::promise<void> release_;
  std::shared_future<void> held_ = release_.get_future().share();
};

TEST_F(ReadPoolTest, tells_what_was_read) {
  ReadPool pool({.timeout = std::chrono::minutes{1}}, deadlines_, gate_);
  submit(pool, 7);
  ASSERT_TRUE(is_told(1));
  EXPECT_EQ(told()[0], "7");
}

TEST_F(ReadPoolTest, a_read_that_is_held_up_is_told_late_and_shuts_the_gate_until_it_is_back) {
  ReadPool pool({.timeout = milliseconds{20}}, deadlines_, gate_);
  submit_held(pool);
  ASSERT_TRUE(is_told(1));
  EXPECT_EQ(told()[0], "deadline_exceeded");
  EXPECT_TRUE(gate_.is_frozen());
  submit(pool, 7);
  EXPECT_EQ(told()[1], "unavailable");
  release();
  ASSERT_TRUE(eventually([&] { return !gate_.is_frozen(); }));
  submit(pool, 8);
  ASSERT_TRUE(is_told(3));
  EXPECT_EQ(told()[2], "8");
}

TEST_F(ReadPoolTest, refuses_more_than_it_may_queue) {
  ReadPool pool({.max_queued = 1, .timeout = std::chrono::minutes{1}}, deadlines_, gate_);
  submit_held(pool);
  ASSERT_TRUE(is_running());
  submit(pool, 1);
  submit(pool, 2);
  ASSERT_TRUE(is_told(1));
  EXPECT_EQ(told()[0], "unavailable");
  release();
  ASSERT_TRUE(is_told(3));
}

TEST_F(ReadPoolTest, faults_of_the_disk_open_the_breaker_and_other_errors_do_not) {
  ReadPool pool({.timeout = std::chrono::minutes{1}}, deadlines_, gate_);
  for (int i = 0; i < 3; ++i) submit(pool, Error{ErrorCode::kTooLarge, "x"});
  ASSERT_TRUE(is_told(3));
  EXPECT_EQ(gate_.state(), BreakerState::kClosed);
  for (int i = 0; i < 2; ++i) submit(pool, Error{ErrorCode::kIo, "x"});
  ASSERT_TRUE(is_told(5));
  EXPECT_EQ(gate_.state(), BreakerState::kOpen);
  submit(pool, 1);
  EXPECT_EQ(told().back(), "unavailable");
}

TEST_F(ReadPoolTest, cancels_what_is_queued_when_it_closes) {
  ReadPool pool({.timeout = std::chrono::minutes{1}}, deadlines_, gate_);
  submit_held(pool);
  ASSERT_TRUE(is_running());
  submit(pool, 1);
  pool.close();
  EXPECT_EQ(told(), std::vector<std::string>{"cancelled"});
  submit(pool, 2);
  EXPECT_EQ(told().back(), "cancelled");
  release();
  ASSERT_TRUE(is_told(3));
}

}  // namespace
}  // namespace llm_edge_cache::disk
