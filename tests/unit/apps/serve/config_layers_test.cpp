#include "serve/config_layers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <initializer_list>

#include "tests/support/certificates.hpp"
#include "tests/support/temp_dir.hpp"

namespace llm_edge_cache::app {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ConfigLayersTest : public ::testing::Test {
 protected:
  std::string yaml(const std::string& text) {
    const auto path = (directory_.path() / "proxy.yaml").string();
    std::ofstream(path) << text;
    return path;
  }

  // Every configuration here needs an upstream; the flag does not get in the way of the others.
  static Result<ServeConfig> load(FlagValues flags, const EnvironmentValues& environment,
                                  const std::string& file) {
    flags.emplace("upstream", "http://127.0.0.1:1");
    return load_config(flags, environment, file);
  }

  static std::string error_of(const Result<ServeConfig>& result) {
    return result.ok() ? "no error" : result.error().message;
  }

  test::TempDir directory_;
};

TEST_F(ConfigLayersTest, defaults_stand_where_nothing_is_said) {
  const auto config = load({}, {}, "");
  ASSERT_TRUE(config.ok()) << error_of(config);
  EXPECT_EQ(config->listen, "127.0.0.1:8080");
  EXPECT_EQ(config->admin_listen, "127.0.0.1:9090");
  EXPECT_EQ(config->l1_capacity, 1'000U);
  EXPECT_EQ(config->l1_ttl_seconds, 300U);
  EXPECT_FALSE(config->has_l2());
}

TEST_F(ConfigLayersTest, flags_win_over_environment_over_file_over_defaults) {
  const auto file = yaml("l1: {capacity: 1, ttl_seconds: 2, tti_seconds: 3}\n");
  const EnvironmentValues environment{{"LLM_EDGE_CACHE_L1_CAPACITY", "10"},
                                      {"LLM_EDGE_CACHE_L1_TTL_SECONDS", "20"}};
  const auto config = load({{"l1-capacity", "100"}}, environment, file);
  ASSERT_TRUE(config.ok()) << error_of(config);
  EXPECT_EQ(config->l1_capacity, 100U);
  EXPECT_EQ(config->l1_ttl_seconds, 20U);
  EXPECT_EQ(config->l1_tti_seconds, 3U);
  EXPECT_EQ(config->l1_max_bytes, ServeConfig().l1_max_bytes);
}

TEST_F(ConfigLayersTest, an_unknown_key_is_named_with_file_line_and_what_was_meant) {
  const auto file = yaml("listen: 127.0.0.1:0\nl1:\n  capcity: 5\n");
  const auto config = load({}, {}, file);
  EXPECT_EQ(error_of(config), file + ":3: unknown key 'l1.capcity' (did you mean 'l1.capacity'?)");
}

TEST_F(ConfigLayersTest, a_key_like_no_other_gets_no_suggestion) {
  EXPECT_THAT(error_of(load({}, {}, yaml("zzzzzzzzzzzz: 1\n"))),
              EndsWith(":1: unknown key 'zzzzzzzzzzzz'"));
}

TEST_F(ConfigLayersTest, a_bad_value_is_named_with_file_and_line) {
  EXPECT_THAT(error_of(load({}, {}, yaml("# size\nl1:\n  capacity: many\n"))),
              HasSubstr("proxy.yaml:3: l1.capacity: 'many' is not a whole number"));
}

TEST_F(ConfigLayersTest, an_origin_that_is_none_is_named_with_file_and_line) {
  EXPECT_THAT(
      error_of(load({}, {}, yaml("threads: 1\ncors_origins: 'https://a.example, https://b/'\n"))),
      EndsWith(
          "proxy.yaml:2: cors_origins: 'https://b/' is no origin: nothing goes before or after "
          "its host and port, no slash either"));
  EXPECT_THAT(error_of(load({{"cors-origins", "*,https://a"}}, {}, "")),
              StartsWith("--cors-origins: '*' is no origin: "));
  const auto config = load({{"cors-origins", "https://a.example ,http://localhost:3000"}}, {}, "");
  ASSERT_TRUE(config.ok()) << error_of(config);
  EXPECT_EQ(config->proxy_options({}).cors_origins,
            (std::vector<std::string>{"https://a.example", "http://localhost:3000"}));
  EXPECT_TRUE(load({}, {}, yaml("cors_origins: '*'\n")).ok());
}

TEST_F(ConfigLayersTest, a_key_given_twice_is_refused) {
  EXPECT_THAT(error_of(load({}, {}, yaml("threads: 1\nthreads: 2\n"))),
              HasSubstr("proxy.yaml:2: 'threads' is given twice"));
}

TEST_F(ConfigLayersTest, shapes_that_do_not_fit_are_refused) {
  EXPECT_THAT(error_of(load({}, {}, yaml("- 1\n"))), HasSubstr(":1: expected a mapping"));
  EXPECT_THAT(error_of(load({}, {}, yaml("l1: 5\n"))), HasSubstr("'l1' must be a mapping"));
  EXPECT_THAT(error_of(load({}, {}, yaml("threads: [1]\n"))), HasSubstr("must be a single value"));
  EXPECT_THAT(error_of(load({}, {}, yaml("a: b: c\n"))), HasSubstr("proxy.yaml:1: "));
}

TEST_F(ConfigLayersTest, an_empty_file_says_nothing) {
  EXPECT_TRUE(load({}, {}, yaml("")).ok());
  EXPECT_TRUE(load({}, {}, yaml("# nothing yet\n")).ok());
}

TEST_F(ConfigLayersTest, a_file_that_is_not_there_is_named) {
  const auto config = load({}, {}, "/nonexistent/proxy.yaml");
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().code, ErrorCode::kIo);
  EXPECT_THAT(error_of(config), HasSubstr("/nonexistent/proxy.yaml"));
}

TEST_F(ConfigLayersTest, an_unknown_variable_is_named) {
  EXPECT_EQ(error_of(load({}, {{"LLM_EDGE_CACHE_L1_CAPACTY", "1"}}, "")),
            "unknown environment variable LLM_EDGE_CACHE_L1_CAPACTY "
            "(did you mean 'LLM_EDGE_CACHE_L1_CAPACITY'?)");
}

TEST_F(ConfigLayersTest, what_kubernetes_says_of_a_service_of_our_name_is_none_of_ours) {
  EXPECT_TRUE(load({},
                   {{"LLM_EDGE_CACHE_SERVICE_HOST", "10.0.0.1"},
                    {"LLM_EDGE_CACHE_SERVICE_PORT", "8080"},
                    {"LLM_EDGE_CACHE_SERVICE_PORT_HTTP", "8080"},
                    {"LLM_EDGE_CACHE_PORT", "tcp://10.0.0.1:8080"},
                    {"LLM_EDGE_CACHE_PORT_8080_TCP_ADDR", "10.0.0.1"}},
                   "")
                  .ok());
}

TEST_F(ConfigLayersTest, what_kubernetes_says_of_services_beside_ours_is_none_of_ours) {
  for (const auto* variable :
       {"LLM_EDGE_CACHE_ADMIN_SERVICE_HOST", "LLM_EDGE_CACHE_ADMIN_SERVICE_PORT",
        "LLM_EDGE_CACHE_ADMIN_SERVICE_PORT_HTTP_2", "LLM_EDGE_CACHE_REDIS_PORT",
        "LLM_EDGE_CACHE_REDIS_PORT_6379_TCP", "LLM_EDGE_CACHE_ADMIN_PORT_9090_TCP_PROTO",
        "LLM_EDGE_CACHE_ADMIN_PORT_9090_TCP_PORT", "LLM_EDGE_CACHE_ADMIN_PORT_53_UDP_ADDR",
        "LLM_EDGE_CACHE_X_PORT_1_SCTP"}) {
    EXPECT_TRUE(load({}, {{variable, "x"}}, "").ok()) << variable;
  }
  for (const auto* variable :
       {"LLM_EDGE_CACHE_ADMIN_PORT_9090", "LLM_EDGE_CACHE_ADMIN_PORT_9090_TCP_NAME",
        "LLM_EDGE_CACHE_ADMIN_SERVICE", "LLM_EDGE_CACHE_SUPPORT", "LLM_EDGE_CACHE_PORT_HTTP_TCP"}) {
    EXPECT_THAT(error_of(load({}, {{variable, "x"}}, "")), HasSubstr(variable));
  }
}

TEST_F(ConfigLayersTest, the_token_of_the_admin_commands_is_none_of_ours) {
  EXPECT_TRUE(load({}, {{"LLM_EDGE_CACHE_ADMIN_TOKEN", "x"}}, "").ok());
}

TEST_F(ConfigLayersTest, a_credential_loses_the_line_end_behind_it) {
  const auto config = load({}, {{"LLM_EDGE_CACHE_UPSTREAM_CREDENTIAL", "sk-live\r\n"}}, "");
  ASSERT_TRUE(config.ok()) << error_of(config);
  EXPECT_EQ(config->upstream_credential, "sk-live");
}

TEST_F(ConfigLayersTest, a_credential_that_no_header_can_carry_is_refused_and_not_repeated) {
  for (const auto* credential :
       {"sk-live key", "sk-live\nkey", "sk-live\x7f", "sk-live-\xc3\xa9"}) {
    EXPECT_EQ(error_of(load({}, {{"LLM_EDGE_CACHE_UPSTREAM_CREDENTIAL", credential}}, "")),
              "LLM_EDGE_CACHE_UPSTREAM_CREDENTIAL has bytes that no header field can carry");
  }
}

TEST_F(ConfigLayersTest, a_key_without_a_name_is_not_that_of_a_secret) {
  EXPECT_THAT(error_of(load({}, {}, yaml("'': x\n"))), HasSubstr(":1: unknown key ''"));
}

TEST_F(ConfigLayersTest, an_empty_variable_is_not_set) {
  EXPECT_TRUE(load({}, {{"LLM_EDGE_CACHE_L1_CAPACITY", ""}}, "").ok());
}

TEST_F(ConfigLayersTest, the_environment_is_read_by_prefix) {
  ::setenv("LLM_EDGE_CACHE_THREADS", "3", 1);
  ::setenv("OTHER_THREADS", "4", 1);
  EXPECT_EQ(read_environment().at("LLM_EDGE_CACHE_THREADS"), "3");
  EXPECT_FALSE(read_environment().contains("OTHER_THREADS"));
  ::unsetenv("LLM_EDGE_CACHE_THREADS");
}

TEST_F(ConfigLayersTest, an_upstream_is_required) {
  EXPECT_THAT(error_of(load_config({}, {}, "")), HasSubstr("--upstream is required"));
}

TEST_F(ConfigLayersTest, addresses_and_urls_are_checked) {
  EXPECT_THAT(error_of(load({{"listen", "nowhere"}}, {}, "")), HasSubstr("--listen: 'nowhere'"));
  EXPECT_THAT(error_of(load({{"admin-listen", "1.2.3.4:x"}}, {}, "")), HasSubstr("--admin-listen"));
  EXPECT_THAT(error_of(load_config({{"upstream", "ftp://x"}}, {}, "")), HasSubstr("--upstream"));
  EXPECT_THAT(error_of(load({{"l2", "memcached://x"}}, {}, "")), HasSubstr("--l2"));
}

TEST_F(ConfigLayersTest, an_entry_cannot_be_larger_than_the_cache) {
  EXPECT_THAT(error_of(load({{"l1-max-bytes", "65536"}}, {}, "")), HasSubstr("--max-entry-bytes"));
}

TEST_F(ConfigLayersTest, what_is_wrong_with_the_whole_is_named_with_the_line_that_gave_it) {
  const auto file = yaml("threads: 1\nlisten: nowhere\n");
  EXPECT_THAT(error_of(load_config({{"upstream", "http://127.0.0.1:1"}}, {}, file)),
              StartsWith(file + ":2: listen: 'nowhere'"));
  const auto large = yaml("max_entry_bytes: 999999999999\n");
  EXPECT_EQ(error_of(load({}, {}, large)),
            large + ":1: max_entry_bytes: no entry can be larger than --l1-max-bytes");
  const auto tls = yaml("tls:\n  cert: /nonexistent\n  key: /nonexistent\n");
  EXPECT_THAT(error_of(load({}, {}, tls)), StartsWith(tls + ":2: tls.cert: certificate file"));
}

TEST_F(ConfigLayersTest, a_tenant_without_a_credential_to_go_up_with_is_named_with_its_line) {
  const auto file =
      yaml("tenants:\n  - name: team-a\n    keys: [\"sha256:" + std::string(64, 'a') + "\"]\n");
  EXPECT_THAT(error_of(load({}, {}, file)), StartsWith(file + ":2: tenants[1]: tenant 'team-a': "));
}

TEST_F(ConfigLayersTest, every_error_of_a_file_says_line_and_key) {
  struct Case {
    const char* yaml;
    const char* expected;
  };
  for (const auto& [text, expected] : std::initializer_list<Case>{
           {"scope:\n  credential_headers: x sub\n",
            ":2: scope.credential_headers: 'x sub' names no header field"},
           {"key:\n  headers: x y\n", ":2: key.headers: 'x y' names no header field"},
           {"scope:\n  mode: header\n  header: x y\n",
            ":3: scope.header must name a header field where the scope is one"},
           {"scope:\n  mode: header\n", ":2: scope.mode: --scope-header: goes with"},
           {"drain_timeout_ms: 0\n", ":1: drain_timeout_ms: '0' is not a whole number from 1"},
           {"l1:\n  max_bytes: 65536\n", ":2: l1.max_bytes: --max-entry-bytes: no entry"},
           {"l1:\n  ttl_seconds: 4294967295\n",
            ":2: l1.ttl_seconds must be at most a hundred years"},
           {"tls:\n  key: key.pem\n", ":2: tls.key: --tls-cert and --tls-key go together"},
           {"tls:\n  client_ca: ca.pem\n", ":2: tls.client_ca: needs --tls-cert and --tls-key"},
           {"upstreams:\n  - {name: a, members: [{url: http://a}]}\n"
            "  - {name: a, members: [{url: http://b}]}\n",
            ":3: upstreams[2]: upstream 'a': the name is given twice"},
       }) {
    const auto file = yaml(text);
    EXPECT_THAT(error_of(load({}, {}, file)), StartsWith(file + expected));
  }
}

TEST_F(ConfigLayersTest, of_the_files_of_tls_the_one_that_cannot_be_used_is_named) {
  test::CertificateAuthority authority;
  const auto cert = authority.issue("proxy", "DNS:localhost").certificate_file;
  const auto listener = yaml("tls:\n  cert: " + cert + "\n  key: /none\n");
  EXPECT_THAT(error_of(load({}, {}, listener)),
              StartsWith(listener + ":3: tls.key: key file '/none' cannot be used"));
  const auto store =
      yaml("l2:\n  url: rediss://h\n  tls_cert_file: " + cert + "\n  tls_key_file: /none\n");
  EXPECT_THAT(error_of(load({}, {}, store)),
              StartsWith(store + ":4: l2.tls_key_file: key file '/none' cannot be used"));
}

TEST_F(ConfigLayersTest, every_error_of_the_second_store_says_line_and_key) {
  struct Case {
    const char* yaml;
    const char* expected;
  };
  for (const auto& [text, expected] : std::initializer_list<Case>{
           {"  url: redis://:hunter2@h:x\n", ":2: l2.url: redis URL: "},
           {"  url: redis://h\n  flight_lease_ms: 50\n",
            ":3: l2.flight_lease_ms must be 0, or between 100 and 600,000"},
           {"  url: redis://h\n  key_prefix: ''\n", ":3: l2.key_prefix must not be empty"},
           {"  url: redis://h\n  read_from: replica\n", ":3: l2.read_from: only a cluster"},
           {"  url: redis://h\n  ttl_seconds: 4294967295\n", ":3: l2.ttl_seconds must be"},
           {"  url: redis://h\n  encryption_old_key_file: k\n",
            ":3: l2.encryption_old_key_file is of no use without --l2-encryption-key-file"},
           {"  url: redis://h\n  encryption_key_file: /none\n",
            ":3: l2.encryption_key_file: /none: "},
           {"  url: redis://h\n  old_dictionary_file: d\n",
            ":3: l2.old_dictionary_file is of no use without --l2-dictionary-file"},
           {"  url: redis://h\n  dictionary_file: /none\n", ":3: l2.dictionary_file: /none"},
           {"  url: redis://h\n  tls_key_file: k\n",
            ":3: l2.tls_key_file: --l2-tls-cert-file and --l2-tls-key-file go together"},
           {"  url: rediss://h\n  tls_ca_file: /none\n",
            ":3: l2.tls_ca_file: authority file '/none' cannot be used"},
           {"  url: disk:/tmp/x\n  max_bytes: 16777216\nl1: {max_bytes: 99999999}\n"
            "max_entry_bytes: 9000000\n",
            ":3: l2.max_bytes must be at least twice --max-entry-bytes"},
       }) {
    const auto file = yaml(std::string("l2:\n") + text);
    EXPECT_THAT(error_of(load({}, {}, file)), StartsWith(file + expected));
  }
}

TEST_F(ConfigLayersTest, what_the_command_line_gave_is_not_looked_for_in_the_file) {
  const auto file = yaml("l1: {max_bytes: 99999}\n");
  EXPECT_EQ(error_of(load({{"max-entry-bytes", "999999"}}, {}, file)),
            "--max-entry-bytes: no entry can be larger than --l1-max-bytes");
}

TEST_F(ConfigLayersTest, the_layer_that_won_is_named_and_no_other) {
  const auto file = yaml("max_entry_bytes: 1\n");
  const EnvironmentValues variable = {{"LLM_EDGE_CACHE_MAX_ENTRY_BYTES", "999999999999"}};
  EXPECT_THAT(error_of(load({}, variable, file)),
              StartsWith("LLM_EDGE_CACHE_MAX_ENTRY_BYTES: no entry can be larger"));
  EXPECT_THAT(error_of(load({{"max-entry-bytes", "999999999998"}}, variable, file)),
              StartsWith("--max-entry-bytes: no entry can be larger"));
}

TEST_F(ConfigLayersTest, an_error_never_repeats_a_password) {
  const auto config = load({{"l2", "redis://:hunter2@host:notaport"}}, {}, "");
  ASSERT_FALSE(config.ok());
  EXPECT_THAT(error_of(config), ::testing::Not(HasSubstr("hunter2")));
}

TEST_F(ConfigLayersTest, rules_come_from_the_file_in_its_order) {
  const auto file = yaml(
      "freshness: {stale_if_error_seconds: 9}\n"
      "rules:\n"
      "  - model: gpt-4o*\n"
      "    cache: never\n"
      "  - ttl_seconds: 60\n");
  const auto config = load({}, {}, file);
  ASSERT_TRUE(config.ok()) << error_of(config);
  ASSERT_EQ(config->rules.size(), 2U);
  EXPECT_EQ(config->rules[0].rule.model, "gpt-4o*");
  EXPECT_EQ(config->rules[1].origin, file + ":5: rules[2]");
  EXPECT_EQ(config->stale_if_error_seconds, 9U);
}

TEST_F(ConfigLayersTest, a_rule_that_no_tier_can_keep_is_named_with_its_line) {
  const auto file = yaml("rules:\n  - ttl_seconds: 301\n");
  EXPECT_EQ(error_of(load({}, {}, file)),
            file +
                ":2: rules[1]: no tier keeps an answer for more than 300 s: raise "
                "--l1-ttl-seconds or --l2-ttl-seconds");
  EXPECT_TRUE(load({{"l1-ttl-seconds", "301"}}, {}, file).ok());
  EXPECT_TRUE(load({{"l1-ttl-seconds", "0"}}, {}, file).ok());
  EXPECT_TRUE(load({{"l2", "redis://127.0.0.1"}}, {}, file).ok());
}

}  // namespace
}  // namespace llm_edge_cache::app
