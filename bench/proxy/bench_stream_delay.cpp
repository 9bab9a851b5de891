// How long a proxy keeps a streamed event to itself. The provider and the client are one thread
// with one clock: it notes the time before it writes an event, and again when it has read the event
// at the client's end. It never sleeps, so that nobody but the proxy has to wake up. A target that
// is the provider's own port is the floor: the same without a proxy.
//
//   bench_stream_delay --provider-port PORT --target NAME=PORT=REQUEST_FILE... [--streams N]
//
// Every stream is a new question, and goes to all targets in turn. Prints one line of JSON: by
// target, the percentiles for the first event (it comes with the answer's head) and for the later
// ones. What a client gets is compared with what was written.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/proxy/answer_reader.hpp"
#include "bench/proxy/connection.hpp"
#include "bench/proxy/histogram.hpp"
#include "bench/proxy/stream_provider.hpp"
#include "bench/proxy/target.hpp"

namespace llm_edge_cache::bench {
namespace {

constexpr std::size_t kEvents = 6;
constexpr std::uint64_t kPauseNs = 300'000;  // between events: long enough for a proxy to sleep
constexpr std::uint64_t kPatienceNs = 5'000'000'000;

struct Asked {
  Target target;
  Connection connection;
  AnswerReader reader{};
  Histogram first{};
  Histogram later{};
};

// Calls `step` until it is true; throws after 5 s.
template <class Step>
void spin(const std::string& what, Step&& step) {
  const std::uint64_t end = now_ns() + kPatienceNs;
  while (!step()) {
    if (now_ns() > end) throw std::runtime_error(what);
  }
}

void stream(StreamProvider& provider, Asked& asked, std::uint64_t number, bool counts) {
  const auto& name = asked.target.name;
  std::string got;
  std::string wanted;
  asked.reader.start(&got);
  asked.connection.send(numbered(asked.target.request, number));
  spin(name + " asks nothing", [&] { return provider.poll(); });
  auto progress = AnswerReader::Progress::kMore;
  const auto read = [&] {
    progress = asked.reader.read(asked.connection.fd());
    if (progress == AnswerReader::Progress::kBroken) throw std::runtime_error(name + " breaks off");
  };
  for (std::size_t event = 0; event < kEvents; ++event) {
    wanted += StreamProvider::event(event, kEvents);
    const std::uint64_t pause_end = now_ns() + kPauseNs;
    spin(name, [&] { return now_ns() >= pause_end; });
    const std::uint64_t written = now_ns();
    provider.write(event, kEvents);
    spin(name + " passes an event on too late", [&] {
      read();
      return got.size() >= wanted.size();
    });
    if (counts) (event == 0 ? asked.first : asked.later).add(now_ns() - written);
  }
  spin(name + " does not end", [&] {
    if (progress != AnswerReader::Progress::kDone) read();
    return progress == AnswerReader::Progress::kDone;
  });
  if (got != wanted || asked.reader.status() != 200) throw std::runtime_error(name + " errs");
}

int run(std::uint16_t port, const std::vector<std::string>& texts, std::size_t streams) {
  constexpr std::size_t kWarmUp = 10;
  StreamProvider provider(port);
  std::vector<Asked> all;
  for (auto& target : parse_targets(texts)) {
    Connection connection(target.port, Connection::Mode::kNonBlocking);
    all.push_back({.target = std::move(target), .connection = std::move(connection)});
  }
  const std::uint64_t first = now_ns() / 1'000;
  for (std::size_t i = 0; i < streams + kWarmUp; ++i) {
    for (std::size_t turn = 0; turn < all.size(); ++turn) {
      stream(provider, all[(i + turn) % all.size()], first + i, i >= kWarmUp);
    }
  }
  const char* separator = "{";
  for (const auto& asked : all) {
    std::printf("%s\"%s\":{", separator, asked.target.name.c_str());
    std::printf("\"first_p50_us\":%.1f,\"first_p99_us\":%.1f,", asked.first.percentile_us(50),
                asked.first.percentile_us(99));
    std::printf("\"later_p50_us\":%.1f,\"later_p99_us\":%.1f}", asked.later.percentile_us(50),
                asked.later.percentile_us(99));
    separator = ",";
  }
  std::printf("}\n");
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace llm_edge_cache::bench

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  std::vector<std::string> targets;
  std::size_t streams = 500;
  CLI::App app("How long a proxy keeps a streamed event to itself");
  app.add_option("--provider-port", port)->required();
  app.add_option("--target", targets, "NAME=PORT=REQUEST_FILE")->required();
  app.add_option("--streams", streams)->check(CLI::Range(1, 100'000));
  CLI11_PARSE(app, argc, argv);
  try {
    return llm_edge_cache::bench::run(port, targets, streams);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_stream_delay: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
