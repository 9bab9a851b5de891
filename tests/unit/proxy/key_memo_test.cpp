#include "proxy/key_memo.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "base/sha256.hpp"

namespace llm_edge_cache::proxy {
namespace {

KeyedRequest request_of(std::string_view name) {
  return {sha256(name), {AnswerForm::kStream, true}};
}

TEST(KeyMemoTest, gives_back_what_was_put_in) {
  KeyMemo memo(100);
  memo.insert(sha256("raw"), request_of("key"));
  EXPECT_EQ(memo.find(sha256("raw")), request_of("key"));
  EXPECT_EQ(memo.find(sha256("other")), std::nullopt);
}

TEST(KeyMemoTest, a_slot_holds_the_newest_request_and_never_answers_for_another) {
  KeyMemo memo(1);
  memo.insert(sha256("a"), request_of("a"));
  memo.insert(sha256("b"), request_of("b"));
  EXPECT_EQ(memo.find(sha256("a")), std::nullopt);
  EXPECT_EQ(memo.find(sha256("b")), request_of("b"));
}

TEST(KeyMemoTest, the_digest_of_all_zeros_is_not_there_from_the_start) {
  EXPECT_EQ(KeyMemo(4).find(KeyDigest{}), std::nullopt);
}

TEST(KeyMemoTest, without_entries_it_remembers_nothing) {
  KeyMemo memo(0);
  memo.insert(sha256("a"), request_of("a"));
  EXPECT_EQ(memo.find(sha256("a")), std::nullopt);
}

TEST(KeyMemoTest, threads_see_whole_entries) {
  KeyMemo memo(8);
  const auto run = [&memo](std::string_view prefix) {
    for (int i = 0; i < 2'000; ++i) {
      const auto name = std::string(prefix) + std::to_string(i % 20);
      memo.insert(sha256(name), request_of(name));
      const auto other = std::to_string(i % 20);
      if (const auto found = memo.find(sha256("b" + other))) {
        EXPECT_EQ(*found, request_of("b" + other));
      }
    }
  };
  std::thread other(run, "a");
  run("b");
  other.join();
}

}  // namespace
}  // namespace llm_edge_cache::proxy
