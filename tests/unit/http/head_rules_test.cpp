#include "http/head_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace llm_edge_cache::http {
namespace {

RequestHead request(Headers headers = {{"Host", "h"}}) {
  RequestHead head;
  head.headers = std::move(headers);
  return head;
}

std::string why(RequestHead head) {
  const auto error = check_request_head(head);
  return error ? std::to_string(error->status) + " " + error->detail : "";
}

TEST(HeadRulesTest, plain_request_is_fine) {
  EXPECT_EQ(why(request()), "");
}

TEST(HeadRulesTest, framing_must_be_unambiguous) {
  EXPECT_NE(why(request({{"Host", "h"}, {"Content-Length", "1"}, {"content-length", "1"}})), "");
  EXPECT_NE(
      why(request({{"Host", "h"}, {"Content-Length", "1"}, {"Transfer-Encoding", "chunked"}})), "");
  EXPECT_EQ(why(request({{"Host", "h"}, {"Transfer-Encoding", "Chunked"}})), "");
  EXPECT_THAT(why(request({{"Host", "h"}, {"Transfer-Encoding", "identity"}})),
              testing::StartsWith("501 "));
}

TEST(HeadRulesTest, http10_needs_no_host) {
  RequestHead head = request({});
  EXPECT_NE(why(head), "");
  head.version = Version::kHttp10;
  EXPECT_EQ(why(head), "");
}

TEST(HeadRulesTest, empty_host_is_one) {
  EXPECT_EQ(why(request({{"Host", ""}})), "");
}

TEST(HeadRulesTest, absolute_target_needs_its_host) {
  RequestHead head = request({{"Host", "h:81"}});
  head.target = "http://H:81/x?y";
  ASSERT_FALSE(check_request_head(head));
  EXPECT_EQ(head.target, "/x?y");
  head.target = "http://h/x";
  EXPECT_NE(why(head), "");
}

TEST(HeadRulesTest, response_framing_must_be_unambiguous) {
  ResponseHead head;
  EXPECT_FALSE(check_response_head(head));
  head.headers = {{"Transfer-Encoding", "chunked"}};
  EXPECT_FALSE(check_response_head(head));
  head.headers = {{"Transfer-Encoding", "chunked"}, {"Content-Length", "1"}};
  EXPECT_TRUE(check_response_head(head));
  head.headers = {{"Transfer-Encoding", "br"}};
  EXPECT_TRUE(check_response_head(head));
}

bool scans(std::string_view bytes, std::size_t piece) {
  HeadScanner scanner;
  bool fine = true;
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    fine = fine && scanner.scan(bytes.substr(at, piece));
  return fine;
}

TEST(HeadScannerTest, finds_what_must_not_be_in_a_head_at_any_split) {
  for (std::size_t piece = 1; piece < 12; ++piece) {
    EXPECT_TRUE(scans("\r\n\r\nGET / HTTP/1.1\r\nA: b\r\n\r\n", piece));
    EXPECT_FALSE(scans("GET / HTTP/1.1\r\nA: b\r\n c\r\n", piece));
    EXPECT_FALSE(scans("GET / HTTP/1.1\r\nA:\r\n\tc\r\n", piece));
    EXPECT_FALSE(scans("GET / HTTP/1.1\nA: b\r\n", piece));
    EXPECT_FALSE(scans("GET / HTTP/1.1\rA: b\r\n", piece));
    EXPECT_FALSE(scans(std::string_view("GET / HTTP/1.1\r\nA: \0\r\n", 22), piece));
  }
}

}  // namespace
}  // namespace llm_edge_cache::http
