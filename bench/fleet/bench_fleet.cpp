// How long the others of a fleet go on answering with what one of them was told to forget.
//
//   bench_fleet [INVALIDATES] [CALLERS]
//
// Three proxies on one cluster of six, all answers in the memory of each. One proxy after the other
// takes a purge; the clock runs from its answer until each of the other two has answered a lookup
// (only-if-cached) with a miss. One client asks, one question at a time: what is measured includes
// the lookups, and a proxy that has heard before the purge's answer came counts with its lookup.
//
// Thrice: idle; loaded, while CALLERS ask without pause; and crowded, while two threads spin on
// each CPU besides. Of the worst purge it is said how long its longest lookup took, and for how
// long one of the processes that take part was ready to run and had no CPU.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "bench/fleet/fleet.hpp"
#include "bench/fleet/load.hpp"

namespace llm_edge_cache::bench {
namespace {

constexpr double kAimMs = 50;
constexpr std::size_t kSpinnersOnCpu = 2;

void print_titles() {
  std::printf("%-24s %8s %8s %8s %8s %8s | %s\n", "ms until nobody has it", "purges", "p50", "p99",
              "max", "over 50", "of the worst: longest lookup, longest wait for a CPU");
}

void print(const std::string& name, std::vector<Purge> purges) {
  std::sort(purges.begin(), purges.end(),
            [](const Purge& a, const Purge& b) { return a.ms < b.ms; });
  const auto late =
      std::count_if(purges.begin(), purges.end(), [](const Purge& one) { return one.ms > kAimMs; });
  const Purge& worst = purges.back();
  std::printf("%-24s %8zu %8.2f %8.2f %8.2f %8td | %8.2f %8.2f\n", name.c_str(), purges.size(),
              purges[purges.size() / 2].ms, purges[purges.size() * 99 / 100].ms, worst.ms, late,
              worst.longest_lookup_ms, worst.cpu_wait_ms);
}

struct Question {
  std::string prompt;
  std::string key;
};

// Asked for while nothing else is: to look for a key keeps a server busy.
std::vector<Question> questions(Fleet& fleet, const std::string& name, std::size_t count) {
  std::vector<Question> result;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string prompt = name + "-" + std::to_string(i);
    result.push_back({prompt, fleet.key_of(prompt)});
  }
  return result;
}

void measure(Fleet& fleet, const std::string& name, const std::vector<Question>& questions) {
  std::vector<Purge> by_key;
  std::vector<Purge> by_tag;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const auto& [prompt, key] = questions[i];
    fleet.spread(prompt);
    by_key.push_back(fleet.purge(i % Fleet::kProxies, {{"key", key}}, prompt));
    fleet.spread(prompt);
    by_tag.push_back(fleet.purge(i % Fleet::kProxies, {{"tag", prompt}}, prompt));
  }
  print(name + ", by key", std::move(by_key));
  print(name + ", by tag", std::move(by_tag));
}

void measure_loaded(Fleet& fleet, const std::string& name, const std::vector<Question>& questions,
                    std::size_t callers) {
  const auto began = Clock::now();
  const Load load(fleet, callers);
  measure(fleet, name, questions);
  std::printf("%s: %zu callers, %.0f answers a second\n", name.c_str(), callers,
              static_cast<double>(load.answered()) / (ms_since(began) / 1'000));
}

void run(std::size_t invalidates, std::size_t callers) {
  Fleet fleet;
  const auto idle = questions(fleet, "idle", invalidates);
  const auto loaded = questions(fleet, "loaded", invalidates);
  const auto crowded = questions(fleet, "crowded", invalidates);
  print_titles();
  measure(fleet, "idle", idle);
  measure_loaded(fleet, "loaded", loaded, callers);
  const Spinners spinners(kSpinnersOnCpu * std::thread::hardware_concurrency());
  measure_loaded(fleet, "crowded", crowded, callers);
}

}  // namespace
}  // namespace llm_edge_cache::bench

int main(int argc, char** argv) {
  const int invalidates = argc > 1 ? std::atoi(argv[1]) : 200;
  const int callers = argc > 2 ? std::atoi(argv[2]) : 6;
  if (invalidates < 1 || callers < 1) {
    std::fprintf(stderr, "usage: bench_fleet [INVALIDATES >= 1] [CALLERS >= 1]\n");
    return 2;
  }
  llm_edge_cache::bench::run(static_cast<std::size_t>(invalidates),
                             static_cast<std::size_t>(callers));
  return 0;
}
