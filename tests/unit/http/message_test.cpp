#include "http/message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llm_edge_cache::http {
namespace {

TEST(RequestHeadTest, target_is_path_and_query) {
  RequestHead head;
  head.target = "/v1/models?limit=2?x";
  EXPECT_EQ(head.path(), "/v1/models");
  EXPECT_EQ(head.query(), "limit=2?x");
  head.target = "/v1";
  EXPECT_EQ(head.path(), "/v1");
  EXPECT_EQ(head.query(), "");
}

TEST(ReasonPhraseTest, registered_codes_have_one) {
  EXPECT_EQ(reason_phrase(100), "Continue");
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(431), "Request Header Fields Too Large");
  EXPECT_EQ(reason_phrase(529), "Site Overloaded");
  EXPECT_EQ(reason_phrase(299), "");
  EXPECT_EQ(reason_phrase(600), "");
}

TEST(HopByHopTest, fields_of_one_connection_go_and_the_rest_stays) {
  Headers headers{{"Connection", "close, X-Mine"},
                  {"Keep-Alive", "timeout=5"},
                  {"X-Mine", "1"},
                  {"Transfer-Encoding", "chunked"},
                  {"TE", "trailers"},
                  {"Trailer", "X"},
                  {"Upgrade", "h2c"},
                  {"Proxy-Authorization", "Basic x"},
                  {"Proxy-Connection", "close"},
                  {"Content-Length", "3"},
                  {"Authorization", "Bearer k"}};
  strip_hop_by_hop(headers);
  ASSERT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers[0].name, "Content-Length");
  EXPECT_EQ(headers[1].name, "Authorization");
}

TEST(HopByHopTest, every_connection_field_names_some) {
  Headers headers{{"connection", "a"}, {"A", "1"}, {"Connection", "b"}, {"B", "2"}, {"C", "3"}};
  strip_hop_by_hop(headers);
  ASSERT_EQ(headers.size(), 1U);
  EXPECT_EQ(headers[0].name, "C");
}

TEST(StatusTest, some_have_no_body) {
  EXPECT_TRUE(status_has_no_body(100));
  EXPECT_TRUE(status_has_no_body(204));
  EXPECT_TRUE(status_has_no_body(304));
  EXPECT_FALSE(status_has_no_body(200));
  EXPECT_FALSE(status_has_no_body(404));
}

}  // namespace
}  // namespace llm_edge_cache::http
