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
  EXPECT_EQ(ReadEvent::hit(0).handle(), 0U);
  EXPECT_FALSE(ReadEvent::miss(0x1234).is_hit());
  EXPECT_EQ(ReadEvent::miss(0x1234).hash() & ~std::uint64_t{1}, 0x1234U);
}

TEST(ReadEventTest, no_event_looks_like_a_place_not_yet_written) {
  EXPECT_NE(ReadEvent::hit(0).bits(), 0U);
  EXPECT_NE(ReadEvent::miss(0).bits(), 0U);
}

TEST(ReadStripeTest, events_come_out_in_order_and_once) {
  ReadStripe stripe;
  for (Handle handle = 1; handle <= 3; ++handle) {
    EXPECT_EQ(stripe.push(ReadEvent::hit(handle)), handle - 1);
  }
  EXPECT_THAT(drained(stripe), ElementsAre(1, 2, 3));
  EXPECT_THAT(drained(stripe), IsEmpty());
  EXPECT_EQ(stripe.lost(), 0U);
}

TEST(ReadStripeTest, a_full_ring_loses_what_is_old) {
  ReadStripe stripe;
  for (Handle handle = 0; handle < ReadStripe::kEvents + 10; ++handle) {
    stripe.push(ReadEvent::hit(handle));
  }
  const auto events = drained(stripe);
  EXPECT_EQ(events.size(), ReadStripe::kEvents);
  EXPECT_EQ(events.front(), 10U);
  EXPECT_EQ(events.back(), ReadStripe::kEvents + 9);
  EXPECT_EQ(stripe.lost(), 10U);
}

TEST(ReadStripeTest, counts_each_read_whether_its_event_is_lost_or_not) {
  ReadStripe stripe;
  for (int i = 0; i < 1000; ++i) stripe.push(ReadEvent::hit(1));
  stripe.count_miss();
  EXPECT_EQ(stripe.reads(), 1000U);
  EXPECT_EQ(stripe.misses(), 1U);
}

TEST(ReadBufferTest, each_of_the_first_threads_has_a_stripe_of_its_own) {
  ReadBuffer buffer;
  ASSERT_NE(buffer.owned_by(0), nullptr);
  ASSERT_NE(buffer.owned_by(1), nullptr);
  EXPECT_NE(buffer.owned_by(0), buffer.owned_by(1));
  EXPECT_EQ(buffer.owned_by(100'000), nullptr);
}

TEST(ReadBufferTest, counts_are_exact_on_shared_stripes_too) {
  ReadBuffer buffer;
  constexpr int kReads = 20'000;
  std::vector<std::thread> threads;
  for (std::uint32_t id = 0; id < 4; ++id) {
    threads.emplace_back([&, id] {
      ReadStripe& stripe = buffer.shared_by(id % 2 * 4);
      for (int i = 0; i < kReads; ++i) {
        stripe.push_shared(i % 4 == 0 ? ReadEvent::miss(2) : ReadEvent::hit(1));
        if (i % 4 == 0) stripe.count_miss_shared();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(buffer.counts().hits, 4U * kReads / 4 * 3);
  EXPECT_EQ(buffer.counts().misses, 4U * kReads / 4);
  std::size_t events = 0;
  buffer.drain([&](ReadEvent event) {
    EXPECT_TRUE(!event.is_hit() || event.handle() == 1U);
    ++events;
  });
  EXPECT_LE(events, ReadStripe::kEvents);
  EXPECT_EQ(buffer.counts().lost, 4U * kReads - events);
}

}  // namespace
}  // namespace llm_edge_cache::engine
