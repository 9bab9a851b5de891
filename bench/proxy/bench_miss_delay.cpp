// How long a new question takes on one connection, through proxies and directly: every question
// goes to all targets in turn, so that they meet the same moments of the machine.
//
//   bench_miss_delay --target NAME=PORT=REQUEST_FILE... [--questions N]
//
// Prints one line of JSON: by target, the percentiles of the time from before the request is sent
// until the answer's last byte is read.
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
#include "bench/proxy/target.hpp"

namespace llm_edge_cache::bench {
namespace {

struct Asked {
  Target target;
  Connection connection;
  AnswerReader reader{};
  Histogram times{};
};

// Returns the answer's size.
std::uint64_t ask(Asked& asked, std::uint64_t number, bool counts) {
  const std::string request = numbered(asked.target.request, number);
  asked.reader.start(nullptr);
  const std::uint64_t start = now_ns();
  asked.connection.send(request);
  const auto progress = asked.reader.read(asked.connection.fd());
  const std::uint64_t end = now_ns();
  if (progress != AnswerReader::Progress::kDone || asked.reader.status() != 200) {
    throw std::runtime_error(asked.target.name + " does not answer");
  }
  if (counts) asked.times.add(end - start);
  return asked.reader.body_bytes();
}

void measure(std::vector<Asked>& all, std::size_t questions) {
  constexpr std::size_t kWarmUp = 50;
  const std::uint64_t first = now_ns() / 1'000;  // no run asks what another did
  for (std::size_t i = 0; i < questions + kWarmUp; ++i) {
    for (std::size_t turn = 0; turn < all.size(); ++turn) {
      ask(all[(i + turn) % all.size()], first + i, i >= kWarmUp);
    }
  }
}

int run(const std::vector<std::string>& texts, std::size_t questions) {
  std::vector<Asked> all;
  for (auto& target : parse_targets(texts)) {
    Connection connection(target.port, Connection::Mode::kBlocking);
    all.push_back({.target = std::move(target), .connection = std::move(connection)});
  }
  measure(all, questions);
  const char* separator = "{";
  for (const auto& asked : all) {
    std::printf("%s\"%s\":{\"p50_us\":%.1f,\"p99_us\":%.1f}", separator, asked.target.name.c_str(),
                asked.times.percentile_us(50), asked.times.percentile_us(99));
    separator = ",";
  }
  std::printf("}\n");
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace llm_edge_cache::bench

int main(int argc, char** argv) {
  std::vector<std::string> targets;
  std::size_t questions = 2'000;
  CLI::App app("How long a new question takes");
  app.add_option("--target", targets, "NAME=PORT=REQUEST_FILE")->required();
  app.add_option("--questions", questions)->check(CLI::Range(1, 1'000'000));
  CLI11_PARSE(app, argc, argv);
  try {
    return llm_edge_cache::bench::run(targets, questions);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_miss_delay: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
