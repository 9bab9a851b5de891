#include <atomic>
#include <thread>
#include <vector>

#include "tests/conformance/tier_fixture.hpp"

namespace llm_edge_cache::test {
namespace {

constexpr int kThreads = 4;
constexpr int kOperations = 1'000;
constexpr std::uint64_t kKeys = 64;

class TierConcurrencyTest : public TierFixture {
 protected:
  template <class Body>
  static void on_threads(Body body) {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) threads.emplace_back(body, thread);
    for (auto& thread : threads) thread.join();
  }
};
INSTANTIATE_TEST_SUITE_P(Tiers, TierConcurrencyTest, ::testing::ValuesIn(all_tiers()), tier_name);

TEST_P(TierConcurrencyTest, every_handler_runs_once_and_no_answer_is_another_keys) {
  std::vector<std::atomic<int>> calls(kThreads * kOperations);
  std::atomic<int> completed{0};
  std::atomic<int> wrong{0};
  on_threads([&](int thread) {
    for (int i = 0; i < kOperations; ++i) {
      const auto number = static_cast<std::uint64_t>(thread + i) % kKeys;
      auto& mine = calls[static_cast<std::size_t>(thread * kOperations + i)];
      const auto done = [&] {
        mine.fetch_add(1);
        completed.fetch_add(1);
      };
      if (i % 3 == 0) tier->put(key_of(number), fresh(std::to_string(number)));
      if (i % 7 == 0) {
        tier->remove(key_of(number), [done](const Result<bool>&) { done(); });
        continue;
      }
      tier->get(key_of(number), [&wrong, done, number](const Result<EntryPtr>& reply) {
        if (reply.ok() && reply.value() != nullptr &&
            reply.value()->response.content != std::to_string(number)) {
          wrong.fetch_add(1);
        }
        done();
      });
    }
  });
  ASSERT_TRUE(eventually([&] { return completed.load() == kThreads * kOperations; }));
  flush();
  for (const auto& count : calls) EXPECT_EQ(count.load(), 1);
  EXPECT_EQ(wrong.load(), 0);
}

TEST_P(TierConcurrencyTest, clear_among_writers_leaves_a_working_tier) {
  on_threads([&](int thread) {
    for (int i = 0; i < 200; ++i) {
      tier->put(key_of(static_cast<std::uint64_t>(i)), fresh("x"));
      if (thread == 0 && i % 50 == 0) clear();
    }
  });
  flush();
  clear();
  EXPECT_EQ(size(), 0U);
  put(key_of(1), fresh("after"));
  EXPECT_NE(get(key_of(1)), nullptr);
}

TEST_P(TierConcurrencyTest, destruction_completes_every_outstanding_handler) {
  constexpr int kOutstanding = 2'000;
  std::atomic<int> completed{0};
  const auto count = [&](const auto&) { completed.fetch_add(1); };
  for (int i = 0; i < kOutstanding; ++i) {
    const auto key = key_of(static_cast<std::uint64_t>(i));
    tier->put(key, fresh("x"));
    tier->get(key, count);
    tier->remove(key, count);
  }
  tier->size(count);
  tier->flush(count);
  tier->clear(count);
  tier->check(count);
  tier.reset();
  EXPECT_EQ(completed.load(), 2 * kOutstanding + 4);
}

TEST_P(TierConcurrencyTest, handler_may_start_the_next_operation) {
  constexpr int kLinks = 200;
  std::promise<int> end;
  std::function<void(int)> link = [&](int number) {
    if (number == kLinks) return end.set_value(number);
    tier->put(key_of(1), fresh(std::to_string(number)));
    tier->get(key_of(1), [&link, number](const Result<EntryPtr>&) { link(number + 1); });
  };
  link(0);
  auto ended = end.get_future();
  ASSERT_EQ(ended.wait_for(kEventually), std::future_status::ready);
  EXPECT_EQ(ended.get(), kLinks);
}

}  // namespace
}  // namespace llm_edge_cache::test
