#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "admin_client.hpp"
#include "commands.hpp"

namespace llm_edge_cache::app {

namespace {

struct PurgeArguments {
  AdminServer server;
  std::string key;
  std::string tag;
  std::string model;
  std::string name_space;
  bool all = false;

  [[nodiscard]] nlohmann::json order() const {
    if (all) return {{"all", true}};
    if (!key.empty()) return {{"key", key}};
    if (!tag.empty()) return {{"tag", tag}};
    if (!model.empty()) return {{"model", model}};
    return {{"namespace", name_space}};
  }
};

int run_purge(const PurgeArguments& arguments) {
  AdminRequest request;
  request.method = "POST";
  request.target = "/purge";
  request.body = arguments.order().dump();
  const auto body = body_of(ask_admin(arguments.server, std::move(request)));
  if (body.ok()) {
    fmt::print("{}", *body);
    return kExitOk;
  }
  print_error(fmt::format("{}: {}", arguments.server.url, body.error().message));
  return kExitFailed;
}

}  // namespace

void add_purge_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("purge", "Removes entries from the cache of a running proxy");
  auto arguments = std::make_shared<PurgeArguments>();
  arguments->server.add_options(*command);
  auto* what = command->add_option_group("what", "One of these");
  what->add_option("--key", arguments->key, "The entry under 64 hex digits");
  what->add_option("--tag", arguments->tag, "Entries stored with this x-llm-cache-tags");
  what->add_option("--model", arguments->model, "Entries of this model; goes through all of them");
  what->add_option("--namespace", arguments->name_space,
                   "Entries stored in this x-llm-cache-namespace");
  what->add_flag("--all", arguments->all, "All entries");
  what->require_option(1);
  command->callback([arguments, &exit_code] { exit_code = run_purge(*arguments); });
}

}  // namespace llm_edge_cache::app
