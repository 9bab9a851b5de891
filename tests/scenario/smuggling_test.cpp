// Requests that two servers could read in two ways: refused, with nothing of them sent on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/scenario/counting_provider.hpp"
#include "tests/scenario/metrics.hpp"
#include "tests/scenario/program.hpp"
#include "tests/scenario/raw_client.hpp"

namespace llm_edge_cache::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kHidden = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kPost = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n";

struct Attack {
  std::string name;
  std::string bytes;  // the hidden request follows
};

std::string post(std::string_view fields, std::string_view body = "") {
  return std::string(kPost).append(fields).append("\r\n").append(body);
}

std::string chunked(std::string_view body) {
  return post("Transfer-Encoding: chunked\r\n", body);
}

std::vector<Attack> attacks() {
  const std::string nul(1, '\0');
  return {
      {"length_and_encoding",
       post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {"encoding_and_length",
       post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n")},
      {"two_encodings",
       post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n")},
      {"encoding_twice",
       post("Transfer-Encoding: chunked\r\nTransfer-encoding: chunked\r\n", "0\r\n\r\n")},
      {"unknown_encoding", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")},
      {"chunked_not_last", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n")},
      {"chunked_after_gzip", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")},
      {"quoted_encoding", post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n")},
      {"space_before_colon", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")},
      {"tab_before_colon", post("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n")},
      {"vertical_tab_in_encoding", post("Transfer-Encoding: \x0b"
                                        "chunked\r\n",
                                        "0\r\n\r\n")},
      {"folded_encoding", post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n")},
      {"folded_length", post("Content-Length:\r\n\t5\r\n", "12345")},
      {"encoding_behind_bare_lf", post("X: y\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {"encoding_behind_bare_cr", post("X: y\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {"bare_lf_everywhere", "POST /v1/chat/completions HTTP/1.1\nHost: x\nContent-Length: 0\n\n"},
      {"nul_in_value", post("X: a" + nul + "b\r\n")},
      {"nul_in_name", post("X" + nul + "Y: b\r\n")},
      {"space_in_name", post("Content Length: 5\r\n", "12345")},
      {"no_name", post(": x\r\n")},
      {"lengths_differ", post("Content-Length: 5\r\nContent-Length: 6\r\n", "12345")},
      {"lengths_are_equal", post("Content-Length: 5\r\ncontent-length: 5\r\n", "12345")},
      {"list_of_lengths", post("Content-Length: 5, 5\r\n", "12345")},
      {"length_with_plus", post("Content-Length: +5\r\n", "12345")},
      {"length_with_minus", post("Content-Length: -5\r\n", "12345")},
      {"length_in_hex", post("Content-Length: 0x5\r\n", "12345")},
      {"length_with_space_inside", post("Content-Length: 1 5\r\n", "12345")},
      {"length_with_letter", post("Content-Length: 5a\r\n", "12345")},
      {"length_overflows", post("Content-Length: 18446744073709551621\r\n", "12345")},
      {"chunk_size_overflows", chunked("1000000000000000005\r\n12345\r\n0\r\n\r\n")},
      {"chunk_size_with_minus", chunked("-5\r\n12345\r\n0\r\n\r\n")},
      {"chunk_size_with_plus", chunked("+5\r\n12345\r\n0\r\n\r\n")},
      {"chunk_size_with_prefix", chunked("0x5\r\n12345\r\n0\r\n\r\n")},
      {"chunk_size_behind_space", chunked(" 5\r\n12345\r\n0\r\n\r\n")},
      {"chunk_size_ends_in_lf", chunked("5\n12345\r\n0\r\n\r\n")},
      {"no_chunk_size", chunked("\r\n12345\r\n0\r\n\r\n")},
      {"chunk_is_longer_than_said", chunked("5\r\n1234567\r\n0\r\n\r\n")},
      {"chunk_extension_without_end", chunked("5;" + std::string(100'000, 'x'))},
      {"trailers_without_end", chunked("0\r\nX: " + std::string(100'000, 'x'))},
      {"old_http_with_encoding",
       "POST /v1/chat/completions HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n"
       "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"no_version", "GET /v1/models\r\n"},
      {"future_version", "GET /v1/models HTTP/3.0\r\nHost: x\r\n\r\n"},
      {"http2_preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"two_hosts", post("Host: y\r\nContent-Length: 0\r\n")},
      {"no_host", "GET /v1/models HTTP/1.1\r\n\r\n"},
      {"two_hosts_in_one", "GET /v1/models HTTP/1.1\r\nHost: x, y\r\n\r\n"},
      {"host_with_user", "GET /v1/models HTTP/1.1\r\nHost: x@y\r\n\r\n"},
      {"other_host_in_target", "GET http://evil/v1/models HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"other_scheme_in_target", "GET ftp://x/v1/models HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"user_in_target", "GET http://x@evil/v1/models HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"tunnel", "CONNECT evil:443 HTTP/1.1\r\nHost: evil:443\r\n\r\n"},
      {"fragment", "GET /v1/models#x HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"tab_in_target", "GET /v1/mo\tdels HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"no_target", "GET  HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"unprintable_target", "GET /v1/\x80\xff HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"unknown_method", "SMUGGLE /v1/models HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"not_http", "\x16\x03\x01\x02 this is TLS\r\n\r\n"},
  };
}

class SmugglingTest : public ::testing::TestWithParam<Attack> {
 protected:
  static void SetUpTestSuite() {
    provider_ = std::make_unique<CountingProvider>();
    proxy_ = std::make_unique<Program>(serve_arguments(provider_->url()));
  }
  static void TearDownTestSuite() {
    proxy_.reset();
    provider_.reset();
  }

  static inline std::unique_ptr<CountingProvider> provider_;
  static inline std::unique_ptr<Program> proxy_;
};

TEST_P(SmugglingTest, is_refused_and_nothing_goes_up) {
  const auto before = provider_->count();
  const auto asked = metric_of(*proxy_, "llm_edge_requests_total");
  RawClient client(proxy_->address("listen"));
  client.send(GetParam().bytes + std::string(kHidden));
  const auto answer = client.read_answer();
  ASSERT_TRUE(answer.has_value());
  EXPECT_GE(answer->status, 400) << answer->head;
  EXPECT_LT(answer->status, 600);
  EXPECT_NE(answer->status, 500);
  EXPECT_THAT(answer->body, HasSubstr("\"error\""));
  EXPECT_TRUE(client.is_closed_by_server()) << "the hidden request could be read";
  EXPECT_EQ(provider_->count(), before) << provider_->last();
  EXPECT_LE(metric_of(*proxy_, "llm_edge_requests_total"), asked + 1);
  EXPECT_EQ(ask_chat(proxy_->address("listen"), "after " + GetParam().name).status, 200);
  EXPECT_EQ(provider_->count(), before + 1);
}

INSTANTIATE_TEST_SUITE_P(Attacks, SmugglingTest, ::testing::ValuesIn(attacks()),
                         [](const auto& attack) { return attack.param.name; });

class HiddenRequestTest : public SmugglingTest {};

TEST_F(HiddenRequestTest, within_a_body_is_data) {
  const auto before = provider_->count();
  RawClient client(proxy_->address("listen"));
  client.send(post("Content-Length: " + std::to_string(kHidden.size()) + "\r\n", kHidden));
  EXPECT_EQ(client.read_answer().value().status, 200);
  client.send(chunked("23\r\n" + std::string(kHidden) + "\r\n0\r\nHost: evil\r\nX: y\r\n\r\n"));
  EXPECT_EQ(client.read_answer().value().status, 200);
  const auto requests = provider_->requests();
  ASSERT_EQ(requests.size(), before + 2);
  for (auto at = before; at < requests.size(); ++at) {
    EXPECT_TRUE(requests[at].starts_with("POST /v1/chat/completions HTTP/1.1\r\n"));
    EXPECT_TRUE(requests[at].ends_with("\r\n\r\n" + std::string(kHidden)));
    EXPECT_THAT(requests[at], Not(HasSubstr("evil")));
  }
}

TEST_F(HiddenRequestTest, behind_a_request_is_one_of_its_own) {
  const auto before = provider_->count();
  RawClient client(proxy_->address("listen"));
  client.send(chat_request("the first of two") + std::string(kHidden));
  EXPECT_EQ(client.read_answer().value().status, 200);
  EXPECT_EQ(client.read_answer().value().status, 200);
  ASSERT_EQ(provider_->count(), before + 2);
  EXPECT_TRUE(provider_->last().starts_with("GET /smuggled HTTP/1.1\r\n"));
}

TEST_F(HiddenRequestTest, a_bad_chunk_of_a_passing_body_ends_the_call_without_its_end) {
  const auto before = provider_->count();
  RawClient client(proxy_->address("listen"));
  client.send("POST /v1/files HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.send("5\r\n12345\r\nzz\r\n" + std::string(kHidden));
  const auto answer = client.read_answer();
  EXPECT_TRUE(!answer || answer->status >= 400);
  EXPECT_EQ(ask_chat(proxy_->address("listen"), "after a bad chunk").status, 200);
  EXPECT_EQ(provider_->count(), before + 1);  // the passing one never was whole
}

}  // namespace
}  // namespace llm_edge_cache::test
