#include "core/entry_cipher.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/core/entry_samples.hpp"

namespace llm_edge_cache {
namespace {

EntryCipher::Nonce published_nonce() {
  EntryCipher::Nonce nonce;
  std::ranges::copy(std::string_view("ABCDEFGHIJKLMNOPQRSTUVWX"), nonce.begin());
  return nonce;
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4U];
    text += kDigits[static_cast<unsigned char>(byte) & 0xFU];
  }
  return text;
}

std::string sealed(std::uint8_t key, std::string_view associated) {
  std::string text = "XAES-256-GCM";
  const auto tag = sample_cipher(key)->seal(published_nonce(), associated, text);
  return hex(text + std::string(tag.data(), tag.size()));
}

// The vectors of the specification: a key whose CMAC subkey has no carry, and one that has.
TEST(EntryCipherTest, agrees_with_the_published_vectors) {
  EXPECT_EQ(sealed(1, ""), "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271");
  EXPECT_EQ(sealed(3, "c2sp.org/XAES-256-GCM"),
            "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d");
}

class EntryCipherOpenTest : public ::testing::Test {
 protected:
  EntryCipherOpenTest() : tag_(cipher_->seal(sample_nonce(), "context", bytes_)) {}

  [[nodiscard]] bool opens(const EntryCipher& cipher, const EntryCipher::Nonce& nonce,
                           std::string_view associated, const EntryCipher::Tag& tag,
                           std::string_view bytes) {
    out_.assign(bytes.size(), '?');
    return cipher.open(nonce, associated, tag, bytes, out_.data());
  }

  const std::shared_ptr<const EntryCipher> cipher_ = sample_cipher();
  std::string bytes_ = "an answer";
  const EntryCipher::Tag tag_;
  std::string out_;
};

TEST_F(EntryCipherOpenTest, what_belongs_together_opens) {
  EXPECT_NE(bytes_, "an answer");
  ASSERT_TRUE(opens(*cipher_, sample_nonce(), "context", tag_, bytes_));
  EXPECT_EQ(out_, "an answer");
}

TEST_F(EntryCipherOpenTest, what_does_not_belong_together_leaves_zeros) {
  const auto refused = [&] { return out_ == std::string(out_.size(), '\0'); };
  auto nonce = sample_nonce();
  nonce[0] ^= 1;
  EXPECT_FALSE(opens(*cipher_, nonce, "context", tag_, bytes_));
  EXPECT_TRUE(refused());
  nonce = sample_nonce();
  nonce[23] ^= 1;
  EXPECT_FALSE(opens(*cipher_, nonce, "context", tag_, bytes_));
  EXPECT_FALSE(opens(*cipher_, sample_nonce(), "Context", tag_, bytes_));
  EXPECT_TRUE(refused());
  auto tag = tag_;
  tag[15] ^= 1;
  EXPECT_FALSE(opens(*cipher_, sample_nonce(), "context", tag, bytes_));
  auto bytes = bytes_;
  bytes[0] ^= 1;
  EXPECT_FALSE(opens(*cipher_, sample_nonce(), "context", tag_, bytes));
  EXPECT_FALSE(opens(*sample_cipher(8), sample_nonce(), "context", tag_, bytes_));
  EXPECT_TRUE(refused());
  EXPECT_TRUE(opens(*cipher_, sample_nonce(), "context", tag_, bytes_));
}

TEST(EntryCipherTest, seals_nothing_at_all) {
  std::string empty;
  const auto tag = sample_cipher()->seal(sample_nonce(), "", empty);
  EXPECT_TRUE(sample_cipher()->open(sample_nonce(), "", tag, "", empty.data()));
  EXPECT_FALSE(sample_cipher()->open(sample_nonce(), "x", tag, "", empty.data()));
}

TEST(EntryCipherTest, keys_have_ids_of_their_own_that_stay) {
  std::set<std::uint32_t> ids;
  for (int byte = 0; byte < 256; ++byte) {
    ids.insert(sample_cipher(static_cast<std::uint8_t>(byte))->key_id());
  }
  EXPECT_EQ(ids.size(), 256U);
  EXPECT_EQ(sample_cipher(7)->key_id(), 0xD2A0EAD1U);  // as in v2_encrypted.bin
}

TEST(EntryCipherTest, nonces_do_not_repeat) {
  std::set<EntryCipher::Nonce> nonces;
  for (int i = 0; i < 1'000; ++i) {
    nonces.insert(EntryCipher::random_nonce());
  }
  EXPECT_EQ(nonces.size(), 1'000U);
}

TEST(EntryCipherTest, threads_use_one_cipher_at_the_same_time) {
  const auto cipher = sample_cipher();
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (auto& count : wrong) {
    threads.emplace_back([&cipher, &count] {
      for (int i = 0; i < 200; ++i) {
        const std::string text(static_cast<std::size_t>(i), 'x');
        auto bytes = text;
        const auto nonce = EntryCipher::random_nonce();
        const auto tag = cipher->seal(nonce, text, bytes);
        std::string out(bytes.size(), '\0');
        count += cipher->open(nonce, text, tag, bytes, out.data()) && out == text ? 0 : 1;
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, std::vector<int>(4));
}

}  // namespace
}  // namespace llm_edge_cache
