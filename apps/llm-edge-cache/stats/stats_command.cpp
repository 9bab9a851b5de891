#include <fmt/format.h>

#include "commands.hpp"
#include "http_fetch.hpp"
#include "stats/stats_table.hpp"

namespace llm_edge_cache::app {

namespace {

struct Arguments {
  std::string admin = "http://127.0.0.1:9090";
  bool json = false;
};

int failed(const std::string& admin, std::string_view why) {
  print_error(fmt::format("{}: {}", admin, why));
  return kExitFailed;
}

int run(const Arguments& arguments) {
  const auto answer = fetch(arguments.admin, "/stats");
  if (!answer) return failed(arguments.admin, answer.error().message);
  if (answer->status != 200) {
    return failed(arguments.admin, fmt::format("answered status {}", answer->status));
  }
  if (arguments.json) {
    fmt::print("{}", answer->body);
    return kExitOk;
  }
  const auto table = stats_table(answer->body);
  if (!table) return failed(arguments.admin, table.error().message);
  fmt::print("{}", *table);
  return kExitOk;
}

}  // namespace

void add_stats_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("stats", "Prints the counters of a running proxy");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("--admin", arguments->admin, "URL of its admin listener")
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "Print the JSON of /stats");
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace llm_edge_cache::app
