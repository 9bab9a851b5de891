// Fields, paths, bodies and sizes that are meant to get somebody else's answer, or to break things.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/scenario/counting_provider.hpp"
#include "tests/scenario/metrics.hpp"
#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"

namespace llm_edge_cache::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

std::string request(std::string_view fields, std::string_view body,
                    std::string_view target = "/v1/chat/completions") {
  std::string bytes = "POST ";
  return bytes.append(target)
      .append(" HTTP/1.1\r\nHost: x\r\nContent-Length: ")
      .append(std::to_string(body.size()))
      .append("\r\n")
      .append(fields)
      .append("\r\n")
      .append(body);
}

std::string body_of(std::string_view prompt, std::string_view more = "") {
  std::string body = R"({"model":"gpt-4o","messages":[{"role":"user","content":")";
  return body.append(prompt).append("\"}]").append(more).append("}");
}

// One proxy for all: each test asks what no other asks.
class HostileFieldsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    provider_ = std::make_unique<CountingProvider>();
    proxy_ = std::make_unique<Program>(serve_arguments(
        provider_->url(), {"--max-body-bytes", "1000000", "--l1-capacity", "100000"}));
  }
  static void TearDownTestSuite() {
    proxy_.reset();
    provider_.reset();
  }

  static Answer send(const std::string& bytes) { return ask(proxy_->address("listen"), bytes); }
  static bool is_hit(const Answer& answer) {
    return answer.field("cache-status").find("; hit;") != std::string::npos;
  }
  // Asks twice: the second time is a hit only where the answer was stored.
  static bool is_cached(const std::string& bytes) {
    (void)send(bytes);
    return is_hit(send(bytes));
  }

  static inline std::unique_ptr<CountingProvider> provider_;
  static inline std::unique_ptr<Program> proxy_;
};

TEST_F(HostileFieldsTest, a_second_credential_opens_nobody_elses_scope) {
  const auto body = body_of("mine alone");
  const std::string alice = "Authorization: Bearer alice\r\n";
  const std::string bob = "Authorization: Bearer bob\r\n";
  const std::string key = "x-api-key: alice\r\n";
  std::map<std::string, std::string> answers;
  for (const auto& fields : {alice, bob, alice + bob, bob + alice, alice + key, key, key + key,
                             bob + key, std::string(), std::string("Authorization: \r\n")}) {
    const auto answer = send(request(fields, body));
    EXPECT_FALSE(is_hit(answer)) << fields;
    EXPECT_TRUE(answers.emplace(answer.body, fields).second) << fields;
  }
}

TEST_F(HostileFieldsTest, a_credential_that_does_not_go_up_opens_no_scope) {
  const auto body = body_of("who asks");
  (void)send(request("Authorization: Bearer carol\r\n", body));
  const auto before = provider_->count();
  const auto answer =
      send(request("Authorization: Bearer carol\r\nConnection: authorization\r\n", body));
  EXPECT_FALSE(is_hit(answer));
  ASSERT_EQ(provider_->count(), before + 1);
  EXPECT_THAT(provider_->last(), Not(HasSubstr("carol")));
}

// Else whoever shares a scope could have an answer of one version stored for another.
TEST_F(HostileFieldsTest, a_field_that_does_not_go_up_is_no_part_of_the_key) {
  const auto body = body_of("which version");
  const auto poison = send(request("openai-beta: two\r\nConnection: close, OpenAI-Beta\r\n", body));
  EXPECT_THAT(provider_->last(), Not(HasSubstr("two")));
  const auto answer = send(request("openai-beta: two\r\n", body));
  EXPECT_FALSE(is_hit(answer));
  EXPECT_NE(answer.body, poison.body);
  EXPECT_EQ(send(request("", body)).body, poison.body);
}

TEST_F(HostileFieldsTest, two_namespaces_or_lifetimes_are_refused) {
  const auto body = body_of("two namespaces");
  EXPECT_EQ(send(request("x-llm-cache-namespace: a\r\nx-llm-cache-namespace: b\r\n", body)).status,
            400);
  EXPECT_EQ(send(request("x-llm-cache-ttl: 1\r\nX-LLM-Cache-TTL: 2\r\n", body)).status, 400);
  EXPECT_EQ(send(request("x-llm-cache-ttl: 1e3\r\n", body)).status, 400);
  EXPECT_EQ(send(request("x-llm-cache-ttl: -1\r\n", body)).status, 400);
}

TEST_F(HostileFieldsTest, a_member_twice_is_never_cached) {
  for (const std::string& body : {std::string(R"({"model":"a","model":"b","messages":[]})"),
                                  std::string(R"({"model":"a","mod\u0065l":"b","messages":[]})"),
                                  body_of("twice", R"(,"x":{"y":{"z":1,"z":2}})"),
                                  body_of("twice", R"(,"x":[[{"a":1},{"b":1,"b":1}]])"),
                                  body_of("twice", R"(,"stream":false,"stream":false)"),
                                  body_of("twice", R"(,"user":{"a":1,"a":2})")}) {
    const auto before = provider_->count();
    EXPECT_FALSE(is_cached(request("", body))) << body;
    EXPECT_EQ(provider_->count(), before + 2) << body;
    EXPECT_TRUE(provider_->last().ends_with("\r\n\r\n" + body)) << "went up changed";
  }
}

TEST_F(HostileFieldsTest, text_that_is_not_json_is_passed_on_and_never_cached) {
  for (const std::string& body :
       {body_of("bad \x80 utf-8"), body_of("overlong \xc0\xaf"), body_of("half \\ud800"),
        body_of("raw \x01 control"), body_of("trailing", ",}"), body_of("x") + "x",
        std::string("[]"), std::string("\"x\""), std::string(), std::string("{\"a\":NaN}"),
        std::string("{\"a\":1e999}"), "\xef\xbb\xbf" + body_of("bom"),
        body_of("deep", ",\"x\":" + std::string(200, '[') + std::string(200, ']'))}) {
    EXPECT_FALSE(is_cached(request("", body))) << body;
    EXPECT_TRUE(provider_->last().ends_with("\r\n\r\n" + body)) << "went up changed";
  }
}

TEST_F(HostileFieldsTest, another_spelling_of_a_path_is_another_path) {
  const auto body = body_of("one path");
  ASSERT_TRUE(is_cached(request("", body)));
  for (const std::string target :
       {"/v1/chat/completions/", "//v1/chat/completions", "/v1//chat/completions",
        "/v1/./chat/completions", "/v1/x/../chat/completions", "/V1/Chat/Completions",
        "/v1/chat%2Fcompletions", "/v1/chat/%63ompletions", "/v1/chat/completions;x=1",
        "/v1/chat/completions%00", "/v1/chat/completions%3Fx", "/v1/chat/completions?",
        "/v1/chat/completions?x=1", "/v1/chat/completions/../../../metrics", "/metrics",
        "/v1/../purge"}) {
    const auto answer = send(request("", body, target));
    EXPECT_FALSE(is_hit(answer)) << target;
    EXPECT_TRUE(provider_->last().starts_with("POST " + target + " HTTP/1.1\r\n")) << target;
  }
  EXPECT_TRUE(is_hit(send(request("", body, "http://x/v1/chat/completions"))));
}

TEST_F(HostileFieldsTest, another_spelling_of_an_admin_path_is_nothing) {
  (void)send(request("", body_of("kept")));
  for (const std::string target :
       {"/METRICS", "//metrics", "/metrics/", "/./metrics", "/%6detrics", "/x/../metrics",
        "/entries/..%2fmetrics", "/purge/", "/%70urge", "/entries/"}) {
    EXPECT_GE(get(proxy_->address("admin"), target).status, 400) << target;
    EXPECT_GE(ask(proxy_->address("admin"),
                  request("Content-Type: application/json\r\n", R"({"all":true})", target))
                  .status,
              400)
        << target;
  }
  EXPECT_TRUE(is_hit(send(request("", body_of("kept")))));
}

TEST_F(HostileFieldsTest, too_much_is_refused_by_name) {
  const auto body = body_of("large");
  const auto fields = [](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "X-" + std::to_string(i) + ": y\r\n";
    return text;
  };
  EXPECT_EQ(send(request("", body, "/" + std::string(9'000, 'x'))).status, 414);
  EXPECT_EQ(send(request("X: " + std::string(70'000, 'y') + "\r\n", body)).status, 431);
  EXPECT_EQ(send(request(std::string(70'000, 'n') + ": y\r\n", body)).status, 431);
  EXPECT_EQ(send(request(fields(200), body)).status, 431);
  EXPECT_EQ(send(request("", std::string(1'000'001, ' '))).status, 413);
  EXPECT_EQ(send(request("x-llm-cache-namespace: " + std::string(257, 'n') + "\r\n", body)).status,
            400);
  EXPECT_EQ(send(request("x-llm-cache-tags: " + std::string(65, 't') + "\r\n", body)).status, 400);
  std::string tags = "x-llm-cache-tags: 0";
  for (int i = 1; i < 17; ++i) tags += "," + std::to_string(i);
  EXPECT_EQ(send(request(tags + "\r\n", body)).status, 400);
  EXPECT_EQ(send(request("", body)).status, 200);
}

TEST_F(HostileFieldsTest, different_requests_never_share_an_answer) {
  const std::string a = body_of("injection");
  const std::vector<std::string> different = {
      request("", a),
      request("x-llm-cache-namespace: n\r\n", a),
      request("x-llm-cache-namespace: N\r\n", a),
      request("x-llm-cache-namespace: n|/v1/chat/completions\r\n", a),
      request("x-llm-cache-namespace: n openai-project: p\r\n", a),
      request("openai-project: p\r\n", a),
      request("openai-project: p\r\nx-llm-cache-namespace: n\r\n", a),
      request("openai-organization: p\r\n", a),
      request("openai-organization: p\r\nopenai-project: q\r\n", a),
      request("openai-organization: q\r\nopenai-project: p\r\n", a),
      request("openai-organization: pq\r\n", a),
      request("openai-organization: p\r\nopenai-organization: q\r\n", a),
      request("openai-organization: p, q\r\n", a),
      request("openai-organization: p|openai-project|q\r\n", a),
      request("openai-organization:\r\n", a),
      request("Authorization: Bearer n\r\n", a),
      request("Authorization: bearer n\r\n", a),
      request("x-api-key: Bearer n\r\n", a),
      request("", a, "/v1/chat/completions?a=b"),
      request("", a, "/v1/chat/completions?a%3Db"),
      request("", a, "/v1/chat/completions?b=a"),
      request("", body_of("injection ")),
      request("", body_of("Injection")),
      request("", body_of("injection\\u0000")),
      request("", body_of("injection\\u0000\\u0000")),
      request("", body_of("injection\\n")),
      request("", body_of("caf\xc3\xa9")),   // composed
      request("", body_of("cafe\xcc\x81")),  // decomposed
      request("", body_of("caf\\u00c9")),    // another letter
      request("", body_of("\xef\xac\x81")),  // a ligature, and its letters
      request("", body_of("fi")),
      request("", body_of("injection", R"(,"n":1)")),
      request("", body_of("injection", R"(,"n":"1")")),
      request("", body_of("injection", R"(,"n":1.5)")),
      request("", body_of("injection", R"(,"n":-1)")),
      request("", body_of("injection", R"(,"n":true)")),
      request("", body_of("injection", R"(,"n":null)")),
      request("", body_of("injection", R"(,"n":[])")),
      request("", body_of("injection", R"(,"n":{})")),
      request("", body_of("injection", R"(,"n":[1,2])")),
      request("", body_of("injection", R"(,"n":[2,1])")),
      request("", body_of("injection", R"(,"n":[[1],2])")),
      request("", body_of("injection", R"(,"n":9007199254740993)")),
      request("", body_of("injection", R"(,"n":9007199254740992)")),
      request("", body_of("injection", R"(,"N":1)")),
      request("", body_of("injection", R"(,"":1)")),
      request("", body_of("injection", R"(,"n\u0000":1)")),
      request("", body_of("injection", R"(,"n":0.1)")),
      request("", body_of("injection", R"(,"n":0.10000000000000002)")),
      request("", body_of("injection", R"(,"m":1)")),
      request("", body_of("injection\\\",\\\"n\\\":1")),
  };
  std::map<std::string, std::size_t> asked;
  for (std::size_t i = 0; i < different.size(); ++i) {
    const auto answer = send(different[i]);
    EXPECT_FALSE(is_hit(answer)) << different[i];
    const auto [other, is_new] = asked.emplace(answer.body, i);
    EXPECT_TRUE(is_new) << different[i] << "\nhad the answer of\n" << different[other->second];
  }
  for (const auto& [body, i] : asked) EXPECT_EQ(send(different[i]).body, body) << different[i];
}

TEST_F(HostileFieldsTest, other_bytes_that_say_the_same_share_an_answer) {
  const auto first =
      send(request("", body_of("same \xc3\xa9", R"(,"n":1,"m":{"a":1,"b":2})"))).body;
  for (const auto& body :
       {body_of("same \\u00e9", R"(,"n":1,"m":{"a":1,"b":2})"),
        body_of("same \xc3\xa9", R"(,"n":1.0,"m":{"b":2,"a":1e0})"),
        body_of("\\u0073ame \xc3\xa9", R"(, "m" : {"a":1,"b":2} , "n":10e-1 )")}) {
    const auto answer = send(request("", body));
    EXPECT_TRUE(is_hit(answer)) << body;
    EXPECT_EQ(answer.body, first);
  }
}

json random_value(std::mt19937_64& random, int depth) {
  static const std::vector<std::string> kTexts = {
      "",         "a",        "b", "a|b", "\"", "\\", "n", "1", "null", std::string("\0", 1),
      "\xc3\xa9", "e\xcc\x81"};
  switch (random() % (depth > 3 ? 4 : 6)) {
    case 0:
      return kTexts[random() % kTexts.size()];
    case 1:
      return static_cast<int>(random() % 4) - 1;
    case 2:
      return random() % 2 == 0;
    case 3:
      return nullptr;
    case 4: {
      auto array = json::array();
      for (auto left = random() % 3; left > 0; --left)
        array.push_back(random_value(random, depth + 1));
      return array;
    }
    default: {
      auto object = json::object();
      for (auto left = random() % 3; left > 0; --left) {
        object["k" + kTexts[random() % kTexts.size()]] = random_value(random, depth + 1);
      }
      return object;
    }
  }
}

// nlohmann's text with sorted members is the oracle of what is the same.
TEST_F(HostileFieldsTest, random_requests_share_an_answer_exactly_where_they_are_equal) {
  constexpr int kAsked = 1'000;
  std::mt19937_64 random(20'261'124);
  std::map<std::string, std::string> answers;  // by canonical text
  std::map<std::string, std::string> askers;   // by answer
  RawClient client(proxy_->address("listen"));
  for (int i = 0; i < kAsked; ++i) {
    const json body = {
        {"model", "gpt-4o"}, {"messages", json::array()}, {"x", random_value(random, 0)}};
    const auto text = body.dump();
    client.send(request("x-llm-cache-namespace: random\r\n", i % 2 == 0 ? text : body.dump(2)));
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer && answer->status == 200) << text;
    const auto [known, is_new] = answers.emplace(text, answer->body);
    ASSERT_EQ(known->second, answer->body) << text;
    ASSERT_EQ(is_hit(*answer), !is_new) << text;
    ASSERT_EQ(askers.emplace(answer->body, text).first->second, text);
  }
  EXPECT_GT(answers.size(), 100U);
  EXPECT_LT(answers.size(), kAsked);
}

TEST_F(HostileFieldsTest, connections_over_the_limit_are_refused_and_the_rest_goes_on) {
  Program small(serve_arguments(provider_->url(), {"--max-connections", "8"}));
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 8; ++i) {
    idle.push_back(std::make_unique<RawClient>(small.address("listen")));
    idle.back()->send(chat_request("limit"));
    ASSERT_EQ(idle.back()->read_answer().value().status, 200);
  }
  RawClient ninth(small.address("listen"));
  const auto refused = ninth.read_answer();
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->status, 503);
  EXPECT_THAT(refused->body, HasSubstr("\"overloaded\""));
  EXPECT_TRUE(ninth.is_closed_by_server());
  idle.front()->send(chat_request("limit"));
  EXPECT_EQ(idle.front()->read_answer().value().status, 200);
  EXPECT_EQ(get(small.address("admin"), "/healthz").status, 200);
}

}  // namespace
}  // namespace llm_edge_cache::test
