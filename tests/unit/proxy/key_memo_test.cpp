#include "proxy/key_memo.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "base/sha256.hpp"

namespace llm_edge_cache::proxy {
namespace {

const KeyDigest kHere = sha256("here");
const KeyDigest kElsewhere = sha256("elsewhere");

KeyedRequest request_of(std::string_view name) {
  return {sha256(name), {AnswerForm::kStream, true}};
}

RawRequest raw(std::string_view body) {
  return {kHere, body};
}

std::string long_body(char last) {
  return std::string(RawRequest::kMaxComparedBytes, 'x') + last;
}

TEST(KeyMemoTest, gives_back_what_was_put_in) {
  KeyMemo memo(100);
  memo.insert(raw("raw"), request_of("key"));
  EXPECT_EQ(memo.find(raw("raw")), request_of("key"));
  EXPECT_EQ(memo.find(raw("other")), std::nullopt);
}

TEST(KeyMemoTest, a_long_body_is_known_again_and_no_other_is_taken_for_it) {
  KeyMemo memo(1);
  memo.insert(raw(long_body('a')), request_of("a"));
  EXPECT_EQ(memo.find(raw(long_body('a'))), request_of("a"));
  EXPECT_EQ(memo.find(raw(long_body('b'))), std::nullopt);
}

TEST(KeyMemoTest, the_longest_body_that_is_compared_differs_in_its_last_byte) {
  const std::string shared(RawRequest::kMaxComparedBytes - 1, 'x');
  KeyMemo memo(1);
  memo.insert(raw(shared + 'a'), request_of("a"));
  EXPECT_EQ(memo.find(raw(shared + 'a')), request_of("a"));
  EXPECT_EQ(memo.find(raw(shared + 'b')), std::nullopt);
}

TEST(KeyMemoTest, equal_bodies_in_other_surroundings_are_other_requests) {
  KeyMemo memo(1);
  const auto body = long_body('a');
  memo.insert(raw("short"), request_of("short"));
  EXPECT_EQ(memo.find({kElsewhere, "short"}), std::nullopt);
  memo.insert(raw(body), request_of("long"));
  EXPECT_EQ(memo.find({kElsewhere, body}), std::nullopt);
}

TEST(KeyMemoTest, a_digest_in_the_place_of_surroundings_is_not_the_long_body_it_was_made_of) {
  KeyMemo memo(1);
  const auto body = long_body('a');
  memo.insert(raw(body), request_of("long"));
  Sha256 hash;
  hash.update(kHere.view());
  hash.update(body);
  EXPECT_EQ(memo.find({std::move(hash).finish(), ""}), std::nullopt);
}

TEST(KeyMemoTest, a_slot_holds_the_newest_request_and_never_answers_for_another) {
  KeyMemo memo(1);
  memo.insert(raw("a"), request_of("a"));
  memo.insert(raw("b"), request_of("b"));
  EXPECT_EQ(memo.find(raw("a")), std::nullopt);
  EXPECT_EQ(memo.find(raw("b")), request_of("b"));
}

TEST(KeyMemoTest, nothing_is_there_from_the_start) {
  EXPECT_EQ(KeyMemo(4).find({KeyDigest{}, ""}), std::nullopt);
}

TEST(KeyMemoTest, without_entries_it_remembers_nothing) {
  KeyMemo memo(0);
  memo.insert(raw("a"), request_of("a"));
  EXPECT_EQ(memo.find(raw("a")), std::nullopt);
}

TEST(KeyMemoTest, threads_see_whole_entries) {
  KeyMemo memo(8);
  const auto run = [&memo](std::string_view prefix) {
    for (int i = 0; i < 2'000; ++i) {
      const auto name = std::string(prefix) + std::to_string(i % 20);
      memo.insert(raw(name), request_of(name));
      const auto other = "b" + std::to_string(i % 20);
      if (const auto found = memo.find(raw(other))) {
        EXPECT_EQ(*found, request_of(other));
      }
    }
  };
  std::thread other(run, "a");
  run("b");
  other.join();
}

}  // namespace
}  // namespace llm_edge_cache::proxy
