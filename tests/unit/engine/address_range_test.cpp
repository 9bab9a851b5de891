#include "llm_edge_cache/engine/address_range.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace llm_edge_cache::engine {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20U;

TEST(AddressRangeTest, grows_in_place_and_keeps_what_is_there) {
  AddressRange range(64 * kMiB, kMiB);
  range.grow(kMiB);
  std::byte* const start = range.start();
  start[0] = std::byte{7};
  range.grow(16 * kMiB);
  EXPECT_EQ(range.start(), start);
  EXPECT_EQ(start[0], std::byte{7});
  EXPECT_EQ(start[16 * kMiB - 1], std::byte{0});
}

TEST(AddressRangeTest, pages_given_back_stay_usable_and_are_zero) {
  AddressRange range(4 * kMiB, kMiB);
  range.grow(kMiB);
  std::fill_n(range.start(), 3 * kPageBytes, std::byte{1});
  range.give_back(kPageBytes, kPageBytes);
  EXPECT_EQ(range.start()[kPageBytes - 1], std::byte{1});
  EXPECT_EQ(range.start()[kPageBytes], std::byte{0});
  EXPECT_EQ(range.start()[2 * kPageBytes], std::byte{1});
  range.start()[kPageBytes] = std::byte{2};
  EXPECT_EQ(range.start()[kPageBytes], std::byte{2});
}

TEST(AddressRangeTest, cannot_grow_beyond_its_reservation) {
  AddressRange range(kMiB, kMiB);
  EXPECT_THROW(range.grow(kMiB + 1), std::bad_alloc);
  range.grow(kMiB);
  range.start()[kMiB - 1] = std::byte{1};
}

TEST(AddressRangeTest, reserves_more_than_there_is_memory) {
  const AddressRange range(std::size_t{1} << 40U, kMiB);
  EXPECT_GT(range.reserved_bytes(), std::size_t{1} << 32U);
}

// The sanitizers' own shadow is over any limit.
#if !defined(LEC_ENGINE_ASAN) && !defined(LEC_ENGINE_TSAN)
constexpr std::size_t kLimitBytes = std::size_t{8} << 30U;

[[noreturn]] void exit_with_a_range_under_a_limit(std::size_t least_bytes) {
  const rlimit limit = {kLimitBytes, kLimitBytes};
  if (setrlimit(RLIMIT_AS, &limit) != 0) std::exit(3);
  try {
    const AddressRange range(std::size_t{1} << 40U, least_bytes);
    std::exit(range.reserved_bytes() < kLimitBytes && range.reserved_bytes() > kMiB ? 0 : 2);
  } catch (const std::bad_alloc&) {
    std::exit(1);
  }
}

TEST(AddressRangeDeathTest, takes_half_and_half_again_where_addresses_are_limited) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(exit_with_a_range_under_a_limit(kMiB), ::testing::ExitedWithCode(0), "");
}

TEST(AddressRangeDeathTest, fails_where_not_even_the_least_is_to_be_had) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(exit_with_a_range_under_a_limit(2 * kLimitBytes), ::testing::ExitedWithCode(1), "");
}
#endif

}  // namespace
}  // namespace llm_edge_cache::engine
