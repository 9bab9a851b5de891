// Encryption keys of the second store, and how one takes the place of another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/scenario/rotation_fixture.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class KeyRotationTest : public RotationTest {
 protected:
  static Words writes(const std::string& key) { return {"--l2-encryption-key-file", key}; }
  static Words writes_and_reads(const std::string& key, const std::string& old_key) {
    return {"--l2-encryption-key-file", key, "--l2-encryption-old-key-file", old_key};
  }

  const std::string digits_a_ = std::string(64, 'a');
  const std::string digits_b_ = std::string(64, 'b');
  const std::string a_ = written("a.key", digits_a_ + "\n");
  const std::string b_ = written("b.key", digits_b_ + "\n");
};

TEST_F(KeyRotationTest, while_the_former_key_is_at_hand_its_entries_are_hits) {
  store(started(writes(a_)), "one");
  EXPECT_THAT(stored_bytes(), Not(HasSubstr("answer 1")));
  expect_found(started(writes_and_reads(b_, a_)), "one");
}

TEST_F(KeyRotationTest, once_the_former_key_is_dropped_its_entries_are_counted_misses) {
  store(started(writes(a_)), "one");
  const auto proxy = started(writes(b_));
  expect_counted_miss(proxy, "one");
  EXPECT_THAT(asked(proxy, "one"), HasSubstr("detail=l1"));
}

TEST_F(KeyRotationTest, what_took_a_misss_place_is_written_with_the_new_key) {
  store(started(writes(a_)), "one");
  store(started(writes(b_)), "one");
  expect_found(started(writes(b_)), "one");
  expect_counted_miss(started(writes(a_)), "one");
}

TEST_F(KeyRotationTest, with_two_keys_at_hand_only_the_first_writes) {
  store(started(writes_and_reads(b_, a_)), "one");
  expect_found(started(writes(b_)), "one");
  expect_counted_miss(started(writes(a_)), "one");
}

// The steps of the guide: every proxy can read what any other writes, at every moment.
TEST_F(KeyRotationTest, a_fleet_that_is_rotated_step_by_step_misses_nothing) {
  store(started(writes(a_)), "before");
  store(started(writes_and_reads(a_, b_)), "first step");
  const auto early = started(writes_and_reads(b_, a_));
  const auto late = started(writes_and_reads(a_, b_));
  store(early, "second step");
  expect_found(late, "second step");
  expect_found(early, "first step");
  expect_found(early, "before");
  expect_found(started(writes(b_)), "second step");
}

TEST_F(KeyRotationTest, keys_of_the_environment_rotate_as_those_of_files) {
  const Variables a = {{"LLM_EDGE_CACHE_L2_ENCRYPTION_KEY", digits_a_}};
  const Variables b = {{"LLM_EDGE_CACHE_L2_ENCRYPTION_KEY", digits_b_}};
  auto b_and_a = b;
  b_and_a["LLM_EDGE_CACHE_L2_ENCRYPTION_OLD_KEY"] = digits_a_;
  store(started({}, a), "one");
  expect_found(started({}, b_and_a), "one");
  expect_found(started(writes(a_)), "one");  // the same key, from a file
  expect_counted_miss(started({}, b), "one");
}

TEST_F(KeyRotationTest, what_is_not_encrypted_is_a_miss_with_a_key_and_what_is_one_without) {
  store(started(), "plain");
  const auto with_key = started(writes(a_));
  expect_counted_miss(with_key, "plain");
  store(with_key, "secret");
  expect_counted_miss(started(), "secret");
}

class CheckedKeyTest : public KeyRotationTest {
 protected:
  [[nodiscard]] std::string check(Words more, Variables variables = {}) const {
    Words words = {"serve",         "--check", "--upstream",
                   provider_.url(), "--l2",    "redis://127.0.0.1:1"};
    words.insert(words.end(), more.begin(), more.end());
    const auto ended = run_program(words, "", std::move(variables));
    EXPECT_EQ(ended.status, ended.error.empty() ? 0 : 2);
    EXPECT_THAT(ended.error, AllOf(Not(HasSubstr("aaaa")), Not(HasSubstr("bbbb"))))
        << "no key is in a message";
    return ended.error.empty() ? ended.output : ended.error;
  }
};

TEST_F(CheckedKeyTest, keys_that_can_be_used_are_ok) {
  EXPECT_EQ(check(writes_and_reads(b_, a_)), "ok\n");
  EXPECT_EQ(check({"--l2-encryption-old-key-file", a_},
                  {{"LLM_EDGE_CACHE_L2_ENCRYPTION_KEY", digits_b_}}),
            "ok\n");
}

TEST_F(CheckedKeyTest, a_file_that_is_no_key_is_named_with_what_is_wrong_with_it) {
  const auto missing = (dir_.path() / "missing.key").string();
  EXPECT_THAT(check(writes(missing)), HasSubstr(missing + ": No such file or directory"));
  EXPECT_THAT(check(writes(dir_.path().string())), HasSubstr(dir_.path().string() + ": "));
  const Words texts = {"", digits_a_.substr(1), digits_a_ + "a", digits_a_ + digits_b_,
                       std::string(63, 'a') + "g"};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto file = written("wrong " + std::to_string(i), texts[i]);
    EXPECT_THAT(check(writes(file)), HasSubstr(file + ": an encryption key is 32 bytes"));
    EXPECT_THAT(check(writes_and_reads(a_, file)), HasSubstr(file + ": an encryption key is"));
  }
}

TEST_F(CheckedKeyTest, a_key_that_every_user_can_read_is_refused) {
  const auto open = written("open.key", digits_a_);
  std::filesystem::permissions(open, std::filesystem::perms(0644));
  EXPECT_THAT(check(writes(open)), HasSubstr(open + ": every user can reach this key"));
}

TEST_F(CheckedKeyTest, keys_that_do_not_go_together_are_refused) {
  EXPECT_THAT(check(writes_and_reads(a_, a_)), HasSubstr("must not be the one"));
  EXPECT_THAT(check({"--l2-encryption-old-key-file", a_}), HasSubstr("is of no use without"));
  EXPECT_THAT(check(writes(a_), {{"LLM_EDGE_CACHE_L2_ENCRYPTION_KEY", digits_b_}}),
              HasSubstr("exclude each other"));
  EXPECT_THAT(check({}, {{"LLM_EDGE_CACHE_L2_ENCRYPTION_KEY", "aaaa"}}),
              HasSubstr("LLM_EDGE_CACHE_L2_ENCRYPTION_KEY: an encryption key is 32 bytes"));
}

}  // namespace
}  // namespace llm_edge_cache::test
