#include "tiers/redis/redis_url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llm_edge_cache::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

RedisUrl parsed(std::string_view text) {
  const Result<RedisUrl> url = RedisUrl::parse(text);
  EXPECT_TRUE(url.ok()) << text << ": " << (url.ok() ? "" : url.error().message);
  return url.ok() ? *url : RedisUrl();
}

std::string complaint(std::string_view text) {
  const Result<RedisUrl> url = RedisUrl::parse(text);
  EXPECT_FALSE(url.ok()) << text;
  if (url.ok()) return {};
  EXPECT_EQ(url.error().code, ErrorCode::kInvalidArgument);
  return url.error().message;
}

TEST(RedisUrlTest, takes_the_defaults_for_what_is_left_out) {
  const RedisUrl url = parsed("redis://cache.example");
  EXPECT_EQ(url.deployment, RedisUrl::Deployment::kServer);
  EXPECT_FALSE(url.tls);
  EXPECT_EQ(url.servers.front().host, "cache.example");
  EXPECT_EQ(url.servers.front().port, 6379);
  EXPECT_EQ(url.user, "");
  EXPECT_EQ(url.password, "");
  EXPECT_EQ(url.database, 0U);
  EXPECT_EQ(parsed("redis://cache.example/"), url);
}

TEST(RedisUrlTest, reads_all_parts) {
  const RedisUrl url = parsed("redis://alice:s3cret@10.0.0.1:6380/5");
  EXPECT_EQ(url.servers.front().host, "10.0.0.1");
  EXPECT_EQ(url.servers.front().port, 6380);
  EXPECT_EQ(url.user, "alice");
  EXPECT_EQ(url.password, "s3cret");
  EXPECT_EQ(url.database, 5U);
}

TEST(RedisUrlTest, decodes_user_and_password) {
  const RedisUrl url = parsed("redis://a%3ab:p%40%2Fs%3fs%25@h");
  EXPECT_EQ(url.user, "a:b");
  EXPECT_EQ(url.password, "p@/s?s%");
  EXPECT_EQ(parsed("redis://:a:b@h").password, "a:b");
  EXPECT_EQ(parsed("redis://:a@b@h").password, "a@b");
}

TEST(RedisUrlTest, reads_ipv6_hosts_in_brackets) {
  EXPECT_EQ(parsed("redis://[::1]").servers.front().host, "::1");
  EXPECT_EQ(parsed("redis://:x@[fe80::1]:7000/1").servers.front().port, 7000);
  EXPECT_EQ(parsed("redis://[::1]:7000").to_string(), "redis://[::1]:7000");
}

TEST(RedisUrlTest, reads_unix_sockets) {
  const RedisUrl url = parsed("redis+unix://alice:x@/run/redis%20a.sock?db=3");
  EXPECT_TRUE(url.servers.front().is_unix_socket());
  EXPECT_EQ(url.servers.front().path, "/run/redis a.sock");
  EXPECT_EQ(url.user, "alice");
  EXPECT_EQ(url.password, "x");
  EXPECT_EQ(url.database, 3U);
  EXPECT_EQ(parsed("redis+unix:///run/r.sock").database, 0U);
}

TEST(RedisUrlTest, says_what_is_wrong) {
  EXPECT_THAT(complaint(""), HasSubstr("must start with"));
  EXPECT_THAT(complaint("http://h"), HasSubstr("must start with"));
  EXPECT_THAT(complaint("redis://"), HasSubstr("host is missing"));
  EXPECT_THAT(complaint("redis://:6379"), HasSubstr("host is missing"));
  EXPECT_THAT(complaint("redis://h:0"), HasSubstr("port"));
  EXPECT_THAT(complaint("redis://h:65536"), HasSubstr("port"));
  EXPECT_THAT(complaint("redis://h:"), HasSubstr("port"));
  EXPECT_THAT(complaint("redis://::1"), HasSubstr("brackets"));
  EXPECT_THAT(complaint("redis://[::1"), HasSubstr("']'"));
  EXPECT_THAT(complaint("redis://[::1]x"), HasSubstr("']'"));
  EXPECT_THAT(complaint("redis://h/db"), HasSubstr("database"));
  EXPECT_THAT(complaint("redis://h/-1"), HasSubstr("database"));
  EXPECT_THAT(complaint("redis://h/4294967295"), HasSubstr("database"));
  EXPECT_THAT(complaint("redis://h?x=1"), HasSubstr("no query"));
  EXPECT_THAT(complaint("redis+unix://"), HasSubstr("path"));
  EXPECT_THAT(complaint("redis+unix:///"), HasSubstr("path"));
  EXPECT_THAT(complaint("redis+unix://host/run/r.sock"), HasSubstr("no host"));
  EXPECT_THAT(complaint("redis+unix:///r.sock?timeout=1"), HasSubstr("?db=N"));
  EXPECT_THAT(complaint("redis+unix:///r.sock?db=x"), HasSubstr("database"));
  EXPECT_THAT(complaint("redis+unix:///" + std::string(200, 'a')), HasSubstr("too long"));
}

TEST(RedisUrlTest, never_repeats_the_password) {
  EXPECT_EQ(parsed("redis://alice:s3cret@h").to_string(), "redis://alice:***@h:6379");
  EXPECT_EQ(parsed("redis+unix://:s3cret@/r.sock?db=2").to_string(),
            "redis+unix://:***@/r.sock?db=2");
  for (const char* broken :
       {"redis://s3cret@h", "redis://alice:s3cret%@h", "redis://alice:s3cret%zz@h",
        "redis://:s3cret%00@h", "redis://:s3cret@h:x", "redis://:s3cret@h/x", "redis://:s3cret@",
        "redis+unix://:s3cret@h/p", "redis+unix://:s3cret@", "redix://:s3cret@h"}) {
    EXPECT_THAT(complaint(broken), Not(HasSubstr("s3cret")));
  }
}

TEST(RedisUrlTest, refuses_credentials_that_would_not_log_in) {
  EXPECT_THAT(complaint("redis://alice@h"), HasSubstr("user:password"));
  EXPECT_THAT(complaint("redis://alice:@h"), HasSubstr("password is empty"));
}

std::vector<std::string> hosts(const RedisUrl& url) {
  std::vector<std::string> result;
  for (const ServerAddress& server : url.servers) result.push_back(server.to_string());
  return result;
}

TEST(RedisUrlTest, tells_tls_by_the_second_s) {
  EXPECT_TRUE(parsed("rediss://h").tls);
  EXPECT_TRUE(parsed("rediss+cluster://h").tls);
  EXPECT_TRUE(parsed("rediss+sentinel://h/m").tls);
  EXPECT_EQ(parsed("rediss://h:1/2").to_string(), "rediss://h:1/2");
}

TEST(RedisUrlTest, reads_the_seeds_of_a_cluster) {
  const RedisUrl url = parsed("redis+cluster://bob:pw@10.0.0.1:7000,[::1]:7001,node3");
  EXPECT_EQ(url.deployment, RedisUrl::Deployment::kCluster);
  EXPECT_THAT(hosts(url), ElementsAre("10.0.0.1:7000", "[::1]:7001", "node3:6379"));
  EXPECT_EQ(url.user, "bob");
  EXPECT_EQ(url.to_string(), "redis+cluster://bob:***@10.0.0.1:7000,[::1]:7001,node3:6379");
  EXPECT_EQ(parsed(url.to_string()).servers, url.servers);
}

TEST(RedisUrlTest, reads_sentinels_and_the_name_of_their_master) {
  const RedisUrl url = parsed("redis+sentinel://:pw@s1,s2:26380/my%20master/3");
  EXPECT_EQ(url.deployment, RedisUrl::Deployment::kSentinel);
  EXPECT_THAT(hosts(url), ElementsAre("s1:26379", "s2:26380"));
  EXPECT_EQ(url.master, "my master");
  EXPECT_EQ(url.database, 3U);
  EXPECT_EQ(parsed("redis+sentinel://s1/mymaster").database, 0U);
  EXPECT_EQ(parsed("redis+sentinel://s1/m/1").to_string(), "redis+sentinel://s1:26379/m/1");
}

TEST(RedisUrlTest, tells_what_is_wrong_with_several_hosts) {
  EXPECT_THAT(complaint("redis://a,b"), HasSubstr("only a cluster or sentinels"));
  EXPECT_THAT(complaint("redis+cluster://a,,b"), HasSubstr("host is missing"));
  EXPECT_THAT(complaint("redis+cluster://a,"), HasSubstr("host is missing"));
  EXPECT_THAT(complaint("redis+cluster://a/1"), HasSubstr("no database but 0"));
  EXPECT_THAT(complaint("redis+sentinel://a"), HasSubstr("master's name is missing"));
  EXPECT_THAT(complaint("redis+sentinel://a/"), HasSubstr("master's name is missing"));
  EXPECT_THAT(complaint("redis+sentinel://a/m/x"), HasSubstr("database must be a number"));
  EXPECT_THAT(complaint("redis+sentinel://a/%zz"), HasSubstr("percent-encoded"));
  std::string many = "redis+cluster://h";
  for (int i = 0; i < 64; ++i) many += ",h";
  EXPECT_THAT(complaint(many), HasSubstr("more than 64"));
}

}  // namespace
}  // namespace llm_edge_cache::redis
