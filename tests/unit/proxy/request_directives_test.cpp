#include "proxy/request_directives.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llm_edge_cache::proxy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

RequestDirectives parsed(const http::Headers& headers) {
  const auto directives = parse_request_directives(headers);
  EXPECT_TRUE(directives.ok());
  return directives.ok() ? *directives : RequestDirectives();
}

std::string error_of(const http::Headers& headers) {
  const auto directives = parse_request_directives(headers);
  return directives.ok() ? "" : directives.error().message;
}

TEST(RequestDirectivesTest, nothing_is_asked_for_by_default) {
  EXPECT_EQ(parsed({}), RequestDirectives());
  EXPECT_EQ(parsed({{"cache-control", ""}}), RequestDirectives());
}

TEST(RequestDirectivesTest, reads_every_directive_in_any_case_and_from_several_fields) {
  const auto directives =
      parsed({{"Cache-Control", "No-Store, NO-CACHE"},
              {"cache-control", "only-if-cached,max-age=60"},
              {"cache-control", "max-stale=5, stale-if-error=\"7\", Min-Fresh=3"}});
  EXPECT_TRUE(directives.no_store);
  EXPECT_TRUE(directives.no_cache);
  EXPECT_TRUE(directives.only_if_cached);
  EXPECT_EQ(directives.max_age_s, 60);
  EXPECT_EQ(directives.max_stale_s, 5);
  EXPECT_EQ(directives.stale_if_error_s, 7);
  EXPECT_EQ(directives.min_fresh_s, 3);
}

TEST(RequestDirectivesTest, max_stale_without_a_number_takes_any_age) {
  EXPECT_EQ(parsed({{"cache-control", "max-stale"}}).max_stale_s, kMaxDirectiveSeconds);
}

TEST(RequestDirectivesTest, ignores_what_it_does_not_know) {
  EXPECT_EQ(parsed({{"cache-control", "no-transform, no-store-ish, x=\"no-store\""}}),
            RequestDirectives());
}

TEST(RequestDirectivesTest, a_number_that_is_none_is_the_strictest) {
  for (const auto* value : {"max-age", "max-age=", "max-age=x", "max-age=-1", "max-age=1.5",
                            "max-age=-99999999999999999999"}) {
    EXPECT_EQ(parsed({{"cache-control", value}}).max_age_s, 0) << value;
  }
}

TEST(RequestDirectivesTest, a_freshness_that_is_none_is_more_than_any_answer_has) {
  for (const auto* value : {"min-fresh", "min-fresh=", "min-fresh=x", "min-fresh=-1"}) {
    EXPECT_EQ(parsed({{"cache-control", value}}).min_fresh_s, kMaxDirectiveSeconds) << value;
  }
  EXPECT_EQ(parsed({{"cache-control", "min-fresh=3, min-fresh=9, min-fresh=5"}}).min_fresh_s, 9);
}

TEST(RequestDirectivesTest, the_smallest_of_several_numbers_counts) {
  EXPECT_EQ(parsed({{"cache-control", "max-age=9, max-age=3, max-age=5"}}).max_age_s, 3);
}

TEST(RequestDirectivesTest, a_number_beyond_all_reason_is_a_century) {
  EXPECT_EQ(parsed({{"cache-control", "max-age=99999999999999999999"}}).max_age_s,
            kMaxDirectiveSeconds);
}

TEST(RequestDirectivesTest, pragma_counts_only_without_cache_control) {
  EXPECT_TRUE(parsed({{"pragma", "no-cache"}}).no_cache);
  EXPECT_FALSE(parsed({{"pragma", "no-cache"}, {"cache-control", "max-age=1"}}).no_cache);
}

TEST(RequestDirectivesTest, reads_the_fields_of_our_own) {
  const auto directives = parsed({{"x-llm-cache-ttl", "90"},
                                  {"X-LLM-Cache-Namespace", "team a"},
                                  {"x-llm-cache-tags", "one, two"},
                                  {"x-llm-cache-tags", "three"}});
  EXPECT_EQ(directives.ttl_ms, 90'000U);
  EXPECT_EQ(directives.name_space, "team a");
  EXPECT_THAT(directives.tags, ElementsAre("one", "two", "three"));
}

TEST(RequestDirectivesTest, a_life_that_cannot_be_read_is_an_error_that_names_the_field) {
  for (const auto* value : {"", "x", "-1", "1.5", "60s"}) {
    EXPECT_THAT(error_of({{"x-llm-cache-ttl", value}}), HasSubstr("x-llm-cache-ttl")) << value;
  }
}

TEST(RequestDirectivesTest, contradictions_are_errors) {
  EXPECT_THAT(error_of({{"x-llm-cache-ttl", "1"}, {"x-llm-cache-ttl", "1"}}),
              HasSubstr("more than once"));
  EXPECT_THAT(error_of({{"x-llm-cache-namespace", "a"}, {"x-llm-cache-namespace", "b"}}),
              HasSubstr("more than once"));
}

TEST(RequestDirectivesTest, names_are_bounded) {
  EXPECT_EQ(error_of({{"x-llm-cache-namespace", std::string(kMaxNamespaceBytes, 'n')}}), "");
  EXPECT_NE(error_of({{"x-llm-cache-namespace", std::string(kMaxNamespaceBytes + 1, 'n')}}), "");
  EXPECT_NE(error_of({{"x-llm-cache-tags", std::string(kMaxTagBytes + 1, 't')}}), "");
  EXPECT_EQ(error_of({{"x-llm-cache-tags", std::string(kMaxTagBytes, 't')}}), "");
  EXPECT_EQ(error_of({{"x-llm-cache-tags", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"}}), "");
  EXPECT_EQ(error_of({{"x-llm-cache-tags", "1,2,3,4,5,6,7,8,9"},
                      {"x-llm-cache-tags", "1,2,3,4,5,6,7,8"}}),
            "x-llm-cache-tags may name at most 16 tags of at most 64 bytes");
  EXPECT_NE(error_of({{"x-llm-cache-tags", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"}}), "");
}

TEST(RequestDirectivesTest, a_field_of_ours_that_there_is_none_of_is_an_error) {
  EXPECT_EQ(error_of({{"X-LLM-Cache-Namspace", "a"}}),
            "X-LLM-Cache-Namspace is not a field of this cache");
  EXPECT_NE(error_of({{"x-llm-cache-", "a"}}), "");
  EXPECT_EQ(error_of({{"x-llm-cache-key", "of an answer, sent back"}}), "");
  EXPECT_EQ(error_of({{"x-llm-cache", "another's"}}), "");
}

TEST(RequestDirectivesTest, nothing_of_it_is_left_after_stripping) {
  http::Headers headers = {{"Cache-Control", "no-store"},
                           {"Pragma", "no-cache"},
                           {"X-LLM-Cache-TTL", "1"},
                           {"X-LLM-Cache-Namespace", "a"},
                           {"X-LLM-Cache-Tags", "a"},
                           {"X-LLM-Cache-Other", "a"},
                           {"Accept", "x"}};
  strip_request_directives(headers);
  ASSERT_EQ(headers.size(), 1U);
  EXPECT_EQ(headers[0].name, "Accept");
}

}  // namespace
}  // namespace llm_edge_cache::proxy
