// The second store in a folder: it outlives the proxy, however that ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <set>
#include <string>
#include <thread>

#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::HasSubstr;

class DiskTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string url() const { return "disk:" + (dir_.path() / "cache").string(); }
  // One entry in memory: nearly everything that is found comes from the folder.
  [[nodiscard]] std::vector<std::string> arguments() {
    return serve_arguments(mock_.url(), {"--l2", url(), "--l1-capacity", "1", "--l2-max-bytes",
                                         "67108864", "--l2-operation-timeout-ms", "20000"});
  }
  [[nodiscard]] std::map<std::string, std::string> environment() const {
    return {{"XDG_STATE_HOME", (dir_.path() / "state").string()}};
  }
  [[nodiscard]] static double metric(const Program& proxy, const std::string& sample) {
    const auto body = get(proxy.address("admin"), "/metrics").body;
    const auto at = body.find("\n" + sample + " ");
    if (at == std::string::npos) throw std::runtime_error("no metric " + sample);
    return std::stod(body.substr(at + sample.size() + 2));
  }
  [[nodiscard]] static bool is_flushed(const Program& proxy) {
    return metric(proxy, R"(llm_edge_cache_write_queue_entries{tier="l2"})") == 0;
  }

  TempDir dir_;
  Program mock_{{"mock-provider", "--listen", "127.0.0.1:0"}};
};

TEST_F(DiskTest, a_restart_keeps_the_answers) {
  std::string answer;
  {
    Program proxy(arguments(), environment());
    ASSERT_THAT(get(proxy.address("admin"), "/readyz").body, HasSubstr("\"l2\":\"ok\""));
    answer = ask_chat(proxy.address("listen"), "kept").body;
    proxy.process().signal(SIGTERM);
    ASSERT_EQ(proxy.process().wait(), 0);
  }
  Program proxy(arguments(), environment());
  ASSERT_THAT(get(proxy.address("admin"), "/readyz").body, HasSubstr("\"l2\":\"ok\""));
  const auto again = ask_chat(proxy.address("listen"), "kept");
  EXPECT_THAT(again.field("cache-status"), HasSubstr("hit"));
  EXPECT_THAT(again.field("cache-status"), HasSubstr("detail=l2"));
  EXPECT_EQ(again.body, answer);
}

TEST_F(DiskTest, fifty_sudden_deaths_lose_nothing_that_was_flushed_and_change_no_byte) {
  constexpr int kDeaths = 50;
  std::map<std::string, std::string> flushed;  // answers by prompt
  for (int death = 0; death < kDeaths; ++death) {
    Program proxy(arguments(), environment());
    ASSERT_THAT(get(proxy.address("admin"), "/readyz").body, HasSubstr("\"l2\":\"ok\"")) << death;
    // Some of what earlier lives stored, the latest included.
    int checked = 0;
    for (auto kept = flushed.rbegin(); kept != flushed.rend() && checked < 8; ++kept, ++checked) {
      const auto answer = ask_chat(proxy.address("listen"), kept->first);
      ASSERT_THAT(answer.field("cache-status"), HasSubstr("; hit;")) << kept->first << ' ' << death;
      ASSERT_EQ(answer.body, kept->second);
    }
    const std::string number = std::to_string(1'000 + death);
    std::map<std::string, std::string> stored;
    for (const char* part : {"a", "b", "c"}) {
      const std::string prompt = "life " + number + part;
      stored[prompt] = ask_chat(proxy.address("listen"), prompt).body;
    }
    ASSERT_TRUE(eventually([&] { return is_flushed(proxy); }));
    flushed.merge(stored);
    // Dies while it writes.
    std::jthread traffic([address = proxy.address("listen"), number](const std::stop_token& stop) {
      for (int i = 0; !stop.stop_requested() && i < 1'000; ++i) {
        try {
          ask_chat(address, "cut " + number + " " + std::to_string(i));
        } catch (const std::exception&) {
          return;
        }
      }
    });
    const double written = metric(proxy, R"(llm_edge_cache_writes_total{tier="l2"})");
    ASSERT_TRUE(eventually(
        [&] { return metric(proxy, R"(llm_edge_cache_writes_total{tier="l2"})") > written; }));
    proxy.process().signal(SIGKILL);
    EXPECT_EQ(proxy.process().wait(), 128 + SIGKILL);
  }
  Program proxy(arguments(), environment());
  for (const auto& [prompt, body] : flushed) {
    const auto answer = ask_chat(proxy.address("listen"), prompt);
    ASSERT_THAT(answer.field("cache-status"), HasSubstr("; hit;")) << prompt;
    ASSERT_EQ(answer.body, body);
  }
  EXPECT_EQ(metric(proxy, R"(llm_edge_cache_errors_total{tier="l2",kind="corrupt"})"), 0);
}

TEST_F(DiskTest, a_second_process_serves_without_the_folder_and_says_who_holds_it) {
  Program first(arguments(), environment());
  Program second(arguments(), environment());
  EXPECT_EQ(ask_chat(second.address("listen"), "alone").status, 200);
  EXPECT_THAT(get(second.address("admin"), "/readyz").body, HasSubstr("\"l2\":\"degraded\""));
  EXPECT_THAT(second.process().error_output(), HasSubstr("another process holds the folder '" +
                                                         (dir_.path() / "cache").string() + "'"));
  first.process().signal(SIGTERM);
  ASSERT_EQ(first.process().wait(), 0);
  EXPECT_TRUE(eventually([&] {
    return get(second.address("admin"), "/readyz").body.find("\"l2\":\"ok\"") != std::string::npos;
  }));
}

TEST_F(DiskTest, a_path_that_can_never_be_a_folder_of_ours_is_refused_at_start) {
  const auto refused = [&](const std::string& l2) {
    const auto ended = run_program(serve_arguments(mock_.url(), {"--l2", l2, "--check"}));
    EXPECT_NE(ended.status, 0) << l2;
    return ended.error;
  };
  EXPECT_THAT(refused("disk:"), HasSubstr("--l2: disk: the path is missing"));
  EXPECT_THAT(refused("disk:/etc/passwd"), HasSubstr("'/etc/passwd' is not a folder"));
  EXPECT_THAT(refused("disk:/etc"), HasSubstr("holds files that are not this cache's"));
}

}  // namespace
}  // namespace llm_edge_cache::test
