// Pages in a browser in front of the real binary. The browser's part is played by what it checks of
// an answer's head (https://fetch.spec.whatwg.org/#cors-check).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include "base/sha256.hpp"
#include "tests/scenario/counting_provider.hpp"
#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kApp = "https://app.example";
const std::string kOther = "http://localhost:5173";
const std::string kStranger = "https://stranger.example";

// A request as a page of that origin has it sent.
std::string from(const std::string& origin, std::string request) {
  return request.insert(request.find("\r\n") + 2, "Origin: " + origin + "\r\n");
}

std::size_t count(const Answer& answer, const std::string& text) {
  std::string head = answer.head;
  for (char& c : head) c = static_cast<char>(std::tolower(c));
  std::size_t found = 0;
  for (auto at = head.find(text); at != std::string::npos; at = head.find(text, at + 1)) ++found;
  return found;
}

bool can_read(const Answer& answer, const std::string& origin) {
  const auto allowed = answer.field("access-control-allow-origin");
  return count(answer, "\naccess-control-allow-origin:") == 1 &&
         (allowed == origin || allowed == "*");
}

// As a browser asks before it sends a page's key and JSON.
Answer preflight(const Program& proxy, const std::string& origin,
                 const std::string& path = "/v1/chat/completions") {
  return ask(proxy.address("listen"),
             "OPTIONS " + path + " HTTP/1.1\r\nHost: proxy\r\nOrigin: " + origin +
                 "\r\nAccess-Control-Request-Method: POST\r\n"
                 "Access-Control-Request-Headers: authorization,content-type,x-llm-cache-ttl\r\n"
                 "\r\n");
}

Answer ask_from(const Program& proxy, const std::string& origin, const std::string& prompt = "Hi",
                bool stream = false) {
  return ask(proxy.address("listen"), from(origin, chat_request(prompt, stream)));
}

// Answers with permissions of its own, as providers do.
class PermissiveProvider {
 public:
  [[nodiscard]] std::string url() const { return server_.url(); }

 private:
  RawServer server_{[](RawPeer& peer) {
    while (peer.read_request()) {
      if (!peer.send(http_answer(chat_answer("Hello"), "application/json",
                                 "Access-Control-Allow-Origin: https://provider.example\r\n"
                                 "access-control-allow-credentials: true\r\n"))) {
        return;
      }
    }
  }};
};

class CorsTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const {
    return (directory_.path() / name).string();
  }
  static std::vector<std::string> arguments(const std::string& upstream,
                                            std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--cors-origins", kApp + ", " + kOther});
    return serve_arguments(upstream, std::move(more));
  }

  TempDir directory_;
};

TEST_F(CorsTest, a_page_reads_misses_hits_and_streams_whoever_stored_them) {
  const Program mock({"mock-provider", "--listen", "127.0.0.1:0"});
  const Program proxy(arguments(mock.url()));
  for (const bool stream : {false, true}) {
    const auto miss = ask_from(proxy, kApp, "Hi there", stream);
    EXPECT_TRUE(can_read(miss, kApp)) << miss.head;
    EXPECT_FALSE(can_read(miss, kOther)) << miss.head;
    const auto hit = ask_from(proxy, kOther, "Hi there", stream);
    EXPECT_THAT(hit.field("cache-status"), HasSubstr("; hit;"));
    EXPECT_TRUE(can_read(hit, kOther)) << hit.head;
    EXPECT_EQ(hit.field("access-control-expose-headers"), "*");
    EXPECT_EQ(hit.field("vary"), "Origin");
  }
}

TEST_F(CorsTest, the_proxys_word_stands_in_place_of_the_providers) {
  const PermissiveProvider provider;
  const Program proxy(arguments(provider.url()));
  const auto miss = ask_from(proxy, kApp);
  EXPECT_TRUE(can_read(miss, kApp)) << miss.head;
  EXPECT_EQ(count(miss, "access-control-allow-credentials"), 0U);
  for (const auto& answer : {ask_from(proxy, kStranger, "Ho"), ask_from(proxy, kStranger, "Ho"),
                             ask_chat(proxy.address("listen"), "Ho")}) {
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(count(answer, "access-control-"), 0U) << answer.head;
    EXPECT_EQ(answer.field("vary"), "Origin");
  }
}

TEST_F(CorsTest, without_origins_the_providers_word_passes_with_its_own_answer_alone) {
  const PermissiveProvider provider;
  const Program proxy(serve_arguments(provider.url()));
  EXPECT_EQ(ask_from(proxy, kApp).field("access-control-allow-origin"), "https://provider.example");
  const auto hit = ask_from(proxy, kApp);
  EXPECT_THAT(hit.head, AllOf(Not(HasSubstr("ccess-")), Not(HasSubstr("Vary"))));
}

// Every page that somebody opens who reaches the proxy could spend the operator's money.
TEST_F(CorsTest, without_origins_no_page_may_ask_with_the_operators_credential) {
  const PermissiveProvider provider;
  const Program proxy(serve_arguments(provider.url()),
                      {{"LLM_EDGE_CACHE_UPSTREAM_CREDENTIAL", "sk-operator"}});
  const auto asked = preflight(proxy, kApp);
  EXPECT_EQ(asked.status, 403);
  EXPECT_THAT(asked.body, HasSubstr("origin_not_allowed"));
  for (const auto& answer : {ask_from(proxy, kApp), ask_from(proxy, kApp)}) {
    EXPECT_EQ(answer.status, 200) << "a program may";
    EXPECT_EQ(count(answer, "access-control-"), 0U) << answer.head;
  }
}

TEST_F(CorsTest, what_a_restart_finds_in_its_folder_can_be_read_too) {
  const CountingProvider provider;
  const auto kept = arguments(
      provider.url(), {"--l2", "disk:" + path("cache"), "--l2-operation-timeout-ms", "20000"});
  const std::map<std::string, std::string> environment = {{"XDG_STATE_HOME", path("state")}};
  {
    Program proxy(kept, environment);
    EXPECT_TRUE(can_read(ask_from(proxy, kApp), kApp));
    proxy.process().signal(SIGTERM);
    ASSERT_EQ(proxy.process().wait(), 0);
  }
  const Program proxy(kept, environment);
  ASSERT_THAT(get(proxy.address("admin"), "/readyz").body, HasSubstr("\"l2\":\"ok\""));
  const auto hit = ask_from(proxy, kOther);
  EXPECT_THAT(hit.field("cache-status"), HasSubstr("hit"));
  EXPECT_TRUE(can_read(hit, kOther)) << hit.head;
  EXPECT_EQ(provider.count(), 1U);
}

TEST_F(CorsTest, a_preflight_is_answered_before_anybody_is_let_in_and_goes_nowhere) {
  const CountingProvider provider;
  std::ofstream(path("proxy.yaml"))
      << "tenants:\n  - {name: a, keys: ['sha256:" << to_hex(sha256("lec_key")) << "']}\n";
  const Program proxy(arguments(provider.url(), {"--config", path("proxy.yaml")}),
                      {{"LLM_EDGE_CACHE_UPSTREAM_CREDENTIAL", "sk-1"}});
  const auto yes = preflight(proxy, kApp);
  EXPECT_EQ(yes.status, 204);
  EXPECT_TRUE(can_read(yes, kApp)) << yes.head;
  EXPECT_THAT(yes.field("access-control-allow-methods"), HasSubstr("POST"));
  EXPECT_EQ(yes.field("access-control-allow-headers"),
            "authorization,content-type,x-llm-cache-ttl");
  const auto no = preflight(proxy, kStranger, "/v1/messages");
  EXPECT_EQ(no.status, 403);
  EXPECT_THAT(no.body, HasSubstr("permission_error"));
  EXPECT_EQ(count(no, "access-control-"), 0U) << no.head;
  const auto refused = ask_from(proxy, kApp);
  EXPECT_EQ(refused.status, 401);
  EXPECT_TRUE(can_read(refused, kApp)) << refused.head;
  EXPECT_EQ(provider.count(), 0U);
}

TEST_F(CorsTest, errors_of_the_server_and_of_the_provider_can_be_read) {
  const RawServer gone([](RawPeer&) {});
  const Program proxy(arguments(gone.url(), {"--max-body-bytes", "1024"}));
  const auto failed = ask_from(proxy, kApp);
  EXPECT_EQ(failed.status, 502);
  EXPECT_TRUE(can_read(failed, kApp)) << failed.head;
  const auto too_large = ask_from(proxy, kApp, std::string(1'024, 'x'));
  EXPECT_EQ(too_large.status, 413);
  EXPECT_TRUE(can_read(too_large, kApp)) << too_large.head;
  const auto expectation =
      ask(proxy.address("listen"),
          "POST /v1/messages HTTP/1.1\r\nHost: h\r\nExpect: miracles\r\nOrigin: " + kApp +
              "\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(expectation.status, 417);
  EXPECT_TRUE(can_read(expectation, kApp)) << expectation.head;
}

TEST_F(CorsTest, the_admin_listener_lets_no_page_in) {
  const CountingProvider provider;
  const Program proxy(serve_arguments(provider.url(), {"--cors-origins", "*"}));
  EXPECT_TRUE(can_read(ask_from(proxy, kStranger), kStranger));
  for (const auto* method : {"GET", "OPTIONS"}) {
    const auto answer =
        ask(proxy.address("admin"), std::string(method) +
                                        " /stats HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: " + kApp +
                                        "\r\nAccess-Control-Request-Method: POST\r\n\r\n");
    EXPECT_EQ(count(answer, "access-control-"), 0U) << answer.head;
  }
}

TEST_F(CorsTest, a_reload_lets_other_pages_in_and_an_origin_that_is_none_changes_nothing) {
  const CountingProvider provider;
  const auto file = path("proxy.yaml");
  std::ofstream(file) << "cors_origins: " << kApp << "\n";
  Program proxy(serve_arguments(provider.url(), {"--config", file}));
  EXPECT_TRUE(can_read(ask_from(proxy, kApp), kApp));
  std::ofstream(file) << "threads: 0\ncors_origins: " << kOther << "/\n";
  proxy.process().signal(SIGHUP);
  EXPECT_TRUE(
      proxy.process().wait_for_line(file + ":2: cors_origins: '" + kOther + "/' is no origin: "));
  EXPECT_TRUE(can_read(ask_from(proxy, kApp), kApp));
  std::ofstream(file) << "cors_origins: " << kOther << "\n";
  proxy.process().signal(SIGHUP);
  EXPECT_TRUE(proxy.process().wait_for_line("reloaded: "));
  EXPECT_FALSE(can_read(ask_from(proxy, kApp), kApp));
  EXPECT_TRUE(can_read(ask_from(proxy, kOther), kOther));
}

TEST_F(CorsTest, check_names_line_and_key_of_an_origin_that_is_none) {
  const auto file = path("proxy.yaml");
  std::ofstream(file) << "upstream: {url: \"http://127.0.0.1:1\"}\n\ncors_origins: https://*.a\n";
  const auto ended = run_program({"serve", "--check", "--config", file});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.error, HasSubstr(file + ":3: cors_origins: 'https://*.a' is no origin: "));
}

}  // namespace
}  // namespace llm_edge_cache::test
