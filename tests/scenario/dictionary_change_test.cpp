// Dictionaries that `dict train` makes, and how one takes the place of another.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/sha256.hpp"
#include "tests/scenario/rotation_fixture.hpp"

namespace llm_edge_cache::test {
namespace {

class DictionaryChangeTest : public RotationTest {
 protected:
  // Of answers like the provider's, with words of that subject.
  std::string trained(const std::string& subject) {
    std::string lines;
    for (int i = 0; i < 200; ++i) {
      const auto number = std::to_string(i * 7'919 % 1'000);
      auto payload = chat_answer("answer " + number + " of " + subject + " and " + subject);
      lines += R"({"model":"gpt-4o","content_type":"application/json","finish_reason":"stop",)"
               R"("payload":")";
      for (const char c : payload) lines.append(c == '"' ? "\\" : "").push_back(c);
      lines += "\"}\n";
    }
    const auto samples = written(subject + ".jsonl", lines);
    const auto dictionary = (dir_.path() / (subject + ".dict")).string();
    const auto ended = run_program(
        {"dict", "train", "--from", samples, "--output", dictionary, "--max-bytes", "2048"});
    EXPECT_EQ(ended.status, 0) << ended.error;
    return dictionary;
  }
  static Words writes(const std::string& dictionary) {
    return {"--l2-dictionary-file", dictionary};
  }
  static Words writes_and_reads(const std::string& dictionary, const std::string& old_one) {
    return {"--l2-dictionary-file", dictionary, "--l2-old-dictionary-file", old_one};
  }
  // docs/format.md: a flag, and behind the head the first bytes of the file's digest.
  void expect_stored_with(const std::string& dictionary) {
    std::ifstream in(dictionary, std::ios::binary);
    const std::string file{std::istreambuf_iterator<char>(in), {}};
    const auto digest = sha256(file);
    const auto bytes = stored_bytes();
    ASSERT_GE(bytes.size(), 40U);
    EXPECT_EQ(bytes[5] & 5, 5) << "compressed, with a dictionary";
    EXPECT_EQ(std::memcmp(bytes.data() + 32, digest.bytes.data(), 8), 0);
  }

  const std::string rivers_ = trained("rivers");
  const std::string mountains_ = trained("mountains");
};

TEST_F(DictionaryChangeTest, while_the_former_dictionary_is_at_hand_its_entries_are_hits) {
  store(started(writes(rivers_)), "one");
  expect_stored_with(rivers_);
  expect_found(started(writes_and_reads(mountains_, rivers_)), "one");
}

TEST_F(DictionaryChangeTest, once_the_former_dictionary_is_dropped_its_entries_are_counted_misses) {
  store(started(writes(rivers_)), "one");
  store(started(writes(rivers_)), "two");
  expect_counted_miss(started(writes(mountains_)), "one");
  expect_counted_miss(started(), "two");
}

TEST_F(DictionaryChangeTest, with_two_dictionaries_at_hand_only_the_first_writes) {
  store(started(writes_and_reads(mountains_, rivers_)), "one");
  expect_stored_with(mountains_);
  expect_found(started(writes(mountains_)), "one");
}

TEST_F(DictionaryChangeTest, entries_of_the_built_in_dictionary_are_hits_whatever_is_configured) {
  store(started(), "one");
  ASSERT_EQ(stored_bytes()[5] & 5, 5);
  expect_found(started(writes(rivers_)), "one");
  expect_found(started(writes_and_reads(mountains_, rivers_)), "one");
}

// The operator trains anew into the file that is configured, and forgets to keep the former one.
TEST_F(DictionaryChangeTest,
       a_dictionary_that_was_trained_anew_is_another_one_under_the_same_name) {
  store(started(writes(rivers_)), "one");
  std::filesystem::copy_file(mountains_, rivers_,
                             std::filesystem::copy_options::overwrite_existing);
  expect_counted_miss(started(writes(rivers_)), "one");
}

TEST_F(DictionaryChangeTest, a_dictionary_and_a_key_change_together) {
  const auto a = written("a.key", std::string(64, 'a'));
  const auto b = written("b.key", std::string(64, 'b'));
  store(started({"--l2-dictionary-file", rivers_, "--l2-encryption-key-file", a}), "one");
  const Words both = {
      "--l2-dictionary-file",     mountains_, "--l2-old-dictionary-file",     rivers_,
      "--l2-encryption-key-file", b,          "--l2-encryption-old-key-file", a};
  expect_found(started(both), "one");
  expect_counted_miss(started({"--l2-dictionary-file", mountains_, "--l2-encryption-key-file", b}),
                      "one");
}

}  // namespace
}  // namespace llm_edge_cache::test
