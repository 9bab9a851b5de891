#include "tiers/redis/backend_factory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llm_edge_cache::redis {
namespace {

using ::testing::HasSubstr;

Result<BackendFactory> made(const L2Config& config) {
  return BackendFactory::make(config, RedisUrl::parse(config.url).value());
}

std::string refusal(const L2Config& config) {
  const auto factory = made(config);
  if (factory.ok()) return "none";
  EXPECT_EQ(factory.error().code, ErrorCode::kInvalidArgument);
  return factory.error().message;
}

TEST(BackendFactoryTest, reads_from_replicas_where_somebody_tells_of_them) {
  L2Config config{.read_from = L2Config::ReadFrom::kReplica};
  for (const char* url : {"redis://h", "rediss://h", "redis+unix:///s"}) {
    config.url = url;
    EXPECT_THAT(refusal(config), HasSubstr("l2.read_from")) << url;
  }
  for (const char* url : {"redis+cluster://h", "redis+sentinel://h/m"}) {
    config.url = url;
    EXPECT_EQ(refusal(config), "none");
  }
}

TEST(BackendFactoryTest, looks_at_the_files_of_tls_where_the_url_says_tls) {
  L2Config config{.tls_ca_file = "/nowhere/ca.pem"};
  for (const char* url : {"rediss://h", "rediss+cluster://h", "rediss+sentinel://h/m"}) {
    config.url = url;
    EXPECT_THAT(refusal(config), HasSubstr("/nowhere/ca.pem")) << url;
  }
  config.url = "redis://h";
  EXPECT_EQ(refusal(config), "none");
}

TEST(BackendFactoryTest, wants_a_certificate_and_its_key_together) {
  L2Config config{.url = "rediss+cluster://h", .tls_cert_file = "/nowhere/client.pem"};
  EXPECT_THAT(refusal(config), HasSubstr("go together"));
  config.tls_cert_file.clear();
  config.tls_key_file = "/nowhere/client.key";
  EXPECT_THAT(refusal(config), HasSubstr("go together"));
}

TEST(BackendFactoryTest, reads_directly_from_one_server_without_tls_alone) {
  const auto has_reader = [](const char* url) {
    return made({.url = url}).value().make_direct_reader() != nullptr;
  };
  EXPECT_TRUE(has_reader("redis://127.0.0.1"));
  EXPECT_TRUE(has_reader("redis+unix:///s"));
  EXPECT_FALSE(has_reader("rediss://127.0.0.1"));
  EXPECT_FALSE(has_reader("redis+cluster://127.0.0.1"));
  EXPECT_FALSE(has_reader("redis+sentinel://127.0.0.1/m"));
}

}  // namespace
}  // namespace llm_edge_cache::redis
