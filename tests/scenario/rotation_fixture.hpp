// Keys and dictionaries of the second store change while its entries stay: each proxy of a test is
// a restart of the one before, with an empty memory, on the same Redis.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/scenario/counting_provider.hpp"
#include "tests/scenario/metrics.hpp"
#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {

using Words = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

class RotationTest : public ::testing::Test {
 protected:
  [[nodiscard]] Program started(Words more = {}, Variables variables = {}) {
    more.insert(more.end(), {"--l2", redis_.url(), "--l2-operation-timeout-ms", "20000",
                             "--l2-compress-over-bytes", "1"});
    variables["XDG_STATE_HOME"] = (dir_.path() / "state").string();
    return Program(serve_arguments(provider_.url(), std::move(more)), std::move(variables));
  }
  // Whoever is asked first with a prompt stores the answer; returns when Redis has it.
  void store(const Program& proxy, const std::string& prompt) {
    ASSERT_THAT(asked(proxy, prompt), testing::HasSubstr("stored"));
    ASSERT_TRUE(eventually(
        [&] { return metric_of(proxy, R"(llm_edge_cache_write_queue_entries{tier="l2"})") == 0; }));
  }
  static std::string asked(const Program& proxy, const std::string& prompt) {
    const auto answer = ask_chat(proxy.address("listen"), prompt);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.field("cache-status");
  }
  static double misread(const Program& proxy) {
    return metric_of(proxy, R"(llm_edge_cache_errors_total{tier="l2",kind="corrupt"})");
  }
  static void expect_found(const Program& proxy, const std::string& prompt) {
    EXPECT_THAT(asked(proxy, prompt),
                testing::AllOf(testing::HasSubstr("; hit;"), testing::HasSubstr("detail=l2")));
    EXPECT_EQ(misread(proxy), 0);
  }
  // The provider is asked as if nothing was there, and the count says that something was.
  void expect_counted_miss(const Program& proxy, const std::string& prompt) {
    const auto before = provider_.count();
    EXPECT_THAT(asked(proxy, prompt),
                testing::AllOf(testing::HasSubstr("fwd="), testing::HasSubstr("stored")));
    EXPECT_EQ(provider_.count(), before + 1);
    EXPECT_EQ(misread(proxy), 1);
    EXPECT_THAT(get(proxy.address("admin"), "/readyz").body, testing::HasSubstr("\"l2\":\"ok\""));
  }
  [[nodiscard]] std::string written(const std::string& name, const std::string& text) const {
    const auto path = dir_.path() / name;
    std::ofstream(path) << text;
    std::filesystem::permissions(path, std::filesystem::perms::owner_read);
    return path.string();
  }
  // Bytes of the only entry in Redis.
  [[nodiscard]] std::string stored_bytes() {
    return redis_.command({"GET", redis_.command({"KEYS", "*"})});
  }

  TempDir dir_;
  RedisServer redis_;
  CountingProvider provider_;
};

}  // namespace llm_edge_cache::test
