#include "dict/dictionary_training.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include "core/entry_codec.hpp"
#include "core/entry_dictionary.hpp"
#include "mock_provider/mock_text.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::app {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kDictionaryBytes = 8'192;

Entry answer(std::uint64_t seed) {
  MockRandom random(seed);
  Entry entry;
  entry.response.content = fmt::format(
      R"({{"id":"chatcmpl-{}","choices":[{{"message":{{"role":"assistant","content":"{}"}}}}]}})",
      seed, mock_sentence(random, 60));
  return entry;
}

AnswerSamples answers(std::uint64_t count) {
  AnswerSamples samples;
  for (std::uint64_t i = 0; i < count; ++i) EXPECT_TRUE(samples.add(answer(i)));
  return samples;
}

TEST(DictionaryTrainingTest, what_is_trained_makes_other_answers_shorter) {
  const auto trained = train_dictionary(answers(500), kDictionaryBytes);
  ASSERT_TRUE(trained.ok()) << trained.error().message;
  EXPECT_LE(trained->bytes.size(), kDictionaryBytes);
  EXPECT_EQ(trained->trained_on, 450U);
  EXPECT_EQ(trained->tried_on, 50U);
  EXPECT_LT(trained->with_built_in_bytes, trained->tried_bytes);
  EXPECT_LT(trained->with_dictionary_bytes, trained->with_built_in_bytes * 3 / 4);
}

TEST(DictionaryTrainingTest, the_same_answers_make_the_same_dictionary) {
  const auto first = train_dictionary(answers(100), kDictionaryBytes);
  EXPECT_EQ(first->bytes, train_dictionary(answers(100), kDictionaryBytes)->bytes);
  EXPECT_NE(first->id, train_dictionary(answers(101), kDictionaryBytes)->id);
}

TEST(DictionaryTrainingTest, too_few_answers_are_refused) {
  const auto trained = train_dictionary(answers(kFewestTrainingAnswers - 1), kDictionaryBytes);
  ASSERT_FALSE(trained.ok());
  EXPECT_EQ(trained.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(trained.error().message, HasSubstr("19 answers are too few"));
}

class DictionaryFileTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string file() const { return (folder_.path() / "dictionary").string(); }

  test::TempDir folder_;
};

TEST_F(DictionaryFileTest, a_written_dictionary_serves_entries) {
  const auto trained = train_dictionary(answers(100), kDictionaryBytes);
  ASSERT_TRUE(write_dictionary(file(), trained->bytes).ok());
  const auto dictionary = EntryDictionary::load(file());
  ASSERT_TRUE(dictionary.ok()) << dictionary.error().message;
  EXPECT_EQ((*dictionary)->id(), trained->id);
  const EntryFormat format{.compress_over_bytes = 0, .dictionary = *dictionary};
  const auto encoded = encode_entry({}, answer(1'000), format);
  EXPECT_EQ(**decode_entry({}, *encoded, format), answer(1'000));
}

TEST_F(DictionaryFileTest, is_its_owners_alone_and_replaced_as_a_whole) {
  ASSERT_TRUE(write_dictionary(file(), "a longer one").ok());
  ASSERT_TRUE(write_dictionary(file(), "another").ok());
  struct stat status{};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(status.st_size, 7);
  const std::filesystem::directory_iterator files(folder_.path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST_F(DictionaryFileTest, a_place_that_cannot_be_written_is_told) {
  const auto status = write_dictionary("/no/such/folder/dictionary", "x");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
  EXPECT_THAT(status.error().message, HasSubstr("/no/such/folder/dictionary"));
}

}  // namespace
}  // namespace llm_edge_cache::app
