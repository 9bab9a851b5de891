#include "core/key_builder.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "base/sha256.hpp"

namespace llm_edge_cache {
namespace {

using LibraryKey = KeyBuilder<LibraryField>;
using ProxyKey = KeyBuilder<ProxyField>;

template <class Builder, class Field, class Value>
concept Takes = requires(Builder& key, Field field, Value value) { key.add(field, value); };

template <class Builder>
concept FinishesAsLvalue = requires(Builder& key) { key.finish(); };

// Misuse does not compile.
static_assert(Takes<LibraryKey, LibraryField, std::string>);
static_assert(Takes<LibraryKey, LibraryField, std::int64_t>);
static_assert(!Takes<LibraryKey, ProxyField, std::string>);
static_assert(!Takes<ProxyKey, LibraryField, std::string>);
static_assert(!Takes<LibraryKey, int, std::string>);
static_assert(!Takes<LibraryKey, LibraryField, double>);
static_assert(!Takes<LibraryKey, LibraryField, bool>);
static_assert(!Takes<LibraryKey, LibraryField, char>);
static_assert(!FinishesAsLvalue<LibraryKey>);
static_assert(!std::is_copy_constructible_v<LibraryKey>);

std::string little_endian(std::uint64_t number) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) {
    bytes += static_cast<char>(number >> (8 * i) & 0xFFU);
  }
  return bytes;
}

std::string field(char tag, const std::string& bytes) {
  return tag + little_endian(bytes.size()) + bytes;
}

KeyDigest prompt_key(std::string_view prompt) {
  LibraryKey key;
  key.add(LibraryField::kPrompt, prompt);
  return std::move(key).finish();
}

TEST(KeyBuilderTest, hashes_the_documented_bytes) {
  LibraryKey key;
  key.add(LibraryField::kModel, "gpt-4o");
  key.add(LibraryField::kTemperatureHundredths, std::int64_t{-1});
  key.add(LibraryField::kMaxTokens, std::uint32_t{256});
  EXPECT_EQ(std::move(key).finish(),
            sha256("llm-edge-cache key\x01L" + field(2, "gpt-4o") +
                   field(4, little_endian(~std::uint64_t{0})) + field(5, little_endian(256))));
}

TEST(KeyBuilderTest, values_of_any_length_hash_as_one_stream) {
  // Around the size of the builder's buffer, where it starts to hash in parts.
  for (const std::size_t size :
       {0U, 1U, 1'000U, 2'018U, 2'019U, 2'020U, 2'047U, 2'048U, 2'049U, 4'096U, 100'000U}) {
    const std::string prompt(size, 'x');
    LibraryKey key;
    key.add(LibraryField::kPrompt, prompt);
    key.add(LibraryField::kModel, prompt);
    key.add(LibraryField::kMaxTokens, 7);
    EXPECT_EQ(std::move(key).finish(), sha256("llm-edge-cache key\x01L" + field(3, prompt) +
                                              field(2, prompt) + field(5, little_endian(7))))
        << size;
  }
}

TEST(KeyBuilderTest, bytes_cannot_move_between_fields) {
  const auto key = [](std::string_view model, std::string_view prompt) {
    LibraryKey builder;
    builder.add(LibraryField::kModel, model);
    builder.add(LibraryField::kPrompt, prompt);
    return std::move(builder).finish();
  };
  EXPECT_NE(key("ab", "c"), key("a", "bc"));
  EXPECT_NE(key("ab", ""), key("", "ab"));
  EXPECT_NE(key("a|b", "c"), key("a", "b|c"));
  EXPECT_EQ(key("a", "b"), key("a", "b"));
}

TEST(KeyBuilderTest, a_value_cannot_imitate_a_field) {
  LibraryKey two;
  two.add(LibraryField::kModel, "m");
  two.add(LibraryField::kPrompt, "p");
  LibraryKey one;
  one.add(LibraryField::kModel, "m" + field(3, "p"));
  EXPECT_NE(std::move(two).finish(), std::move(one).finish());
}

TEST(KeyBuilderTest, an_empty_field_differs_from_none) {
  EXPECT_NE(prompt_key(""), LibraryKey().finish());
}

TEST(KeyBuilderTest, kinds_of_request_never_share_a_key) {
  EXPECT_NE(LibraryKey().finish(), ProxyKey().finish());
  ProxyKey proxy;
  proxy.add(ProxyField::kUpstream, "x");
  EXPECT_NE(std::move(proxy).finish(), prompt_key("x"));
}

TEST(KeyBuilderTest, zero_bytes_count) {
  EXPECT_NE(prompt_key(std::string("a\0", 2)), prompt_key("a"));
}

}  // namespace
}  // namespace llm_edge_cache
