#include "core/built_in_dictionary.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/entry_codec.hpp"
#include "core/entry_format.hpp"
#include "core/little_endian.hpp"
#include "tests/unit/core/entry_samples.hpp"

namespace llm_edge_cache {
namespace {

Entry answer(const std::string& content) {
  auto entry = sample_entry();
  entry.response.content = content;
  return entry;
}

std::size_t stored_bytes(const Entry& entry, const EntryFormat& format) {
  return encode_entry(sample_key(), entry, format)->size();
}

// The bytes are part of the format: what was stored with others could not be read any more.
TEST(BuiltInDictionaryTest, is_the_pinned_one) {
  EXPECT_EQ(built_in_dictionary()->id(), 0x7debefbf0e04955eU);
}

TEST(BuiltInDictionaryTest, is_written_with_where_no_other_is_named) {
  const auto format = EntryFormat::of(L2Config());
  ASSERT_TRUE(format.ok());
  EXPECT_EQ(format->dictionary, built_in_dictionary());
  const auto frame = *encode_entry(sample_key(), sample_entry(2'000), *format);
  EXPECT_EQ(frame[5], 5);  // compressed, with a dictionary
  EXPECT_EQ(get_little_endian<std::uint64_t>(&frame[32]), built_in_dictionary()->id());
}

TEST(BuiltInDictionaryTest, is_read_whichever_dictionary_is_written_with) {
  const auto frame =
      *encode_entry(sample_key(), sample_entry(2'000), {.dictionary = built_in_dictionary()});
  for (const auto& reader : {EntryFormat(), EntryFormat{.dictionary = sample_dictionary()}}) {
    const auto entry = decode_entry(sample_key(), frame, reader);
    ASSERT_TRUE(entry.ok()) << entry.error().message;
    EXPECT_EQ(**entry, sample_entry(2'000));
  }
}

TEST(BuiltInDictionaryTest, shortens_the_answers_of_either_provider) {
  const std::string words = " Some words of an answer that nobody has seen before, of this length.";
  const auto chat = answer(
      R"({"id":"chatcmpl-AbCdEfGh0123","object":"chat.completion","created":1723456789,)"
      R"("model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":")" +
      words + R"(","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":)" +
      R"({"prompt_tokens":19,"completion_tokens":210,"total_tokens":229}})");
  const auto message =
      answer(R"({"id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant",)"
             R"("model":"claude-sonnet-4-0","content":[{"type":"text","text":")" +
             words + R"("}],"stop_reason":"end_turn","stop_sequence":null,"usage":)" +
             R"({"input_tokens":12,"output_tokens":6}})");
  const auto stream = answer(
      "event: content_block_delta\ndata: "
      R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":")" +
      words + "\"}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
  const EntryFormat with{.compress_over_bytes = 0, .dictionary = built_in_dictionary()};
  for (const auto& entry : {chat, message, stream}) {
    EXPECT_LT(stored_bytes(entry, with), stored_bytes(entry, {.compress_over_bytes = 0}) * 2 / 3)
        << entry.response.content;
    EXPECT_EQ(**decode_entry(sample_key(), *encode_entry(sample_key(), entry, with)), entry);
  }
}

}  // namespace
}  // namespace llm_edge_cache
