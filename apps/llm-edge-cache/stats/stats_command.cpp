#include <fmt/format.h>

#include "admin_client.hpp"
#include "commands.hpp"
#include "stats/stats_table.hpp"

namespace llm_edge_cache::app {

namespace {

struct StatsArguments {
  AdminServer server;
  bool json = false;
};

int failed(const std::string& admin, std::string_view why) {
  print_error(fmt::format("{}: {}", admin, why));
  return kExitFailed;
}

int run_stats(const StatsArguments& arguments) {
  const auto& admin = arguments.server.url;
  const auto body = body_of(ask_admin(arguments.server, {.target = "/stats"}));
  if (!body) return failed(admin, body.error().message);
  if (arguments.json) {
    fmt::print("{}", *body);
    return kExitOk;
  }
  const auto table = stats_table(*body);
  if (!table) return failed(admin, table.error().message);
  fmt::print("{}", *table);
  return kExitOk;
}

}  // namespace

void add_stats_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("stats", "Prints the counters of a running proxy");
  auto arguments = std::make_shared<StatsArguments>();
  arguments->server.add_options(*command);
  command->add_flag("--json", arguments->json, "Print the JSON of /stats");
  command->callback([arguments, &exit_code] { exit_code = run_stats(*arguments); });
}

}  // namespace llm_edge_cache::app
