#include "http/stream_writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace llm_edge_cache::http {
namespace {

std::string first_bytes(const OutputQueue& queue) {
  OutputQueue::Buffers buffers;
  std::string bytes;
  const std::size_t filled = queue.fill(buffers);
  for (std::size_t i = 0; i < filled; ++i) {
    bytes.append(static_cast<const char*>(buffers[i].data()), buffers[i].size());
  }
  return bytes;
}

TEST(OutputQueueTest, bytes_leave_in_order_and_in_any_portions) {
  OutputQueue queue;
  std::string expected;
  for (int i = 0; i < 30; ++i) {
    queue.push_copy(std::to_string(i));
    expected += std::to_string(i);
  }
  EXPECT_EQ(queue.size(), expected.size());
  std::string sent;
  for (std::size_t portion = 1; !queue.empty(); portion = portion % 5 + 1) {
    const std::string bytes = first_bytes(queue);
    const std::size_t take = std::min(portion, bytes.size());
    sent += bytes.substr(0, take);
    queue.consume(take);
  }
  EXPECT_EQ(sent, expected);
}

TEST(OutputQueueTest, shared_bytes_are_neither_copied_nor_held_longer_than_needed) {
  const auto owner = std::make_shared<const std::string>("shared");
  OutputQueue queue;
  queue.push(SharedBytes(owner, *owner));
  OutputQueue::Buffers buffers;
  ASSERT_EQ(queue.fill(buffers), 1U);
  EXPECT_EQ(buffers[0].data(), owner->data());
  queue.consume(2);
  EXPECT_EQ(first_bytes(queue), "ared");
  queue.consume(4);
  EXPECT_EQ(owner.use_count(), 1);
}

TEST(OutputQueueTest, empty_pieces_are_none) {
  OutputQueue queue;
  queue.push_copy("");
  queue.push(SharedBytes());
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(first_bytes(queue), "");
}

TEST(SharedBytesTest, views_share_one_owner) {
  SharedBytes bytes("some text");
  const SharedBytes tail = bytes.from(5);
  bytes = SharedBytes();
  EXPECT_EQ(tail.view(), "text");
  EXPECT_EQ(SharedBytes::of_static("fixed").size(), 5U);
  EXPECT_TRUE(SharedBytes().empty());
}

}  // namespace
}  // namespace llm_edge_cache::http
