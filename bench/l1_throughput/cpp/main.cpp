// Runs one C++ engine on one workload and prints one JSON line; run.py is the caller.
#include <cstdio>
#include <string>

#include "flat_map_engine.hpp"
#include "own_engine.hpp"
#include "tbb_engine.hpp"
#include "workload.hpp"

namespace {

template <template <class> class Engine>
void run(const bench::Options& options) {
  const auto set = options.find("--set");
  if (set != options.end() && set->second == "digest") {
    bench::Workload<bench::Kilobytes, Engine<bench::Kilobytes>>(options).run();
  } else {
    bench::Workload<bench::Numbers, Engine<bench::Numbers>>(options).run();
  }
}

}  // namespace

int main(int argc, char** argv) {
  bench::Options options;
  for (int i = 1; i + 1 < argc; i += 2) options[argv[i]] = argv[i + 1];
  const auto& engine = options["--engine"];
  if (engine == "llm_edge_cache") {
    run<bench::OwnEngine>(options);
  } else if (engine == "tbb") {
    run<bench::TbbEngine>(options);
  } else if (engine == "flat_map_mutex") {
    run<bench::FlatMapEngine>(options);
  } else {
    std::fprintf(stderr, "unknown engine '%s'\n", engine.c_str());
    return 2;
  }
  return 0;
}
