#include "http/url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

namespace llm_edge_cache::http {
namespace {

TEST(UrlTest, parts_are_found) {
  const Result<Url> url = parse_url("https://API.example.com/base/path/");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->origin, (Origin{Scheme::kHttps, "api.example.com", 443}));
  EXPECT_EQ(url->path, "/base/path");
  EXPECT_EQ(parse_url("HTTP://h")->origin, (Origin{Scheme::kHttp, "h", 80}));
  EXPECT_EQ(parse_url("http://h:8080/")->origin.port, 8080);
  EXPECT_EQ(parse_url("http://h:8080/")->path, "");
  EXPECT_EQ(parse_url("http://[::1]:81/x")->origin, (Origin{Scheme::kHttp, "::1", 81}));
}

TEST(UrlTest, what_cannot_be_used_is_an_error_that_says_why) {
  for (const std::string_view text :
       {"", "api.example.com", "ftp://h", "http://", "http://:80", "http://h:", "http://h:x",
        "http://h:0", "http://h:65536", "http://user:pw@h", "http://h?q", "http://h/#f",
        "http://[::1", "http://[x]", "http://[::1]x", "http://a b", "http://h/a b",
        "http://h/\x01"}) {
    const Result<Url> url = parse_url(text);
    ASSERT_FALSE(url.ok()) << text;
    EXPECT_EQ(url.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(url.error().message, "");
  }
}

TEST(UrlTest, password_is_not_repeated_in_the_error) {
  EXPECT_THAT(parse_url("http://user:secret@h").error().message,
              testing::Not(testing::HasSubstr("secret")));
}

TEST(UrlTest, is_shown_without_its_user_info) {
  EXPECT_EQ(without_user_info("http://a:secret@host/p"), "http://***@host/p");
  EXPECT_EQ(without_user_info("http://a:se/cr@et@host"), "http://***@host");
  EXPECT_EQ(without_user_info("a:secret@host"), "***@host");
  EXPECT_EQ(without_user_info("http://host/p"), "http://host/p");
  EXPECT_EQ(without_user_info("@://"), "@://");
}

TEST(OriginTest, authority_leaves_the_default_port_out) {
  EXPECT_EQ((Origin{Scheme::kHttps, "h", 443}).authority(), "h");
  EXPECT_EQ((Origin{Scheme::kHttp, "h", 443}).authority(), "h:443");
  EXPECT_EQ((Origin{Scheme::kHttp, "::1", 80}).authority(), "[::1]");
}

TEST(HostPortTest, addresses_to_listen_on_are_understood) {
  EXPECT_EQ(parse_host_port("127.0.0.1:8080")->host, "127.0.0.1");
  EXPECT_EQ(parse_host_port("127.0.0.1:8080")->port, 8080);
  EXPECT_EQ(parse_host_port("[::1]:0")->host, "::1");
  EXPECT_EQ(parse_host_port(":80")->host, "");
  for (const std::string_view text : {"", "localhost", "h:", "h:70000", "::1:80", "h:80x"}) {
    EXPECT_FALSE(parse_host_port(text).ok()) << text;
  }
}

}  // namespace
}  // namespace llm_edge_cache::http
