#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "admin_client.hpp"
#include "commands.hpp"

namespace llm_edge_cache::app {

namespace {

struct InspectArguments {
  AdminServer server;
  std::string key;
};

int run_inspect(const InspectArguments& arguments) {
  AdminRequest request;
  request.target = "/entries/" + percent_encoded(arguments.key);
  const auto body = body_of(ask_admin(arguments.server, std::move(request)));
  if (body.ok()) {
    fmt::print("{}\n", nlohmann::ordered_json::parse(*body, nullptr, false).dump(2));
    return kExitOk;
  }
  print_error(fmt::format("{}: {}", arguments.server.url, body.error().message));
  return kExitFailed;
}

}  // namespace

void add_inspect_command(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("inspect", "Shows what each tier of a running proxy has under a key");
  auto arguments = std::make_shared<InspectArguments>();
  arguments->server.add_options(*command);
  command->add_option("KEY", arguments->key, "64 hex digits, as `key` prints them")->required();
  command->callback([arguments, &exit_code] { exit_code = run_inspect(*arguments); });
}

}  // namespace llm_edge_cache::app
