#include <cstddef>
#include <random>

#include "tests/conformance/tier_fixture.hpp"

namespace llm_edge_cache::test {
namespace {

class TierPayloadTest : public TierFixture {
 protected:
  void expect_kept(const EntryPtr& entry) {
    put(key_of(1), entry);
    const auto found = get(key_of(1));
    ASSERT_NE(found, nullptr);
    EXPECT_TRUE(*found == *entry);  // not EXPECT_EQ: megabytes in a message help nobody
  }
  // Does not compress.
  static std::string random_bytes(std::size_t size) {
    std::mt19937_64 random(size);
    std::string bytes(size, '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    return bytes;
  }
};
INSTANTIATE_TEST_SUITE_P(Tiers, TierPayloadTest, ::testing::ValuesIn(all_tiers()), tier_name);

TEST_P(TierPayloadTest, keeps_every_field) {
  auto entry = std::make_shared<Entry>(*fresh("content"));
  entry->status = 203;
  entry->content_type = "text/event-stream";
  entry->finish_reason = "tool_calls";
  entry->stale_until_ms = entry->expires_ms + 5;
  entry->tags = {"team-a", "", "r\xC3\xA9sum\xC3\xA9"};
  expect_kept(entry);
}

TEST_P(TierPayloadTest, keeps_an_entry_without_usage_or_content) {
  auto entry = std::make_shared<Entry>();
  entry->expires_ms = clock->now_ms() + 60'000;
  expect_kept(entry);
}

TEST_P(TierPayloadTest, keeps_all_byte_values) {
  std::string content;
  for (int round = 0; round < 3; ++round) {
    for (int byte = 0; byte < 256; ++byte) content.push_back(static_cast<char>(byte));
  }
  expect_kept(fresh(content));
}

TEST_P(TierPayloadTest, keeps_what_looks_like_a_protocol) {
  expect_kept(fresh("$-1\r\n*2\r\n$3\r\nGET\r\n+OK\r\n-ERR no\r\n:1\r\n"));
  expect_kept(fresh("data: {\"x\":1}\n\ndata: [DONE]\n\n"));
}

TEST_P(TierPayloadTest, keeps_entries_around_the_size_where_compression_begins) {
  for (const std::size_t size : {1U, 1'022U, 1'023U, 1'024U, 1'025U, 4'096U}) {
    expect_kept(fresh(std::string(size, 'a')));
    expect_kept(fresh(random_bytes(size)));
  }
}

TEST_P(TierPayloadTest, keeps_large_entries) {
  expect_kept(fresh(random_bytes(4U << 20U)));
  expect_kept(fresh(std::string(7U << 20U, 'a')));
}

TEST_P(TierPayloadTest, keeps_many_entries_of_all_sizes_apart) {
  constexpr std::uint64_t kEntries = 300;
  for (std::uint64_t i = 0; i < kEntries; ++i) tier->put(key_of(i), fresh(random_bytes(i * 37)));
  flush();
  for (std::uint64_t i = 0; i < kEntries; ++i) {
    const auto found = get(key_of(i));
    ASSERT_NE(found, nullptr) << i;
    ASSERT_TRUE(found->response.content == random_bytes(i * 37)) << i;
  }
}

}  // namespace
}  // namespace llm_edge_cache::test
