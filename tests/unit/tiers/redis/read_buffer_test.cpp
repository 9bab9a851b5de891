#include "tiers/redis/read_buffer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace llm_edge_cache::redis {
namespace {

void append(ReadBuffer& buffer, std::string_view bytes) {
  const auto room = buffer.prepare(bytes.size());
  ASSERT_GE(room.size(), bytes.size());
  bytes.copy(room.data(), bytes.size());
  buffer.commit(bytes.size());
}

TEST(ReadBufferTest, gives_bytes_in_the_order_they_came) {
  ReadBuffer buffer;
  EXPECT_EQ(buffer.data(), "");
  append(buffer, "hello ");
  append(buffer, "world");
  buffer.consume(3);
  EXPECT_EQ(buffer.data(), "lo world");
}

TEST(ReadBufferTest, keeps_what_is_held_when_it_grows_and_when_it_moves) {
  ReadBuffer buffer;
  append(buffer, "xxkeep");
  buffer.consume(2);
  append(buffer, std::string(3 * ReadBuffer::kMinBytes, 'a'));
  EXPECT_EQ(buffer.data().substr(0, 5), "keepa");
  const std::size_t capacity = buffer.capacity();
  buffer.consume(2 * ReadBuffer::kMinBytes);
  append(buffer, std::string(ReadBuffer::kMinBytes, 'b'));
  EXPECT_EQ(buffer.capacity(), capacity);
  EXPECT_EQ(buffer.data().back(), 'b');
  EXPECT_EQ(buffer.data().size(), 2 * ReadBuffer::kMinBytes + 4);
}

TEST(ReadBufferTest, gives_a_large_buffer_back_once_it_is_empty) {
  ReadBuffer buffer;
  append(buffer, std::string(2 * ReadBuffer::kMaxIdleBytes, 'a'));
  buffer.consume(buffer.data().size());
  append(buffer, "b");
  EXPECT_EQ(buffer.capacity(), ReadBuffer::kMinBytes);
  EXPECT_EQ(buffer.data(), "b");
}

TEST(ReadBufferTest, uses_its_whole_room_again_once_it_is_empty) {
  ReadBuffer buffer;
  for (int i = 0; i < 100; ++i) {
    append(buffer, std::string(ReadBuffer::kMinBytes, 'a'));
    buffer.consume(ReadBuffer::kMinBytes);
  }
  EXPECT_EQ(buffer.capacity(), ReadBuffer::kMinBytes);
}

}  // namespace
}  // namespace llm_edge_cache::redis
