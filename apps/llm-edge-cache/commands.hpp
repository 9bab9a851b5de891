// The subcommands. Each adds itself to the command line; the one that was asked for runs while the
// line is parsed and leaves its exit code.
#pragma once

#include <CLI/CLI.hpp>

namespace llm_edge_cache::app {

// Of the process: 0 done; 1 done, and the answer is bad news; 2 could not start.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

// "llm-edge-cache: MESSAGE" on standard error.
void print_error(std::string_view message);

void add_serve_command(CLI::App& app, int& exit_code);
void add_mock_provider_command(CLI::App& app, int& exit_code);
void add_replay_command(CLI::App& app, int& exit_code);
void add_key_command(CLI::App& app, int& exit_code);
void add_explain_command(CLI::App& app, int& exit_code);
void add_stats_command(CLI::App& app, int& exit_code);
void add_simulate_command(CLI::App& app, int& exit_code);
void add_dict_command(CLI::App& app, int& exit_code);
void add_tenant_command(CLI::App& app, int& exit_code);
void add_purge_command(CLI::App& app, int& exit_code);
void add_inspect_command(CLI::App& app, int& exit_code);
void add_export_command(CLI::App& app, int& exit_code);
void add_import_command(CLI::App& app, int& exit_code);

}  // namespace llm_edge_cache::app
