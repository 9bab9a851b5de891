// What logrotate does to the access log: its file is moved away, then comes SIGHUP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/scenario/counting_provider.hpp"
#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LogRotationTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const {
    return (directory_.path() / name).string();
  }
  [[nodiscard]] std::vector<std::string> arguments() const {
    return serve_arguments(provider_.url(), {"--access-log", log_});
  }
  // The status of each request that the file tells of.
  static std::vector<int> statuses_in(const std::string& file) {
    std::ifstream in(file);
    std::vector<int> statuses;
    for (std::string line; std::getline(in, line);) {
      const auto json = nlohmann::json::parse(line, nullptr, false);
      statuses.push_back(json.is_discarded() ? -1 : json["status"].get<int>());
    }
    return statuses;
  }
  // Asks, and waits until the file tells of so many requests.
  static void ask_and_see(const Program& proxy, const std::string& file, std::size_t count) {
    EXPECT_EQ(ask_chat(proxy.address("listen"), "Hi").status, 200);
    EXPECT_TRUE(eventually([&] { return statuses_in(file).size() == count; })) << file;
  }

  const CountingProvider provider_;
  TempDir directory_;
  const std::string log_ = path("access.jsonl");
  const std::string moved_ = path("access.jsonl.1");
};

TEST_F(LogRotationTest, goes_on_in_a_new_file_and_leaves_the_former_one_whole) {
  Program proxy(arguments());
  ask_and_see(proxy, log_, 1);
  std::filesystem::rename(log_, moved_);
  ask_and_see(proxy, moved_, 2);
  proxy.process().signal(SIGHUP);
  EXPECT_TRUE(proxy.process().wait_for_line("access log: opened anew"));
  ask_and_see(proxy, log_, 1);
  EXPECT_THAT(statuses_in(moved_), ElementsAre(200, 200));
}

TEST_F(LogRotationTest, a_new_file_that_cannot_be_opened_is_said_and_costs_no_line) {
  Program proxy(arguments());
  std::filesystem::rename(log_, moved_);
  std::filesystem::create_directory(log_);
  proxy.process().signal(SIGHUP);
  const auto line = proxy.process().wait_for_line("access log: cannot open");
  ASSERT_TRUE(line);
  EXPECT_THAT(*line, HasSubstr(log_));
  EXPECT_THAT(*line, HasSubstr("it goes on in the file that was open"));
  ask_and_see(proxy, moved_, 1);
  std::filesystem::remove(log_);
  proxy.process().signal(SIGHUP);
  EXPECT_TRUE(proxy.process().wait_for_line("access log: opened anew"));
  ask_and_see(proxy, log_, 1);
}

TEST_F(LogRotationTest, does_not_wait_for_a_configuration_that_is_in_order) {
  const auto config = path("proxy.yaml");
  std::ofstream(config) << "threads: 1\n";
  auto with_config = arguments();
  with_config.insert(with_config.end(), {"--config", config});
  Program proxy(with_config);
  std::filesystem::rename(log_, moved_);
  std::ofstream(config) << "threads: many\n";
  proxy.process().signal(SIGHUP);
  EXPECT_TRUE(proxy.process().wait_for_line("reload failed, nothing has changed"));
  ask_and_see(proxy, log_, 1);
}

}  // namespace
}  // namespace llm_edge_cache::test
