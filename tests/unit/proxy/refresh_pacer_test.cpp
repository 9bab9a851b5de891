#include "proxy/refresh_pacer.hpp"

#include <gtest/gtest.h>

#include "base/sha256.hpp"

namespace llm_edge_cache::proxy::refresh_pacer_test {
namespace {

constexpr UnixMillis kNow = 1'700'000'000'000;
constexpr auto kInterval = RefreshPacer::kIntervalMs;

TEST(RefreshPacerTest, starts_a_key_once_in_an_interval) {
  RefreshPacer pacer;
  EXPECT_TRUE(pacer.may_start(sha256("a"), kNow));
  EXPECT_FALSE(pacer.may_start(sha256("a"), kNow));
  EXPECT_FALSE(pacer.may_start(sha256("a"), kNow + kInterval - 1));
  EXPECT_TRUE(pacer.may_start(sha256("a"), kNow + kInterval));
}

TEST(RefreshPacerTest, other_keys_do_not_wait) {
  RefreshPacer pacer;
  EXPECT_TRUE(pacer.may_start(sha256("a"), kNow));
  EXPECT_TRUE(pacer.may_start(sha256("b"), kNow));
}

TEST(RefreshPacerTest, a_clock_that_is_set_back_keeps_nobody_waiting) {
  RefreshPacer pacer;
  EXPECT_TRUE(pacer.may_start(sha256("a"), kNow));
  EXPECT_TRUE(pacer.may_start(sha256("a"), kNow - 3'600'000));
}

TEST(RefreshPacerTest, forgets_keys_rather_than_grow) {
  RefreshPacer pacer;
  for (std::size_t i = 0; i < 4 * RefreshPacer::kSlots; ++i) {
    EXPECT_TRUE(pacer.may_start(sha256(std::to_string(i)), kNow));
  }
}

}  // namespace
}  // namespace llm_edge_cache::proxy::refresh_pacer_test
