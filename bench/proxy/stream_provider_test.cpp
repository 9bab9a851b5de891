#include "bench/proxy/stream_provider.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <system_error>

#include "bench/proxy/answer_reader.hpp"
#include "bench/proxy/connection.hpp"

namespace llm_edge_cache::bench {
namespace {

constexpr std::string_view kHead = "POST / HTTP/1.1\r\nHost: x\r\ncontent-LENGTH: 4\r\n\r\n";

class StreamProviderTest : public ::testing::Test {
 protected:
  StreamProvider provider_{0};
};

TEST_F(StreamProviderTest, writes_its_events_one_by_one) {
  const Connection client(provider_.port(), Connection::Mode::kBlocking);
  AnswerReader reader;
  for (int stream = 0; stream < 2; ++stream) {
    client.send(std::string(kHead) + "body");
    while (!provider_.poll()) {
    }
    std::string wanted;
    for (std::size_t event = 0; event < 3; ++event) {
      provider_.write(event, 3);
      wanted += StreamProvider::event(event, 3);
    }
    std::string got;
    reader.start(&got);
    ASSERT_EQ(reader.read(client.fd()), AnswerReader::Progress::kDone);
    EXPECT_EQ(got, wanted);
    EXPECT_TRUE(got.ends_with("data: [DONE]\n\n"));
  }
}

TEST_F(StreamProviderTest, waits_for_the_whole_request) {
  const Connection client(provider_.port(), Connection::Mode::kBlocking);
  client.send(kHead);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(provider_.poll());
  client.send("body");
  while (!provider_.poll()) {
  }
}

TEST_F(StreamProviderTest, says_that_its_port_is_taken) {
  EXPECT_THROW(StreamProvider{provider_.port()}, std::system_error);
}

}  // namespace
}  // namespace llm_edge_cache::bench
