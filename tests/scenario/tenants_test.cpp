// Gateway keys over the real binary: who is let in, whose answers they get, what goes up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/sha256.hpp"
#include "http/server.hpp"
#include "mock_provider/mock_chat.hpp"
#include "tests/scenario/counting_provider.hpp"
#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kKeyA = "Authorization: Bearer lec_key_of_a\r\n";
constexpr const char* kKeyB = "Authorization: Bearer lec_key_of_b\r\n";

// Answers chat, and keeps the credentials that came up.
class WatchingProvider final : public http::Handler {
 public:
  void handle(std::shared_ptr<http::Exchange> exchange) override {
    {
      const std::lock_guard lock(mutex_);
      for (const auto& field : exchange->head().headers) {
        seen_ += std::string(field.name) + ": " + std::string(field.value) + "\n";
      }
    }
    exchange->read_body(1U << 20U, [exchange](Result<std::string> body) {
      if (!body) return;
      http::ResponseHead head;
      head.headers.add("Content-Type", "application/json");
      exchange->respond(std::move(head), http::SharedBytes(app::mock_chat(*body).body()));
    });
  }
  std::string seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  std::mutex mutex_;
  std::string seen_;
};

std::string hash_of(const std::string& key) {
  return "sha256:" + to_hex(sha256(key));
}

class TenantsTest : public ::testing::Test {
 protected:
  TenantsTest() {
    http::ServerOptions options;
    options.listen = "127.0.0.1:0";
    server_ = std::make_unique<http::Server>(threads_, options, provider_);
    std::ofstream(token_file()) << "a-token-of-the-operator\n";
    std::filesystem::permissions(token_file(), std::filesystem::perms::owner_read);
  }

  [[nodiscard]] std::string token_file() const { return (dir_.path() / "token").string(); }
  [[nodiscard]] std::string config_file() const { return (dir_.path() / "proxy.yaml").string(); }
  void write_config(const std::string& more_of_a, const std::string& rest = "") const {
    std::ofstream(config_file()) << "tenants:\n"
                                 << "  - name: team-a\n    keys: ['" << hash_of("lec_key_of_a")
                                 << "']\n"
                                 << more_of_a << "  - name: team-b\n    keys: ['"
                                 << hash_of("lec_key_of_b") << "']\n"
                                 << rest;
  }
  [[nodiscard]] std::vector<std::string> arguments() const {
    return serve_arguments("http://127.0.0.1:" + std::to_string(server_->port()),
                           {"--config", config_file(), "--admin-token-file", token_file()});
  }
  [[nodiscard]] std::map<std::string, std::string> environment() const {
    return {{"XDG_STATE_HOME", (dir_.path() / "state").string()},
            {"LLM_EDGE_CACHE_UPSTREAM_CREDENTIAL", "sk-of-the-operator"}};
  }
  static Answer asked(const Program& proxy, const std::string& fields,
                      const std::string& prompt = "Hi") {
    auto request = chat_request(prompt);
    // Without the credential that the helper may send.
    for (const std::string name : {"Authorization", "authorization"}) {
      if (const auto at = request.find("\r\n" + name + ":"); at != std::string::npos) {
        request.erase(at + 2, request.find("\r\n", at + 2) - at);
      }
    }
    request.insert(request.find("\r\n") + 2, fields);
    return ask(proxy.address("listen"), request);
  }
  std::string metrics(const Program& proxy) const {
    return ask(proxy.address("admin"),
               "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n"
               "Authorization: Bearer a-token-of-the-operator\r\n\r\n")
        .body;
  }

  TempDir dir_;
  http::IoThreads threads_{{.threads = 1}};
  std::shared_ptr<WatchingProvider> provider_ = std::make_shared<WatchingProvider>();
  std::unique_ptr<http::Server> server_;
};

TEST_F(TenantsTest, a_gateway_key_opens_the_proxy_and_never_goes_up) {
  write_config("");
  Program proxy(arguments(), environment());
  EXPECT_EQ(asked(proxy, std::string(kKeyA) + "x-api-key: sk-of-a-client\r\n").status, 200);
  EXPECT_THAT(provider_->seen(), AllOf(HasSubstr("Bearer sk-of-the-operator"),
                                       Not(HasSubstr("lec_key")), Not(HasSubstr("sk-of-a"))));
  EXPECT_THAT(asked(proxy, kKeyA).field("cache-status"), HasSubstr("; hit;"));
}

TEST_F(TenantsTest, without_a_known_key_the_answer_is_401_in_the_words_of_the_path) {
  write_config("");
  Program proxy(arguments(), environment());
  const auto refused = asked(proxy, "Authorization: Bearer lec_other\r\n");
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(refused.body, HasSubstr("\"code\":\"unknown_key\""));
  EXPECT_EQ(refused.field("www-authenticate"), "Bearer");
  const auto messages = ask(proxy.address("listen"),
                            "POST /v1/messages HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(messages.status, 401);
  EXPECT_THAT(messages.body, HasSubstr("authentication_error"));
  EXPECT_EQ(get(proxy.address("listen"), "/v1/models").status, 401);
  EXPECT_EQ(provider_->seen(), "");
}

TEST_F(TenantsTest, no_header_shows_a_tenant_anothers_answer) {
  write_config("");
  Program proxy(arguments(), environment());
  const std::string tags = "x-llm-cache-tags: team-a\r\n";
  const std::string space = "x-llm-cache-namespace: team-a\r\n";
  EXPECT_EQ(asked(proxy, kKeyA).status, 200);
  EXPECT_EQ(asked(proxy, kKeyA + space + tags).status, 200);
  for (const auto& more :
       {std::string(), space, tags, space + tags, std::string("x-api-key: lec_key_of_b\r\n"),
        std::string("x-llm-cache-namespace: team-b\r\n")}) {
    const auto answer = asked(proxy, kKeyB + more + "cache-control: only-if-cached\r\n");
    EXPECT_EQ(answer.status, 504) << more << answer.head;
  }
  for (const std::string& both : {std::string(kKeyB) + kKeyA, std::string(kKeyA) + kKeyB,
                                  std::string(kKeyB) + "x-api-key: lec_key_of_a\r\n"}) {
    EXPECT_EQ(asked(proxy, both).status, 401) << both;
  }
}

TEST_F(TenantsTest, tenants_that_name_one_namespace_share) {
  std::ofstream(config_file()) << "tenants:\n"
                               << "  - {name: a, namespace: one, keys: ['"
                               << hash_of("lec_key_of_a") << "']}\n"
                               << "  - {name: b, namespace: one, keys: ['"
                               << hash_of("lec_key_of_b") << "']}\n";
  Program proxy(arguments(), environment());
  EXPECT_EQ(asked(proxy, kKeyA).status, 200);
  EXPECT_THAT(asked(proxy, kKeyB).field("cache-status"), HasSubstr("; hit;"));
}

TEST_F(TenantsTest, a_flight_that_was_refused_for_its_leaders_credential_refuses_nobody_else) {
  std::promise<void> both_ask;
  const RawServer provider([wait = both_ask.get_future().share()](RawPeer& peer) {
    while (const auto request = peer.read_request()) {
      if (request->find("Bearer sk-of-a") == std::string::npos) {
        if (!peer.send(http_answer(chat_answer("for b")))) return;
        continue;
      }
      wait.wait();
      peer.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}");
    }
  });
  std::ofstream(config_file()) << "tenants:\n"
                               << "  - {name: a, namespace: one, keys: ['"
                               << hash_of("lec_key_of_a") << "'], credentials: {default: OF_A}}\n"
                               << "  - {name: b, namespace: one, keys: ['"
                               << hash_of("lec_key_of_b") << "']}\n";
  auto secrets = environment();
  secrets["OF_A"] = "sk-of-a";
  Program proxy(serve_arguments(provider.url(),
                                {"--config", config_file(), "--admin-token-file", token_file()}),
                secrets);
  auto a = std::async(std::launch::async, [&] { return asked(proxy, kKeyA); });
  const auto lookups = [&](const std::string& count) {
    return metrics(proxy).find("llm_edge_cache_misses_total{tier=\"l1\"} " + count + "\n") !=
           std::string::npos;
  };
  EXPECT_TRUE(eventually([&] { return lookups("1"); }));
  auto b = std::async(std::launch::async, [&] { return asked(proxy, kKeyB); });
  EXPECT_TRUE(eventually([&] { return lookups("2"); }));
  both_ask.set_value();
  EXPECT_EQ(a.get().status, 401);
  const auto answer = b.get();
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("for b"));
  EXPECT_EQ(provider.connections(), 2U);
}

TEST_F(TenantsTest, over_its_rate_a_tenant_gets_429_and_others_do_not) {
  write_config("    requests_per_second: 0.001\n    burst: 2\n");
  Program proxy(arguments(), environment());
  EXPECT_EQ(asked(proxy, kKeyA).status, 200);
  EXPECT_EQ(asked(proxy, kKeyA).status, 200);
  const auto refused = asked(proxy, kKeyA);
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.body, HasSubstr("\"code\":\"tenant_rate_limit\""));
  EXPECT_GT(std::stoi(refused.field("retry-after")), 900);
  EXPECT_EQ(asked(proxy, kKeyB).status, 200);
  const auto text = metrics(proxy);
  EXPECT_THAT(text,
              HasSubstr("llm_edge_tenant_refused_total{tenant=\"team-a\",reason=\"rate\"} 1"));
  EXPECT_THAT(text, HasSubstr("llm_edge_tenant_hits_total{tenant=\"team-a\"} 1"));
}

TEST_F(TenantsTest, where_calls_count_what_the_cache_has_is_free) {
  write_config("    requests_per_second: 0.001\n    burst: 1\n",
               "tenant_rate_counts: upstream_calls\n");
  Program proxy(arguments(), environment());
  EXPECT_EQ(asked(proxy, kKeyA).status, 200);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(asked(proxy, kKeyA).status, 200);
  EXPECT_EQ(asked(proxy, kKeyA, "another question").status, 429);
  EXPECT_EQ(asked(proxy, kKeyA).status, 200);
}

TEST_F(TenantsTest, a_tenant_cannot_use_the_admin_listener_and_its_answers_are_purged_by_name) {
  write_config("");
  Program proxy(arguments(), environment());
  EXPECT_EQ(asked(proxy, kKeyA).status, 200);
  EXPECT_EQ(asked(proxy, kKeyB).status, 200);
  EXPECT_EQ(ask(proxy.address("admin"),
                "GET /stats HTTP/1.1\r\nHost: 127.0.0.1\r\n" + std::string(kKeyA) + "\r\n")
                .status,
            401);
  const auto purged = run_program({"purge", "--namespace", "team-a", "--admin", proxy.url("admin"),
                                   "--token-file", token_file()});
  EXPECT_EQ(purged.status, 0) << purged.error;
  EXPECT_THAT(asked(proxy, kKeyA).field("cache-status"), HasSubstr("fwd="));
  EXPECT_THAT(asked(proxy, kKeyB).field("cache-status"), HasSubstr("; hit;"));
}

TEST_F(TenantsTest, a_reload_takes_keys_over_and_a_broken_one_changes_nothing) {
  write_config("");
  Program proxy(arguments(), environment());
  EXPECT_EQ(asked(proxy, kKeyA).status, 200);
  std::ofstream(config_file()) << "tenants:\n  - {name: team-c}\n";
  proxy.process().signal(SIGHUP);
  EXPECT_TRUE(proxy.process().wait_for_line("reload failed, nothing has changed"));
  EXPECT_THAT(asked(proxy, kKeyA).field("cache-status"), HasSubstr("; hit;"));
  std::ofstream(config_file()) << "tenants:\n  - {name: team-a, keys: ['" << hash_of("lec_new")
                               << "']}\n";
  proxy.process().signal(SIGHUP);
  EXPECT_TRUE(proxy.process().wait_for_line("reloaded: "));
  EXPECT_EQ(asked(proxy, kKeyA).status, 401);
  EXPECT_THAT(asked(proxy, "x-api-key: lec_new\r\n").field("cache-status"), HasSubstr("; hit;"));
  EXPECT_THAT(metrics(proxy),
              AllOf(HasSubstr("llm_edge_config_reloads_total{result=\"ok\"} 1"),
                    HasSubstr("llm_edge_config_reloads_total{result=\"error\"} 1")));
}

// The secret of scopes is the same, though all others share.
TEST_F(TenantsTest, a_restart_keeps_a_tenants_answers_where_all_others_share) {
  write_config(
      "", "scope: {mode: shared}\nl2: {url: 'disk:" + (dir_.path() / "cache").string() + "'}\n");
  {
    Program proxy(arguments(), environment());
    EXPECT_EQ(asked(proxy, kKeyA).status, 200);
    proxy.process().signal(SIGTERM);
    ASSERT_EQ(proxy.process().wait(), 0);
  }
  Program proxy(arguments(), environment());
  EXPECT_THAT(asked(proxy, kKeyA).field("cache-status"), HasSubstr("detail=l2"));
  EXPECT_THAT(asked(proxy, kKeyB).field("cache-status"), Not(HasSubstr("; hit;")));
}

std::size_t lines_with(ChildProcess& process, std::string_view text) {
  const auto output = process.error_output();
  std::size_t count = 0;
  for (auto at = output.find(text); at != std::string::npos; at = output.find(text, at + 1)) {
    ++count;
  }
  return count;
}

TEST_F(TenantsTest, each_reload_says_what_still_waits_for_a_restart) {
  const auto store = "l2: {url: 'disk:" + (dir_.path() / "cache").string() + "'}\n";
  write_config("", store);
  Program proxy(arguments(), environment());
  write_config("", store + "rules:\n  - stale_if_error_seconds: 60\n");
  for (const std::size_t reloads : {1U, 2U}) {
    proxy.process().signal(SIGHUP);
    EXPECT_TRUE(eventually([&] {
      return lines_with(proxy.process(), "restart is needed for: rules (--l2 keeps") == reloads;
    }));
  }
  write_config("", store + "cors_origins: '*'\nunknown_keys: pass\n");
  proxy.process().signal(SIGHUP);
  EXPECT_TRUE(proxy.process().wait_for_line("--cors-origins * lets every page"));
}

TEST_F(TenantsTest, without_tenants_credentials_can_have_limits_of_their_own) {
  const std::vector<std::string> limits = {"--credential-requests-per-second", "0.001",
                                           "--credential-burst", "2"};
  const auto upstream = "http://127.0.0.1:" + std::to_string(server_->port());
  Program proxy(serve_arguments(upstream, limits));
  const std::string one = "Authorization: Bearer sk-one\r\n";
  EXPECT_EQ(asked(proxy, one).status, 200);
  EXPECT_EQ(asked(proxy, one + "x-api-key: fresh\r\n").status, 200);
  const auto refused = asked(proxy, "authorization: bearer  sk-one\r\ncookie: fresh\r\n");
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.body, HasSubstr("\"code\":\"credential_rate_limit\""));
  EXPECT_GT(std::stoi(refused.field("retry-after")), 900);
  EXPECT_EQ(asked(proxy, "Authorization: Bearer sk-two\r\n").status, 200);
  EXPECT_THAT(get(proxy.address("admin"), "/metrics").body,
              HasSubstr("llm_edge_credential_refused_total{reason=\"rate\"} 1"));
  const auto check = run_program(
      serve_arguments(upstream, {"--credential-requests-per-second", "fast", "--check"}));
  EXPECT_EQ(check.status, 2);
  EXPECT_THAT(check.error, HasSubstr("--credential-requests-per-second: 'fast' is not a number"));
}

TEST_F(TenantsTest, check_says_that_an_upstream_has_no_credential) {
  write_config("");
  auto check = arguments();
  check.push_back("--check");
  const auto ended = run_program(check);
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.error, HasSubstr("upstream 'default' has no credential"));
}

}  // namespace
}  // namespace llm_edge_cache::test
