#include "http/head_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

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

TEST(HeadRulesTest, there_is_one_transfer_encoding_and_none_in_http10) {
  EXPECT_NE(
      why(request(
          {{"Host", "h"}, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}})),
      "");
  EXPECT_NE(why(request({{"Host", "h"}, {"Transfer-Encoding", "gzip, chunked"}})), "");
  RequestHead head = request({{"Host", "h"}, {"Transfer-Encoding", "chunked"}});
  head.version = Version::kHttp10;
  EXPECT_THAT(why(head), testing::HasSubstr("HTTP/1.0"));
}

TEST(HeadRulesTest, host_is_one_host) {
  EXPECT_NE(why(request({{"Host", "h"}, {"host", "h"}})), "");
  for (const char* host : {"a b", "a,b", "a/b", "user@h", "h?x", "h#x", "h\\x", "<h>", "h\"",
                           "h\x01", "h\x7f", "h\xc3\xa9"}) {
    EXPECT_THAT(why(request({{"Host", host}})), testing::StartsWith("400 Host is not")) << host;
  }
  for (const char* host : {"h:80", "[::1]:80", "a-b.example", "1.2.3.4"}) {
    EXPECT_EQ(why(request({{"Host", host}})), "") << host;
  }
}

TEST(HeadRulesTest, target_is_a_path_or_a_url_of_this_host) {
  for (const char* target :
       {"x", "//", "*x", "ftp://h/", "h:80", "/a b", "/a#b", "/\x7f", "/\xc3\xa9"}) {
    RequestHead head = request();
    head.target = target;
    const bool is_path = std::string_view(target) == "//";  // a path with an empty segment
    EXPECT_EQ(why(head).empty(), is_path) << target;
  }
  for (const auto& [target, path] : {std::pair{"http://h", "/"},
                                     {"HTTPS://h", "/"},
                                     {"http://h?q=1", "/?q=1"},
                                     {"http://h/a?b=http://c", "/a?b=http://c"}}) {
    RequestHead head = request();
    head.target = target;
    EXPECT_FALSE(check_request_head(head)) << target;
    EXPECT_EQ(head.target, path);
  }
}

TEST(HeadRulesTest, a_url_without_a_host_field_stands_for_itself_in_http10) {
  RequestHead head = request({});
  head.version = Version::kHttp10;
  head.target = "http://elsewhere/x";
  EXPECT_FALSE(check_request_head(head));
  EXPECT_EQ(head.target, "/x");
}

TEST(HeadRulesTest, a_star_is_for_options_and_connect_for_nobody) {
  RequestHead head = request();
  head.target = "*";
  EXPECT_NE(why(head), "");
  head.method = "OPTIONS";
  EXPECT_EQ(why(head), "");
  head.method = "CONNECT";
  head.target = "h:443";
  EXPECT_THAT(why(head), testing::StartsWith("501 "));
}

TEST(HeadRulesTest, no_error_repeats_what_the_peer_sent) {
  RequestHead head = request({{"Host", "se<cret"}});
  EXPECT_THAT(why(head), testing::Not(testing::HasSubstr("cret")));
  head = request();
  head.target = "secret";
  EXPECT_THAT(why(head), testing::Not(testing::HasSubstr("secret")));
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

TEST(HeadRulesTest, a_response_has_one_length_and_one_encoding) {
  ResponseHead head;
  head.headers = {{"Content-Length", "1"}, {"Content-Length", "1"}};
  EXPECT_TRUE(check_response_head(head));
  head.headers = {{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}};
  EXPECT_TRUE(check_response_head(head));
  head.headers = {{"Transfer-Encoding", "chunked"}};
  head.version = Version::kHttp10;
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

TEST(HeadScannerTest, forgets_the_last_head_when_started_again) {
  HeadScanner scanner;
  EXPECT_TRUE(scanner.scan("GET / HTTP/1.1\r"));
  scanner.start();
  EXPECT_TRUE(scanner.scan("GET / HTTP/1.1\r\nA: b\r\n"));
}

}  // namespace
}  // namespace llm_edge_cache::http
