#include "tiers/redis/io_thread.hpp"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <semaphore>

namespace llm_edge_cache::redis {
namespace {

using std::chrono::microseconds;

// With an answer awaited, and without: polling changes when a thread sleeps, and nothing else.
class IoThreadTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  void post_and_wait() {
    std::binary_semaphore done(0);
    boost::asio::post(thread_.context(), [&] {
      EXPECT_TRUE(thread_.is_this_thread());
      done.release();
    });
    done.acquire();
  }

  const std::atomic<std::size_t> lookups_{GetParam()};
  IoThread thread_{microseconds(50), lookups_};
};

TEST_P(IoThreadTest, runs_what_is_posted_and_ends_when_it_is_finished) {
  for (int i = 0; i < 1'000; ++i) post_and_wait();
  EXPECT_FALSE(thread_.is_this_thread());
  thread_.finish();
  thread_.join();
}

TEST_P(IoThreadTest, fires_timers_that_are_due_later_than_it_polls) {
  std::binary_semaphore fired(0);
  boost::asio::steady_timer timer(thread_.context());
  boost::asio::post(thread_.context(), [&] {
    timer.expires_after(microseconds(500));
    timer.async_wait([&](boost::system::error_code) { fired.release(); });
  });
  fired.acquire();
  thread_.finish();
  thread_.join();
}

TEST_P(IoThreadTest, does_what_is_left_before_it_ends) {
  int done = 0;
  boost::asio::post(thread_.context(), [&] {
    boost::asio::post(thread_.context(),
                      [&] { boost::asio::post(thread_.context(), [&] { ++done; }); });
  });
  thread_.finish();
  thread_.join();
  EXPECT_EQ(done, 1);
}

INSTANTIATE_TEST_SUITE_P(Lookups, IoThreadTest, ::testing::Values(0, 1));

}  // namespace
}  // namespace llm_edge_cache::redis
