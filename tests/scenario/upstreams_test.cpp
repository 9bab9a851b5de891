// Groups of upstreams: one of the two providers is killed, or fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> mock_arguments(std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"mock-provider", "--listen", "127.0.0.1:0"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

class UpstreamsTest : public ::testing::Test {
 protected:
  // `serve` with one group of both providers, in that order.
  std::vector<std::string> serve_group(Program& first, Program& second,
                                       const std::string& more = "") {
    std::ofstream(folder_.path() / "proxy.yaml") << "upstreams:\n  - name: chat\n"
                                                 << more << "    members:\n"
                                                 << "      - url: " << first.url() << "\n"
                                                 << "      - url: " << second.url() << "\n";
    return {"serve",
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            "127.0.0.1:0",
            "--config",
            (folder_.path() / "proxy.yaml").string(),
            "--access-log",
            access_log().string()};
  }
  [[nodiscard]] std::filesystem::path access_log() const { return folder_.path() / "access.jsonl"; }
  [[nodiscard]] std::string log_text() const {
    std::ifstream file(access_log());
    return {std::istreambuf_iterator<char>(file), {}};
  }

  static int ask(const Program& proxy, const std::string& prompt) {
    RawClient client(proxy.address("listen"));
    client.send(chat_request(prompt, /*stream=*/false));
    const auto answer = client.read_answer();
    return answer ? answer->status : 0;
  }
  static std::string metrics(const Program& proxy) {
    return get(proxy.address("admin"), "/metrics").body;
  }

  const TempDir folder_;
};

TEST_F(UpstreamsTest, a_killed_provider_costs_no_answer) {
  Program first(mock_arguments());
  Program second(mock_arguments());
  Program proxy(serve_group(first, second));
  EXPECT_EQ(ask(proxy, "before"), 200);
  first.process().signal(SIGKILL);
  (void)first.process().wait();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ask(proxy, "after " + std::to_string(i)), 200);
  EXPECT_EQ(ask(proxy, "before"), 200);  // the key is the group's: still a hit
  const auto text = metrics(proxy);
  EXPECT_THAT(text, HasSubstr("llm_edge_cache_hits_total{tier=\"l1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("llm_edge_upstream_attempts_total{upstream=\"chat\",url=\"" +
                              second.url() + "\",result=\"ok\"} 10\n"));
  EXPECT_THAT(text, HasSubstr("llm_edge_upstream_attempts_total{upstream=\"chat\",url=\"" +
                              first.url() + "\",result=\"connect_failed\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("llm_edge_upstream_breaker_state{upstream=\"chat\",url=\"" +
                              first.url() + "\"} 2\n"));
}

TEST_F(UpstreamsTest, a_provider_that_fails_every_time_costs_no_answer) {
  Program first(mock_arguments({"--error-rate", "1"}));
  Program second(mock_arguments());
  Program proxy(serve_group(first, second));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(proxy, "prompt " + std::to_string(i)), 200);
  EXPECT_THAT(metrics(proxy),
              HasSubstr("llm_edge_upstream_attempts_total{upstream=\"chat\",url=\"" + second.url() +
                        "\",result=\"ok\"} 20\n"));
}

TEST_F(UpstreamsTest, the_access_log_has_a_line_for_each_request_and_no_prompt) {
  Program first(mock_arguments());
  Program second(mock_arguments());
  Program proxy(serve_group(first, second));
  EXPECT_EQ(ask(proxy, "a very private prompt"), 200);
  EXPECT_EQ(ask(proxy, "a very private prompt"), 200);
  const auto count = [this] {
    const auto text = log_text();
    return std::count(text.begin(), text.end(), '\n');
  };
  ASSERT_TRUE(eventually([&] { return count() == 2; }));
  std::ifstream file(access_log());
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  EXPECT_EQ(lines[0]["outcome"], "miss");
  EXPECT_EQ(lines[0]["upstream"], "chat");
  EXPECT_EQ(lines[1]["outcome"], "l1_hit");
  EXPECT_EQ(lines[1]["tier"], "l1");
  EXPECT_EQ(lines[0]["key"], lines[1]["key"]);
  EXPECT_THAT(log_text(), Not(HasSubstr("private")));
}

TEST_F(UpstreamsTest, a_credential_from_the_environment_goes_up_and_is_told_to_nobody) {
  Program first(mock_arguments({"--require-auth"}));
  Program second(mock_arguments({"--require-auth"}));
  Program proxy(serve_group(first, second, "    credential_env: UPSTREAMS_TEST_KEY\n"),
                {{"UPSTREAMS_TEST_KEY", "s3cret-of-the-environment"}});
  auto request = chat_request("prompt");
  const std::string own = "Authorization: Bearer sk-alice\r\n";
  request.erase(request.find(own), own.size());
  EXPECT_EQ(test::ask(proxy.address("listen"), request).status, 200);
  EXPECT_THAT(metrics(proxy), Not(HasSubstr("s3cret")));
  ASSERT_TRUE(eventually([&] { return !log_text().empty(); }));
  EXPECT_THAT(log_text(), Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace llm_edge_cache::test
