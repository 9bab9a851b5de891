// Handles that go away at awkward moments, and calls from awkward threads.
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <thread>

#include "api/reaper.hpp"
#include "tests/unit/api/l2_fixture.hpp"

namespace llm_edge_cache::test {
namespace {

using LifetimeTest = L2Test;

TEST_F(LifetimeTest, destruction_completes_outstanding_lookups) {
  constexpr int kLookups = 500;
  std::atomic<int> completed{0};
  {
    const auto cache = make();
    for (int i = 0; i < kLookups; ++i) {
      cache.async_lookup(asking(std::to_string(i)),
                         [&](const Result<CacheLookupResult>&) { completed.fetch_add(1); });
    }
  }
  EXPECT_EQ(completed.load(), kLookups);
}

TEST_F(LifetimeTest, last_handle_may_go_in_a_handler_on_the_managers_own_thread) {
  auto cache = std::make_unique<CacheManager>(make());
  ASSERT_TRUE(cache->store(asking("pending"), answering()).ok());
  std::promise<void> done;
  auto& last = *cache;
  last.async_lookup(asking(),
                    [cache = std::move(cache), &done](const Result<CacheLookupResult>&) mutable {
                      cache.reset();
                      done.set_value();
                    });
  done.get_future().get();
  EXPECT_TRUE(eventually([&] { return server.command({"DBSIZE"}) == "1"; }));
}

TEST_F(LifetimeTest, blocking_calls_in_a_handler_fail_and_do_not_hang) {
  const auto cache = make();
  ASSERT_TRUE(cache.store(asking("in l1"), answering()).ok());
  std::promise<void> done;
  cache.async_lookup(asking(), [&](const Result<CacheLookupResult>&) {
    EXPECT_EQ(cache.lookup(asking("x")).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(cache.invalidate(asking("x")).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(cache.clear_all().error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(cache.flush(1'000).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(cache.l2_approximate_size().error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(cache.health_check().l2_healthy);
    EXPECT_EQ(cache.lookup(asking("in l1"))->outcome(), LookupOutcome::kL1Hit)
        << "waits for nobody";
    EXPECT_TRUE(cache.store(asking("y"), answering()).ok()) << "waits for nobody";
    done.set_value();
  });
  done.get_future().get();
}

TEST_F(LifetimeTest, handler_may_start_the_next_lookup) {
  const auto cache = make();
  std::promise<int> done;
  std::function<void(int)> next = [&](int number) {
    if (number == 100) return done.set_value(number);
    cache.async_lookup(asking(std::to_string(number)),
                       [&next, number](const Result<CacheLookupResult>&) { next(number + 1); });
  };
  next(0);
  EXPECT_EQ(done.get_future().get(), 100);
}

TEST(ReaperTest, destroys_on_another_thread) {
  std::promise<std::thread::id> destroyed;
  destroy_elsewhere([&] { destroyed.set_value(std::this_thread::get_id()); });
  EXPECT_NE(destroyed.get_future().get(), std::this_thread::get_id());
}

TEST(ReaperTest, destroys_many_at_once) {
  constexpr int kMany = 20;
  std::atomic<int> destroyed{0};
  for (int i = 0; i < kMany; ++i) destroy_elsewhere([&] { destroyed.fetch_add(1); });
  EXPECT_TRUE(eventually([&] { return destroyed.load() == kMany; }));
}

}  // namespace
}  // namespace llm_edge_cache::test
