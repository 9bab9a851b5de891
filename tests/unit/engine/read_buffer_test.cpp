#include "llm_edge_cache/engine/read_buffer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace llm_edge_cache::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<Handle> drained(ReadStripe& stripe) {
  std::vector<Handle> handles;
  stripe.drain([&](ReadEvent event) { handles.push_back(event.handle()); });
  return handles;
}

TEST(ReadEventTest, tells_hits_from_misses) {
  EXPECT_TRUE(ReadEvent::hit(0x7FFFFFFF).is_hit());
  EXPECT_EQ(ReadEvent::hit(0x7FFFFFFF).handle(), 0x7FFFFFFFU);
  EXPECT_FALSE(ReadEvent::miss(0x1234).is_hit());
  EXPECT_EQ(ReadEvent::miss(0x1234).hash() & ~std::uint64_t{1}, 0x1234U);
}

TEST(ReadStripeTest, events_come_out_in_order_and_once) {
  ReadStripe stripe;
  for (Handle handle = 1; handle <= 3; ++handle) EXPECT_TRUE(stripe.push(ReadEvent::hit(handle)));
  EXPECT_THAT(drained(stripe), ElementsAre(1, 2, 3));
  EXPECT_THAT(drained(stripe), IsEmpty());
  EXPECT_EQ(stripe.applied(), 3U);
}

TEST(ReadStripeTest, a_full_ring_loses_what_is_new) {
  ReadStripe stripe;
  for (Handle handle = 0; handle < ReadStripe::kEvents; ++handle) {
    EXPECT_TRUE(stripe.push(ReadEvent::hit(handle)));
  }
  EXPECT_FALSE(stripe.push(ReadEvent::hit(999)));
  EXPECT_EQ(drained(stripe).size(), ReadStripe::kEvents);
  EXPECT_TRUE(stripe.push(ReadEvent::hit(999)));
  EXPECT_THAT(drained(stripe), ElementsAre(999));
}

TEST(ReadBufferTest, each_of_the_first_threads_has_a_stripe_of_its_own) {
  ReadBuffer buffer;
  const auto first = buffer.place_of(0);
  const auto second = buffer.place_of(1);
  EXPECT_TRUE(first.exclusive);
  EXPECT_TRUE(second.exclusive);
  EXPECT_NE(first.stripe, second.stripe);
  EXPECT_FALSE(buffer.place_of(100'000).exclusive);
}

TEST(ReadBufferTest, counts_are_exact_on_shared_stripes_too) {
  ReadBuffer buffer;
  constexpr int kReads = 20'000;
  std::vector<std::thread> threads;
  for (std::uint32_t id = 0; id < 4; ++id) {
    threads.emplace_back([&, id] {
      const auto place = buffer.place_of(100'000 + id % 2 * 4);
      ASSERT_FALSE(place.exclusive);
      for (int i = 0; i < kReads; ++i) {
        place.stripe->count_hit(place.exclusive);
        place.stripe->push(ReadEvent::hit(1));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(buffer.counts().hits, 4U * kReads);
  std::size_t events = 0;
  buffer.drain([&](ReadEvent event) {
    EXPECT_EQ(event.handle(), 1U);
    ++events;
  });
  EXPECT_LE(events, ReadStripe::kEvents);
  EXPECT_EQ(buffer.counts().pending, 0U);
}

}  // namespace
}  // namespace llm_edge_cache::engine
