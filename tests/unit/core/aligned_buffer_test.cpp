#include "core/aligned_buffer.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace llm_edge_cache {
namespace {

TEST(AlignedBufferTest, is_aligned_to_eight_bytes) {
  AlignedBuffer buffer;
  for (const std::size_t bytes : {0U, 1U, 100U, 100'000U}) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.reserve(bytes)) % 8, 0U) << bytes;
  }
}

TEST(AlignedBufferTest, keeps_its_place_until_it_is_trimmed) {
  AlignedBuffer buffer;
  char* const first = buffer.reserve(5'000);
  EXPECT_FALSE(buffer.trim(1U << 20U));
  EXPECT_EQ(buffer.reserve(10), first);
  EXPECT_TRUE(buffer.trim(1'000));
  buffer.reserve(10)[9] = 'x';
}

TEST(AlignedBufferTest, keeps_its_bytes_when_it_grows) {
  AlignedBuffer buffer;
  buffer.reserve(10)[9] = 'x';
  EXPECT_EQ(buffer.reserve(100'000)[9], 'x');
}

}  // namespace
}  // namespace llm_edge_cache
