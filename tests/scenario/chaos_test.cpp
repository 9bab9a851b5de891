// The shared store breaks in every way that it can while a load goes through the proxy: no request
// fails, none waits for longer than two deadlines of the store, and no byte is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/scenario/metrics.hpp"
#include "tests/scenario/program.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/redis_cluster.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/tcp_relay.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::HasSubstr;

constexpr int kDeadlineMs = 1'000;
constexpr int kPrompts = 600;
constexpr int kRepeats = 8;
constexpr double kRequests = kPrompts * kRepeats;

class ChaosTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream file(prompts());
    for (int i = 0; i < kPrompts; ++i) file << "{\"prompt\":\"chaos " << i << "\"}\n";
  }

  // Memory for few answers: most of what repeats comes from the second store.
  void serve(const std::string& l2, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--l2", l2, "--l1-capacity", "50", "--l2-operation-timeout-ms",
                             std::to_string(kDeadlineMs)});
    proxy_.reset();
    proxy_ = std::make_unique<Program>(
        serve_arguments(mock_.url(), more),
        std::map<std::string, std::string>{{"XDG_STATE_HOME", folder_.path().string()}});
  }
  [[nodiscard]] bool is_ready(const std::string& state) const {
    return get(proxy_->address("admin"), "/readyz").body.find("\"l2\":\"" + state + "\"") !=
           std::string::npos;
  }
  [[nodiscard]] bool becomes(const std::string& state) const {
    return eventually([&] { return is_ready(state); });
  }

  void start_load(int repeats = kRepeats) {
    load_ = std::make_unique<ChildProcess>(
        ChildOptions{.argv = {LEC_BINARY, "replay", "--target", proxy_->url(), "--prompts",
                              prompts(), "--repeat", std::to_string(repeats), "--concurrency", "8",
                              "--verify", "--provider", mock_.url(), "--json"},
                     .env = {},
                     .directory = {},
                     .input = {}});
  }
  // Returns when that share of the load is answered, and says whether it still goes on.
  [[nodiscard]] bool has_come_to(double share) const {
    return eventually([&] { return answered() >= share * kRequests; }) && answered() < kRequests;
  }
  [[nodiscard]] double answered() const { return metric_of(*proxy_, "llm_edge_requests_total"); }
  [[nodiscard]] double l2_errors(const std::string& kind) const {
    return metric_of(*proxy_, "llm_edge_cache_errors_total{tier=\"l2\",kind=\"" + kind + "\"}");
  }

  nlohmann::json expect_clean_load() {
    const auto status = load_->wait(std::chrono::minutes(2));
    EXPECT_EQ(status, 0) << load_->output() << load_->error_output();
    auto report = nlohmann::json::parse(load_->output());
    EXPECT_EQ(report["errors"], 0) << report.dump();
    EXPECT_EQ(report["mismatches"], 0) << report.dump();
    for (const auto& [outcome, latency] : report["latency_us"].items()) {
      EXPECT_LE(latency["max"], 2 * kDeadlineMs * 1'000) << outcome;
    }
    return report;
  }
  nlohmann::json run_clean_load() {
    start_load();
    return expect_clean_load();
  }

  [[nodiscard]] std::string prompts() const { return (folder_.path() / "prompts.jsonl").string(); }

  TempDir folder_;
  Program mock_{{"mock-provider", "--listen", "127.0.0.1:0"}};
  std::unique_ptr<Program> proxy_;
  std::unique_ptr<ChildProcess> load_;
};

std::vector<std::string> keys_of(RedisServer& redis) {
  std::istringstream words(redis.command({"KEYS", "llm_cache:*"}));
  std::vector<std::string> keys;
  for (std::string key; words >> key;) {
    if (redis.command({"TYPE", key}) == "string") keys.push_back(key);
  }
  return keys;
}

// One cluster for all of them, in this order: the last one leaves it broken.
class ClusterChaosTest : public ChaosTest {
 protected:
  static void SetUpTestSuite() { cluster_ = std::make_unique<RedisCluster>(); }
  static void TearDownTestSuite() { cluster_.reset(); }
  void SetUp() override {
    ChaosTest::SetUp();
    serve(cluster_->url());
    ASSERT_TRUE(becomes("ok"));
    start_load();
    ASSERT_TRUE(has_come_to(0.2));
  }

  static inline std::unique_ptr<RedisCluster> cluster_;
};

TEST_F(ClusterChaosTest, is_resharded) {
  for (int slot = 0; slot < 50; ++slot) cluster_->move_slot(slot, 0, 1);
  EXPECT_GT(expect_clean_load()["hits_by_tier"]["l2"], 0);
  EXPECT_EQ(l2_errors("corrupt"), 0);
}

TEST_F(ClusterChaosTest, has_a_frozen_primary) {
  cluster_->node(0).freeze();
  EXPECT_GT(expect_clean_load()["hits_by_tier"]["l2"], 0);
  EXPECT_GE(l2_errors("timeout") + l2_errors("unavailable"), 1);
  cluster_->node(0).thaw();
}

TEST_F(ClusterChaosTest, loses_a_primary) {
  cluster_->node(1).kill();
  EXPECT_GT(expect_clean_load()["hits_by_tier"]["l2"], 0);
}

TEST_F(ChaosTest, the_network_is_cut_and_comes_back) {
  RedisServer redis;
  TcpRelay wire(redis.port());
  serve("redis://127.0.0.1:" + std::to_string(wire.port()));
  ASSERT_TRUE(becomes("ok"));
  start_load();
  ASSERT_TRUE(has_come_to(0.3));
  wire.cut();
  expect_clean_load();
  EXPECT_GE(l2_errors("timeout"), 1);
  EXPECT_TRUE(becomes("degraded"));
  wire.heal();
  EXPECT_TRUE(eventually([&] {
    (void)ask_chat(proxy_->address("listen"), "probe");
    return is_ready("ok");
  }));
}

TEST_F(ChaosTest, redis_is_restarted_again_and_again) {
  RedisServer redis;
  serve(redis.url());
  ASSERT_TRUE(becomes("ok"));
  start_load();
  for (const double share : {0.1, 0.3, 0.5}) {
    if (has_come_to(share)) redis.restart();
  }
  expect_clean_load();
  EXPECT_TRUE(becomes("ok"));
}

TEST_F(ChaosTest, a_wrong_password_costs_the_store_and_no_request) {
  RedisServer redis({.password = "right"});
  serve("redis://:wrong@127.0.0.1:" + std::to_string(redis.port()));
  EXPECT_EQ(run_clean_load()["hits_by_tier"]["l2"], 0);
  EXPECT_TRUE(is_ready("degraded"));
  EXPECT_THAT(proxy_->process().error_output(), ::testing::Not(HasSubstr("wrong@")));
}

TEST_F(ChaosTest, a_wrong_certificate_costs_the_store_and_no_request) {
  CertificateAuthority other;
  CertificateAuthority trusted;
  RedisServer redis({.transport = RedisServerOptions::Transport::kTls,
                     .certificate = other.issue("server", "DNS:localhost")});
  serve(redis.url(), {"--l2-tls-ca-file", trusted.ca_file()});
  EXPECT_EQ(run_clean_load()["hits_by_tier"]["l2"], 0);
  EXPECT_TRUE(is_ready("degraded"));
  EXPECT_EQ(redis.command({"PING"}).empty(), false);
}

TEST_F(ChaosTest, redis_has_no_memory_left) {
  RedisServer redis({.maxmemory = "3mb", .extra_args = {"--maxmemory-policy", "noeviction"}});
  serve(redis.url());
  ASSERT_TRUE(becomes("ok"));
  start_load();
  ASSERT_TRUE(has_come_to(0.02));
  EXPECT_EQ(redis.command({"CONFIG", "SET", "maxmemory", "1"}), "OK");
  expect_clean_load();
  EXPECT_GE(l2_errors("protocol") + l2_errors("unavailable"), 1);
  EXPECT_EQ(redis.command({"CONFIG", "SET", "maxmemory", "0"}), "OK");
  EXPECT_TRUE(becomes("ok"));
}

TEST_F(ChaosTest, values_of_another_version_are_misses) {
  RedisServer redis;
  serve(redis.url());
  ASSERT_TRUE(becomes("ok"));
  run_clean_load();
  ASSERT_TRUE(eventually([&] { return keys_of(redis).size() >= kPrompts; }));
  for (const auto& key : keys_of(redis)) (void)redis.command({"SETRANGE", key, "4", "\x63"});
  serve(redis.url());
  ASSERT_TRUE(becomes("ok"));
  start_load(1);
  EXPECT_EQ(expect_clean_load()["hits_by_tier"]["l2"], 0);
  EXPECT_EQ(metric_of(*proxy_, R"(llm_edge_cache_hits_total{tier="l2"})"), 0);
}

TEST_F(ChaosTest, flipped_bytes_are_found_and_never_served) {
  RedisServer redis;
  serve(redis.url());
  ASSERT_TRUE(becomes("ok"));
  run_clean_load();
  ASSERT_TRUE(eventually([&] { return keys_of(redis).size() >= kPrompts; }));
  const auto keys = keys_of(redis);
  int flipped = 0;
  for (std::size_t i = 0; i < keys.size(); i += 100, ++flipped) {
    const auto length = std::stoul(redis.command({"STRLEN", keys[i]}));
    const auto at = std::to_string((i + 7) * 7'919 % length);
    const auto byte = redis.command({"GETRANGE", keys[i], at, at});
    ASSERT_EQ(byte.size(), 1U);
    (void)redis.command({"SETRANGE", keys[i], at, std::string(1, static_cast<char>(byte[0] ^ 1))});
  }
  serve(redis.url());
  ASSERT_TRUE(becomes("ok"));
  start_load(1);
  EXPECT_EQ(expect_clean_load()["misses"], flipped);
  EXPECT_EQ(l2_errors("corrupt"), flipped);
}

// A small file system of its own, where the test may mount one.
class SmallDisk {
 public:
  explicit SmallDisk(const std::filesystem::path& at) : at_(at) {
    std::filesystem::create_directories(at_);
    is_mounted_ = ::mount("tmpfs", at_.c_str(), "tmpfs", 0, "size=16m") == 0;
    error_ = errno;
  }
  ~SmallDisk() {
    if (is_mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  [[nodiscard]] bool is_mounted() const { return is_mounted_; }
  [[nodiscard]] std::string why_not() const {
    return std::string("no tmpfs can be mounted here: ") + std::strerror(error_);
  }
  [[nodiscard]] std::string url() const { return "disk:" + (at_ / "cache").string(); }
  void fill_up() const {
    std::ofstream ballast(at_ / "ballast");
    const std::string block(65'536, 'x');
    while (ballast.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  [[nodiscard]] bool make_read_only() const {
    return ::mount("tmpfs", at_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=16m") == 0;
  }

 private:
  const std::filesystem::path at_;
  bool is_mounted_ = false;
  int error_ = 0;
};

TEST_F(ChaosTest, the_disk_is_full) {
  SmallDisk disk(folder_.path() / "small");
  if (!disk.is_mounted()) GTEST_SKIP() << disk.why_not();
  serve(disk.url());
  ASSERT_TRUE(becomes("ok"));
  start_load();
  ASSERT_TRUE(has_come_to(0.02));
  disk.fill_up();
  expect_clean_load();
  EXPECT_EQ(l2_errors("corrupt"), 0);
  proxy_->process().signal(SIGTERM);
  EXPECT_EQ(proxy_->process().wait(), 0);
}

TEST_F(ChaosTest, the_disk_is_read_only) {
  SmallDisk disk(folder_.path() / "small");
  if (!disk.is_mounted()) GTEST_SKIP() << disk.why_not();
  serve(disk.url());
  ASSERT_TRUE(becomes("ok"));
  run_clean_load();
  proxy_->process().signal(SIGTERM);
  ASSERT_EQ(proxy_->process().wait(), 0);
  ASSERT_TRUE(disk.make_read_only());
  serve(disk.url());
  run_clean_load();
  EXPECT_TRUE(is_ready("degraded"));
}

}  // namespace
}  // namespace llm_edge_cache::test
