// Tags through the library's front door, over a real Redis.
#include <future>

#include "tests/unit/api/l2_fixture.hpp"

namespace llm_edge_cache::test {
namespace {

class TagsTest : public L2Test {
 protected:
  static void store(const CacheManager& cache, const std::string& prompt, StoreOptions options) {
    ASSERT_TRUE(cache.store(asking(prompt), answering(prompt), options).ok());
    ASSERT_TRUE(cache.flush(10'000).ok());
  }
  static bool has(const CacheManager& cache, const std::string& prompt) {
    return cache.lookup(asking(prompt)).value().is_hit();
  }
};

TEST_F(TagsTest, a_purge_ends_what_was_stored_under_the_tag_for_all_who_share_the_store) {
  const auto cache = make();
  store(cache, "one", StoreOptions().with_tags({"a", "b"}));
  store(cache, "two", {.ttl_ms = {}, .tags = {"b"}});
  store(cache, "three", {});
  const auto other = make();
  EXPECT_TRUE(has(other, "one"));
  ASSERT_TRUE(cache.purge_tag("a").ok());
  for (const auto& one : {cache, make()}) {
    EXPECT_FALSE(has(one, "one"));
    EXPECT_TRUE(has(one, "two"));
    EXPECT_TRUE(has(one, "three"));
  }
}

TEST_F(TagsTest, another_managers_answers_under_a_known_tag_are_good) {
  const auto cache = make();
  store(cache, "one", StoreOptions().with_tags({"a"}));
  const auto other = make();
  store(other, "two", StoreOptions().with_tags({"a"}));
  EXPECT_TRUE(has(cache, "two"));
  EXPECT_TRUE(has(other, "one"));
}

TEST_F(TagsTest, a_life_of_its_own_goes_with_tags) {
  const auto cache = make();
  store(cache, "one", StoreOptions().with_ttl_ms(1'000).with_tags({"a"}));
  clock->advance_ms(999);
  EXPECT_TRUE(has(cache, "one"));
  clock->advance_ms(1);
  EXPECT_FALSE(has(cache, "one"));
}

TEST_F(TagsTest, purges_without_blocking) {
  const auto cache = make();
  store(cache, "one", StoreOptions().with_tags({"a"}));
  std::promise<Status> purged;
  cache.async_purge_tag("a", [&](Status status) { purged.set_value(std::move(status)); });
  EXPECT_TRUE(purged.get_future().get().ok());
  EXPECT_FALSE(has(cache, "one"));
}

TEST_F(TagsTest, a_purge_that_the_store_cannot_be_told_fails) {
  const auto cache = make();
  store(cache, "one", StoreOptions().with_tags({"a"}));
  server.kill();
  EXPECT_FALSE(cache.purge_tag("a").ok());
  EXPECT_FALSE(has(cache, "one"));
}

CachedResponse answer() {
  CachedResponse response;
  response.content = "x";
  return response;
}

TEST(TagsWithoutL2Test, hold_in_memory) {
  const CacheManager cache;
  const CacheableRequest request("gpt-4o", "question");
  ASSERT_TRUE(cache.store(request, answer(), StoreOptions().with_tags({"a"})).ok());
  EXPECT_TRUE(cache.lookup(request).value().is_hit());
  ASSERT_TRUE(cache.purge_tag("a").ok());
  EXPECT_FALSE(cache.lookup(request).value().is_hit());
}

TEST(TagsWithoutL2Test, are_bounded_in_number_and_length) {
  const CacheManager cache;
  const CacheableRequest request("gpt-4o", "question");
  const auto stored = [&](std::vector<std::string> tags) {
    return cache.store(request, answer(), StoreOptions().with_tags(std::move(tags)));
  };
  EXPECT_TRUE(stored(std::vector<std::string>(16, "t")).ok());
  EXPECT_EQ(stored(std::vector<std::string>(17, "t")).error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(stored({std::string(64, 't')}).ok());
  EXPECT_EQ(stored({std::string(65, 't')}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(cache.store(request, answer(), StoreOptions().with_ttl_ms(0)).error().code,
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace llm_edge_cache::test
