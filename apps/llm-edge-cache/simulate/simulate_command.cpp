#include <fmt/format.h>

#include <map>

#include "commands.hpp"
#include "simulate/simulate.hpp"

namespace llm_edge_cache::app {

namespace {

struct SimulateArguments {
  std::string trace;
  std::vector<std::uint64_t> capacities;
  SimulatedPolicy policy = SimulatedPolicy::kTinyLfu;
  bool json = false;
};

int run_simulate(const SimulateArguments& arguments) {
  const auto trace = read_trace(arguments.trace);
  if (!trace) {
    print_error(trace.error().message);
    return kExitUsage;
  }
  std::vector<SimulationResult> results;
  for (const auto capacity : arguments.capacities) {
    results.push_back(simulate(*trace, capacity, arguments.policy));
  }
  if (arguments.json) {
    fmt::print("{}", simulation_json(results));
    return kExitOk;
  }
  fmt::print("{:>12}{:>14}{:>14}{:>12}\n", "capacity", "requests", "hits", "hit ratio");
  for (const auto& result : results) {
    fmt::print("{:>12}{:>14}{:>14}{:>10.2f} %\n", result.capacity, result.requests, result.hits,
               100 * result.hit_ratio());
  }
  return kExitOk;
}

}  // namespace

void add_simulate_command(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("simulate", "Prints the hit ratio of the memory cache on a trace of keys");
  auto arguments = std::make_shared<SimulateArguments>();
  command->add_option("--trace", arguments->trace, "File with a key a line, plain or gzip")
      ->required();
  command->add_option("--capacity", arguments->capacities, "Entries; several with commas between")
      ->required()
      ->delimiter(',')
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 32U));
  const std::map<std::string, SimulatedPolicy> policies = {{"tinylfu", SimulatedPolicy::kTinyLfu},
                                                           {"lru", SimulatedPolicy::kLru}};
  command->add_option("--policy", arguments->policy, "tinylfu or lru; default tinylfu")
      ->transform(CLI::CheckedTransformer(policies));
  command->add_flag("--json", arguments->json, "Print a JSON array");
  command->callback([arguments, &exit_code] { exit_code = run_simulate(*arguments); });
}

}  // namespace llm_edge_cache::app
