#include "base/sha256.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace llm_edge_cache {
namespace {

// FIPS 180-4's own examples.
constexpr std::string_view kAbcDigest =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view kEmptyDigest =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Sha256Test, hashes_the_standard_vectors) {
  EXPECT_EQ(to_hex(sha256("abc")), kAbcDigest);
  EXPECT_EQ(to_hex(sha256("")), kEmptyDigest);
  EXPECT_EQ(to_hex(sha256({})), kEmptyDigest);
  EXPECT_EQ(to_hex(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Test, pieces_hash_as_the_whole) {
  const std::string text(1000, 'x');
  for (const std::size_t piece : {1U, 63U, 64U, 65U, 999U, 1000U}) {
    Sha256 hash;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      hash.update(std::string_view(text).substr(at, piece));
    }
    EXPECT_EQ(std::move(hash).finish(), sha256(text)) << piece;
  }
}

TEST(Sha256Test, digests_on_one_thread_do_not_disturb_each_other) {
  Sha256 first;
  first.update("a");
  Sha256 second;
  second.update("x");
  first.update("b");
  EXPECT_EQ(to_hex(sha256("abc")), kAbcDigest);
  second.update("yz");
  first.update("c");
  EXPECT_EQ(to_hex(std::move(first).finish()), kAbcDigest);
  EXPECT_EQ(std::move(second).finish(), sha256("xyz"));
}

TEST(Sha256Test, an_abandoned_digest_leaves_nothing_behind) {
  {
    Sha256().update("left behind");
  }
  Sha256 hash;
  hash.update("abc");
  EXPECT_EQ(to_hex(std::move(hash).finish()), kAbcDigest);
}

TEST(Sha256Test, moves_to_another_thread) {
  Sha256 hash;
  hash.update("ab");
  std::string hex;
  std::thread([&hex, hash = std::move(hash)]() mutable {
    hash.update("c");
    hex = to_hex(std::move(hash).finish());
  }).join();
  EXPECT_EQ(hex, kAbcDigest);
}

TEST(Sha256Test, threads_hash_at_the_same_time) {
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (auto& count : wrong) {
    threads.emplace_back([&count] {
      for (int i = 0; i < 200; ++i) {
        count += to_hex(sha256("abc")) != kAbcDigest;
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, std::vector<int>(4));
}

TEST(HmacSha256Test, signs_the_vectors_of_rfc_4231) {
  EXPECT_EQ(to_hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(std::string(131, '\xaa'),
                               "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacSha256Test, an_empty_secret_is_a_secret_of_its_own) {
  const auto with_secret = hmac_sha256("Jefe", "data");
  const auto without = hmac_sha256("", "data");
  EXPECT_NE(with_secret, without);
  EXPECT_EQ(without, hmac_sha256({}, "data"));
  EXPECT_EQ(to_hex(hmac_sha256("", "")),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

}  // namespace
}  // namespace llm_edge_cache
