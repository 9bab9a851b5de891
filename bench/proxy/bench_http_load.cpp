// Asks for one cached answer over and over on keep-alive connections, from one thread and at less
// cost than wrk, so that the server is what limits the rate.
//
//   bench_http_load --port PORT --request FILE --expect FILE [--connections N] [--seconds N]
//
// Every answer must have status 200 and the length of --expect; one in 1,000, and every first of a
// connection, is compared with it byte for byte. Prints one line of JSON.
#include <sys/epoll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <system_error>
#include <vector>

#include "bench/proxy/answer_reader.hpp"
#include "bench/proxy/connection.hpp"
#include "bench/proxy/histogram.hpp"

namespace llm_edge_cache::bench {
namespace {

constexpr std::uint64_t kCompareEvery = 1'000;

struct Arguments {
  std::uint16_t port = 0;
  std::string request_file;
  std::string expect_file;
  std::size_t connections = 64;
  double seconds = 5;
};

struct Client {
  Connection connection;
  AnswerReader reader;
  std::uint64_t asked_ns = 0;
  bool compares = true;  // the answer under way
};

class Load {
 public:
  explicit Load(const Arguments& arguments)
      : arguments_(arguments),
        request_(read_file(arguments.request_file)),
        expected_(read_file(arguments.expect_file)),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        clients_(arguments.connections) {
    if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    for (auto& client : clients_) connect(client);
  }
  ~Load() { ::close(epoll_); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void run() {
    const std::uint64_t start = now_ns();
    const auto end = start + static_cast<std::uint64_t>(arguments_.seconds * 1e9);
    for (auto& client : clients_) ask(client, start);
    std::array<epoll_event, 256> events;
    for (std::uint64_t now = start; now < end; now = now_ns()) {
      const int ready = ::epoll_wait(epoll_, events.data(), events.size(), 10);
      for (int i = 0; i < ready; ++i) serve(*static_cast<Client*>(events[i].data.ptr));
    }
    seconds_ = static_cast<double>(now_ns() - start) / 1e9;
  }

  void print() const {
    std::printf(
        "{\"requests\":%llu,\"seconds\":%.6f,\"errors\":%llu,\"compared\":%llu,"
        "\"differing\":%llu,\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
        static_cast<unsigned long long>(times_.count()), seconds_,
        static_cast<unsigned long long>(errors_), static_cast<unsigned long long>(compared_),
        static_cast<unsigned long long>(differing_), times_.percentile_us(50),
        times_.percentile_us(99));
  }

 private:
  void connect(Client& client) {
    client.connection = Connection(arguments_.port, Connection::Mode::kNonBlocking);
    client.reader = AnswerReader();
    client.compares = true;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &client;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, client.connection.fd(), &event) != 0) {
      throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }
  }

  void ask(Client& client, std::uint64_t now) {
    body_of(client).clear();
    client.reader.start(client.compares ? &body_of(client) : nullptr);
    client.asked_ns = now;
    client.connection.send(request_);
  }

  void serve(Client& client) {
    const auto progress = client.reader.read(client.connection.fd());
    if (progress == AnswerReader::Progress::kMore) return;
    const std::uint64_t now = now_ns();
    if (progress == AnswerReader::Progress::kBroken) {
      ++errors_;
      connect(client);
    } else {
      judge(client, now);
      client.compares = times_.count() % kCompareEvery == 0;
    }
    ask(client, now);
  }

  void judge(Client& client, std::uint64_t now) {
    if (client.reader.status() != 200 || client.reader.body_bytes() != expected_.size()) {
      ++errors_;
      return;
    }
    times_.add(now - client.asked_ns);
    if (!client.compares) return;
    ++compared_;
    if (body_of(client) != expected_) ++differing_;
  }

  // Apart from the clients, so that those stay close together in memory.
  std::string& body_of(const Client& client) {
    return bodies_[static_cast<std::size_t>(&client - clients_.data())];
  }

  const Arguments& arguments_;
  const std::string request_;
  const std::string expected_;
  const int epoll_;
  std::vector<Client> clients_;
  std::vector<std::string> bodies_ = std::vector<std::string>(clients_.size());
  Histogram times_;
  std::uint64_t errors_ = 0;
  std::uint64_t compared_ = 0;
  std::uint64_t differing_ = 0;
  double seconds_ = 0;
};

}  // namespace
}  // namespace llm_edge_cache::bench

int main(int argc, char** argv) {
  llm_edge_cache::bench::Arguments arguments;
  CLI::App app("Asks for one cached answer over and over");
  app.add_option("--port", arguments.port)->required();
  app.add_option("--request", arguments.request_file, "File with the bytes of a request")
      ->required();
  app.add_option("--expect", arguments.expect_file, "File with the body of its answer")->required();
  app.add_option("--connections", arguments.connections)->check(CLI::Range(1, 10'000));
  app.add_option("--seconds", arguments.seconds)->check(CLI::Range(0.01, 3'600.0));
  CLI11_PARSE(app, argc, argv);
  try {
    llm_edge_cache::bench::Load load(arguments);
    load.run();
    load.print();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_http_load: %s\n", error.what());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
