#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "admin_client.hpp"
#include "commands.hpp"
#include "progress.hpp"

namespace llm_edge_cache::app {

namespace {

struct ExportArguments {
  AdminServer server;
  EntryChoice choice;
  std::string output = "-";
};

int failed(std::string_view where, std::string_view why) {
  print_error(fmt::format("{}: {}", where, why));
  return kExitFailed;
}

// Of the fullest tier: what is in memory is mostly in the store, too. 0 where it cannot be told.
std::uint64_t entries_of(const AdminServer& server) {
  const auto body = body_of(ask_admin(server, {.target = "/stats"}));
  if (!body.ok()) return 0;
  const auto stats = nlohmann::json::parse(*body, nullptr, /*allow_exceptions=*/false);
  if (!stats.is_object() || !stats.contains("tiers") || !stats["tiers"].is_object()) return 0;
  std::uint64_t most = 0;
  for (const auto& tier : stats["tiers"]) {
    const auto entries = tier.is_object() ? tier.find("entries") : tier.end();
    if (entries != tier.end() && entries->is_number_unsigned()) {
      most = std::max(most, entries->get<std::uint64_t>());
    }
  }
  return most;
}

int run_export(const ExportArguments& arguments) {
  const bool is_file = arguments.output != "-";
  std::FILE* out = is_file ? std::fopen(arguments.output.c_str(), "wbe") : stdout;
  if (out == nullptr) return failed(arguments.output, std::strerror(errno));
  Progress progress("exported");
  if (progress.is_shown() && arguments.choice.query().empty()) {
    progress.expect({.lines = entries_of(arguments.server)});
  }
  AdminRequest request;
  request.target = "/export" + arguments.choice.query();
  request.on_data = [&](std::string_view bytes) {
    progress.add(static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n')),
                 bytes.size());
    return std::fwrite(bytes.data(), 1, bytes.size(), out) == bytes.size();
  };
  const auto body = body_of(ask_admin(arguments.server, std::move(request)));
  const bool is_written = (is_file ? std::fclose(out) : std::fflush(out)) == 0;
  if (!body.ok()) return failed(arguments.server.url, body.error().message);
  if (!is_written) return failed(arguments.output, "cannot be written");
  return kExitOk;
}

}  // namespace

void add_export_command(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("export", "Writes the entries of a running proxy as lines of JSON");
  auto arguments = std::make_shared<ExportArguments>();
  arguments->server.add_options(*command);
  arguments->choice.add_options(*command);
  command->add_option("--output", arguments->output, "File; - is standard output")
      ->capture_default_str();
  command->callback([arguments, &exit_code] { exit_code = run_export(*arguments); });
}

}  // namespace llm_edge_cache::app
