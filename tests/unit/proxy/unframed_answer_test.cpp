// A provider that frames nothing: its answers end with the connection, whole or not.
#include <gtest/gtest.h>

#include <string>

#include "proxy_fixture.hpp"
#include "tests/support/raw_server.hpp"

namespace llm_edge_cache::proxy::test {
namespace {

using llm_edge_cache::test::RawPeer;
using llm_edge_cache::test::RawServer;

struct Unframed {
  std::string name;
  std::string question;
  std::string answer;
  bool is_whole;
  bool is_stored;
};

struct HasUnframedProvider {
  std::string answer_;
  RawServer provider_{[this](RawPeer& peer) {
    const auto request = peer.read_request();
    const bool is_streamed = request && request->find("\"stream\":true") != std::string::npos;
    peer.send(std::string("HTTP/1.1 200 OK\r\nContent-Type: ") +
              (is_streamed ? "text/event-stream" : "application/json") + "\r\n\r\n" + answer_);
  }};
};

class UnframedAnswerTest : public HasUnframedProvider,
                           public ProxyTest,
                           public ::testing::WithParamInterface<Unframed> {
 protected:
  UnframedAnswerTest() : ProxyTest(at(provider_.url())) { answer_ = GetParam().answer; }
  static ProxyTestOptions at(std::string url) {
    ProxyTestOptions options;
    options.proxy.upstream_url = std::move(url);
    return options;
  }
};

TEST_P(UnframedAnswerTest, is_whole_where_it_says_so_itself) {
  const auto answer = start_chat(GetParam().question).wait();
  EXPECT_EQ(answer.is_whole() && answer.status() == 200, GetParam().is_whole);
  if (GetParam().is_whole) {
    EXPECT_EQ(answer.body(), GetParam().answer);
  }
  ASSERT_TRUE(eventually([&] { return metrics().flights_active == 0U; }));
  EXPECT_EQ(metrics().stores, GetParam().is_stored ? 1U : 0U);
}

std::string with_length(std::string answer) {
  constexpr std::string_view kStop = R"("finish_reason":"stop")";
  return answer.replace(answer.find(kStop), kStop.size(), R"("finish_reason":"length")");
}

INSTANTIATE_TEST_SUITE_P(
    Answers, UnframedAnswerTest,
    ::testing::Values(
        Unframed{"body", std::string(kQuestion), std::string(kHelloBody), true, true},
        Unframed{"stream", std::string(kStreamQuestion), hello_stream(), true, true},
        Unframed{"body_at_its_limit", std::string(kQuestion), with_length(std::string(kHelloBody)),
                 true, false},
        Unframed{"stream_at_its_limit", std::string(kStreamQuestion), with_length(hello_stream()),
                 true, false},
        Unframed{"body_with_a_name_twice", std::string(kQuestion), R"({"a":1,"a":2})", true, false},
        Unframed{"cut_body", std::string(kQuestion), std::string(kHelloBody.substr(0, 90)), false,
                 false},
        Unframed{"cut_stream", std::string(kStreamQuestion),
                 hello_stream().substr(0, hello_stream().size() - 20), false, false},
        Unframed{"cut_stream_at_its_limit", std::string(kStreamQuestion),
                 with_length(hello_stream()).substr(0, hello_stream().size() - 20), false, false},
        Unframed{"cut_number", std::string(kQuestion), "12", false, false}),
    [](const auto& at) { return at.param.name; });

}  // namespace
}  // namespace llm_edge_cache::proxy::test
