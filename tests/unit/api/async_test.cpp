// Every kind of completion token, with and without L2.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <cmath>
#include <future>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "tests/unit/api/l2_fixture.hpp"

namespace llm_edge_cache::test {
namespace {

namespace asio = boost::asio;

class AsyncTest : public L2Test {
 protected:
  AsyncTest() {
    store(writer, asking("in l2"), answering("from l2"));
    (void)cache.store(asking("in l1"), answering("from l1"));
  }

  const CacheManager writer = make();
  const CacheManager cache = make();
};

TEST_F(AsyncTest, callback_of_an_l1_hit_runs_inside_the_call) {
  std::optional<CacheLookupResult> result;
  cache.async_lookup(asking("in l1"), [&](Result<CacheLookupResult> found) { result = *found; });
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->outcome(), LookupOutcome::kL1Hit);
}

TEST_F(AsyncTest, callback_after_l2_runs_on_another_thread) {
  std::promise<std::pair<LookupOutcome, std::thread::id>> done;
  cache.async_lookup(asking("in l2"), [&](Result<CacheLookupResult> found) {
    done.set_value({found->outcome(), std::this_thread::get_id()});
  });
  const auto [outcome, thread] = done.get_future().get();
  EXPECT_EQ(outcome, LookupOutcome::kL2Hit);
  EXPECT_NE(thread, std::this_thread::get_id());
}

TEST_F(AsyncTest, handler_may_be_one_that_only_moves) {
  auto token = std::make_unique<int>(7);
  std::promise<int> done;
  cache.async_lookup(asking("in l2"),
                     [token = std::move(token), &done](const Result<CacheLookupResult>&) {
                       done.set_value(*token);
                     });
  EXPECT_EQ(done.get_future().get(), 7);
}

TEST_F(AsyncTest, future_of_an_l1_hit_is_ready_when_the_call_returns) {
  auto found = cache.async_lookup(asking("in l1"), asio::use_future);
  ASSERT_EQ(found.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  EXPECT_EQ(found.get()->outcome(), LookupOutcome::kL1Hit);
}

TEST_F(AsyncTest, future_of_an_l2_hit_becomes_ready) {
  auto found = cache.async_lookup(asking("in l2"), asio::use_future);
  EXPECT_EQ(found.get()->response()->content, "from l2");
}

asio::awaitable<void> look_up_both(const CacheManager& cache, const CacheableRequest& in_l1,
                                   const CacheableRequest& in_l2,
                                   std::vector<LookupOutcome>& outcomes) {
  Result<CacheLookupResult> first = co_await cache.async_lookup(in_l1, asio::use_awaitable);
  outcomes.push_back(first->outcome());
  Result<CacheLookupResult> second = co_await cache.async_lookup(in_l2, asio::use_awaitable);
  outcomes.push_back(second->outcome());
  Result<bool> removed = co_await cache.async_invalidate(in_l2, asio::use_awaitable);
  EXPECT_TRUE(*removed);
  Status cleared = co_await cache.async_clear_all(asio::use_awaitable);
  EXPECT_TRUE(cleared.ok());
  HealthStatus health = co_await cache.async_health_check(asio::use_awaitable);
  EXPECT_TRUE(health.is_fully_healthy());
}

TEST_F(AsyncTest, coroutine_resumes_on_its_own_context) {
  asio::io_context context;
  std::vector<LookupOutcome> outcomes;
  const auto in_l1 = asking("in l1");
  const auto in_l2 = asking("in l2");
  asio::co_spawn(context, look_up_both(cache, in_l1, in_l2, outcomes), asio::detached);
  context.run();
  EXPECT_EQ(outcomes, (std::vector{LookupOutcome::kL1Hit, LookupOutcome::kL2Hit}));
}

TEST_F(AsyncTest, deferred_operation_starts_when_it_is_launched) {
  auto operation = cache.async_lookup(asking("new"), asio::deferred);
  ASSERT_TRUE(cache.store(asking("new"), answering("stored later")).ok());
  std::optional<std::string> content;
  std::move(operation)(
      [&](Result<CacheLookupResult> found) { content = found->response()->content; });
  EXPECT_EQ(content, "stored later");
}

TEST_F(AsyncTest, bound_executor_runs_the_handler_never_the_call) {
  for (const auto* prompt : {"in l1", "in l2"}) {
    asio::io_context context;
    std::optional<std::thread::id> thread;
    cache.async_lookup(asking(prompt),
                       asio::bind_executor(context, [&](const Result<CacheLookupResult>&) {
                         thread = std::this_thread::get_id();
                       }));
    EXPECT_FALSE(thread.has_value()) << prompt;
    context.run();  // has work until the handler ran
    EXPECT_EQ(thread, std::this_thread::get_id()) << prompt;
  }
}

TEST_F(AsyncTest, strand_runs_the_handler) {
  asio::io_context context;
  const auto strand = asio::make_strand(context);
  bool inside = false;
  cache.async_lookup(asking("in l2"),
                     asio::bind_executor(strand, [&](const Result<CacheLookupResult>&) {
                       inside = strand.running_in_this_thread();
                     }));
  context.run();
  EXPECT_TRUE(inside);
}

TEST_F(AsyncTest, stores_complete_when_l1_has_the_answer) {
  bool stored = false;
  cache.async_store(asking("a"), answering(), [&](const Status& status) { stored = status.ok(); });
  EXPECT_TRUE(stored);
  EXPECT_EQ(cache.lookup(asking("a"))->outcome(), LookupOutcome::kL1Hit);

  auto refused = cache.async_store_with_ttl(asking("b"), answering(), 0, asio::use_future);
  EXPECT_EQ(refused.get().error().code, ErrorCode::kInvalidArgument);
}

TEST_F(AsyncTest, request_without_a_key_completes_with_its_error) {
  const auto impossible = asking().with_temperature(std::nan(""));
  auto found = cache.async_lookup(impossible, asio::use_future);
  EXPECT_EQ(found.get().error().code, ErrorCode::kInvalidArgument);
  auto removed = cache.async_invalidate(impossible, asio::use_future);
  EXPECT_EQ(removed.get().error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace llm_edge_cache::test
