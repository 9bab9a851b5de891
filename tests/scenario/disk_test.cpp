// The second store in a folder: it outlives the proxy, however that ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "tests/scenario/metrics.hpp"
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
  [[nodiscard]] static bool is_flushed(const Program& proxy) {
    return metric_of(proxy, R"(llm_edge_cache_write_queue_entries{tier="l2"})") == 0;
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

// Lives of a proxy on one folder, each ended by SIGKILL in the middle of its writes.
class SuddenDeathTest : public DiskTest {
 protected:
  // What the provider says to it: the same bytes every time.
  [[nodiscard]] std::string truth(const std::string& prompt) {
    return ask_chat(mock_.address("listen"), prompt).body;
  }
  // Whole and from the store, or not there at all. Counts the former.
  void expect_right_if_kept(const Program& proxy, const std::string& prompt) {
    std::string request = chat_request(prompt);
    request.insert(request.find("\r\n") + 2, "Cache-Control: only-if-cached\r\n");
    const auto answer = ask(proxy.address("listen"), request);
    if (answer.status == 504) return;
    ++kept_of_cut_;
    ASSERT_EQ(answer.status, 200) << prompt;
    ASSERT_EQ(answer.body, truth(prompt)) << prompt;
  }
  void expect_kept(const Program& proxy, const std::string& prompt) {
    const auto answer = ask_chat(proxy.address("listen"), prompt);
    ASSERT_THAT(answer.field("cache-status"), HasSubstr("; hit;")) << prompt;
    ASSERT_EQ(answer.body, truth(prompt)) << prompt;
  }
  static void expect_clean(const Program& proxy) {
    ASSERT_THAT(get(proxy.address("admin"), "/readyz").body, HasSubstr("\"l2\":\"ok\""));
    ASSERT_EQ(metric_of(proxy, R"(llm_edge_cache_errors_total{tier="l2",kind="corrupt"})"), 0);
  }
  void store_and_flush(const Program& proxy, const std::string& life) {
    for (const char* part : {"a", "b", "c"}) {
      flushed_.push_back("life " + life + part);
      ask_chat(proxy.address("listen"), flushed_.back());
    }
    ASSERT_TRUE(eventually([&] { return is_flushed(proxy); }));
  }
  // After so many writes more, while others are under way.
  void kill_while_it_writes(Program& proxy, const std::string& life, int more_writes) {
    std::atomic<int> asked{0};
    std::jthread traffic([&, address = proxy.address("listen")](const std::stop_token& stop) {
      while (!stop.stop_requested() && asked < 1'000) {
        try {
          ask_chat(address, cut_prompt(life, asked++));
        } catch (const std::exception&) {
          return;
        }
      }
    });
    const char* const writes = R"(llm_edge_cache_writes_total{tier="l2"})";
    const double before = metric_of(proxy, writes);
    ASSERT_TRUE(eventually([&] { return metric_of(proxy, writes) >= before + more_writes; }));
    proxy.process().signal(SIGKILL);
    EXPECT_EQ(proxy.process().wait(), 128 + SIGKILL);
    traffic.join();
    for (int i = 0; i < asked; ++i) cut_.push_back(cut_prompt(life, i));
  }
  static std::string cut_prompt(const std::string& life, int number) {
    return "cut " + life + " " + std::to_string(number);
  }

  std::vector<std::string> flushed_;  // prompts whose answers must be there
  std::vector<std::string> cut_;      // whose answers may be
  int kept_of_cut_ = 0;
};

TEST_F(SuddenDeathTest, fifty_of_them_lose_nothing_that_was_flushed_and_change_no_byte) {
  constexpr int kDeaths = 50;
  constexpr std::size_t kLooks = 8;
  for (int death = 0; death < kDeaths; ++death) {
    SCOPED_TRACE(death);
    Program proxy(arguments(), environment());
    ASSERT_NO_FATAL_FAILURE(expect_clean(proxy));
    for (std::size_t i = 0; i < std::min(kLooks, flushed_.size()); ++i) {
      ASSERT_NO_FATAL_FAILURE(expect_kept(proxy, flushed_[flushed_.size() - 1 - i]));
    }
    for (std::size_t i = 0; i < std::min(kLooks, cut_.size()); ++i) {
      ASSERT_NO_FATAL_FAILURE(expect_right_if_kept(proxy, cut_[cut_.size() - 1 - i]));
    }
    const std::string life = std::to_string(death);
    ASSERT_NO_FATAL_FAILURE(store_and_flush(proxy, life));
    ASSERT_NO_FATAL_FAILURE(kill_while_it_writes(proxy, life, 1 + death % 7));
  }
  Program proxy(arguments(), environment());
  for (const std::string& prompt : flushed_) {
    ASSERT_NO_FATAL_FAILURE(expect_kept(proxy, prompt));
  }
  kept_of_cut_ = 0;
  for (const std::string& prompt : cut_) {
    ASSERT_NO_FATAL_FAILURE(expect_right_if_kept(proxy, prompt));
  }
  EXPECT_GE(kept_of_cut_, kDeaths);  // at least one a life had been written
  ASSERT_NO_FATAL_FAILURE(expect_clean(proxy));
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
