#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "commands.hpp"

namespace llm_edge_cache::app {

void print_error(std::string_view message) {
  fmt::print(stderr, "llm-edge-cache: {}\n", message);
}

namespace {

int run(int argc, char** argv) {
  CLI::App app{"Caches the answers of LLM providers: a proxy in front of OpenAI-compatible APIs."};
  app.set_version_flag("--version", LEC_VERSION);
  app.require_subcommand(1);
  int exit_code = kExitOk;
  add_serve_command(app, exit_code);
  add_mock_provider_command(app, exit_code);
  add_replay_command(app, exit_code);
  add_key_command(app, exit_code);
  add_explain_command(app, exit_code);
  add_stats_command(app, exit_code);
  add_simulate_command(app, exit_code);
  add_dict_command(app, exit_code);
  add_tenant_command(app, exit_code);
  add_purge_command(app, exit_code);
  add_inspect_command(app, exit_code);
  add_export_command(app, exit_code);
  add_import_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  return exit_code;
}

}  // namespace
}  // namespace llm_edge_cache::app

int main(int argc, char** argv) {
  try {
    return llm_edge_cache::app::run(argc, argv);
  } catch (const std::exception& error) {
    llm_edge_cache::app::print_error(error.what());
    return llm_edge_cache::app::kExitUsage;
  }
}
