#include "http/connect_race.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "test_server.hpp"
#include "tests/support/free_port.hpp"

namespace llm_edge_cache::http {
namespace {

namespace asio = boost::asio;

Endpoint loopback(std::uint16_t port) {
  return {asio::ip::address_v4::loopback(), port};
}

// Somebody listens, and drops who knocks: the queue of those who wait to be accepted is full. What
// a firewall does to packets, without one.
class SilentAddress {
 public:
  SilentAddress() {
    // What is silent has a queue of one, which a connection of ours fills.
    ::listen(listener_.socket, 0);
    filler_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(listener_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(filler_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~SilentAddress() {
    ::close(filler_);
    ::close(listener_.socket);
  }
  SilentAddress(const SilentAddress&) = delete;
  SilentAddress& operator=(const SilentAddress&) = delete;

  [[nodiscard]] Endpoint endpoint() const { return loopback(listener_.port); }

 private:
  const test::LoopbackListener listener_ = test::listen_on_loopback();
  int filler_ = -1;
};

// Takes connections and never looks at them.
class LiveAddress {
 public:
  LiveAddress() = default;
  ~LiveAddress() { ::close(listener_.socket); }
  LiveAddress(const LiveAddress&) = delete;
  LiveAddress& operator=(const LiveAddress&) = delete;

  [[nodiscard]] Endpoint endpoint() const { return loopback(listener_.port); }

 private:
  const test::LoopbackListener listener_ = test::listen_on_loopback();
};

Endpoint refusing() {
  return loopback(test::free_port());
}

class ConnectRaceTest : public ::testing::Test {
 protected:
  struct Result {
    IoError error;
    Endpoint reached;
  };

  Result race(const std::vector<Endpoint>& endpoints) {
    Once<Result> result;
    threads_.run_on_each([&](IoThread& thread) {
      const auto done = [&result](IoError error, Socket socket) {
        IoError ignored;
        result.set({error, socket.remote_endpoint(ignored)});
      };
      std::make_shared<ConnectRace>(thread, book_, endpoints, done)->start();
    });
    return result.wait();
  }

  std::vector<Endpoint> order(const std::vector<Endpoint>& endpoints) {
    std::vector<Endpoint> ordered;
    threads_.run_on_each(
        [&](IoThread& thread) { ordered = book_.order(endpoints, thread.recent()); });
    return ordered;
  }

  AddressBook book_;
  IoThreads threads_{{.threads = 1}};
};

TEST_F(ConnectRaceTest, first_address_that_answers_is_taken) {
  const LiveAddress first;
  const LiveAddress second;
  const Result result = race({first.endpoint(), second.endpoint()});
  EXPECT_FALSE(result.error);
  EXPECT_EQ(result.reached, first.endpoint());
}

TEST_F(ConnectRaceTest, refused_address_is_followed_by_the_next) {
  const LiveAddress live;
  EXPECT_EQ(race({refusing(), refusing(), live.endpoint()}).reached, live.endpoint());
}

TEST_F(ConnectRaceTest, silent_address_does_not_hold_up_the_next) {
  const SilentAddress silent;
  const LiveAddress live;
  EXPECT_EQ(race({silent.endpoint(), live.endpoint()}).reached, live.endpoint());
}

TEST_F(ConnectRaceTest, several_silent_addresses_are_passed_over) {
  const SilentAddress first;
  const SilentAddress second;
  const LiveAddress live;
  EXPECT_EQ(race({first.endpoint(), refusing(), second.endpoint(), live.endpoint()}).reached,
            live.endpoint());
}

TEST_F(ConnectRaceTest, address_that_did_not_answer_is_the_last_to_be_tried_next_time) {
  const SilentAddress silent;
  const Endpoint refused = refusing();
  const LiveAddress live;
  const std::vector<Endpoint> endpoints{silent.endpoint(), refused, live.endpoint()};
  race(endpoints);
  EXPECT_EQ(order(endpoints).front(), live.endpoint());
}

TEST_F(ConnectRaceTest, last_error_is_told_when_every_address_has_failed) {
  const Result result = race({refusing(), refusing()});
  EXPECT_EQ(result.error, asio::error::connection_refused);
}

TEST_F(ConnectRaceTest, addresses_that_fail_together_are_no_deader_than_before) {
  const std::vector<Endpoint> endpoints{refusing(), refusing()};
  race(endpoints);
  EXPECT_EQ(order(endpoints), endpoints);
}

TEST_F(ConnectRaceTest, cancelled_race_calls_nobody) {
  const LiveAddress live;
  const SilentAddress silent;
  const auto alive = std::make_shared<int>();
  threads_.run_on_each([&](IoThread& thread) {
    const auto done = [alive](IoError, const Socket&) { FAIL() << "after cancel()"; };
    const auto begun = std::make_shared<ConnectRace>(
        thread, book_, std::vector{silent.endpoint(), live.endpoint()}, done);
    begun->start();
    begun->cancel();
  });
  EXPECT_EQ(alive.use_count(), 1) << "it let its call-back go";
  race({live.endpoint()});  // whatever the cancelled one left in the loop has run
}

}  // namespace
}  // namespace llm_edge_cache::http
