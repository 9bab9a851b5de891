#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <map>

#include "commands.hpp"
#include "listening.hpp"
#include "observability/logging.hpp"
#include "serve/config_layers.hpp"
#include "serve/option_table.hpp"
#include "serve/proxy_process.hpp"
#include "serve/scope_secret.hpp"

namespace llm_edge_cache::app {

namespace {

struct Arguments {
  std::map<std::string, std::string> values;  // by Option::name; CLI11 fills them in place
  std::map<std::string, CLI::Option*> given;
  std::string config_file;
  bool check = false;
  bool markdown = false;

  [[nodiscard]] FlagValues flags() const {
    FlagValues flags;
    for (const auto& [name, option] : given) {
      if (option->count() > 0) flags.emplace(name, values.at(name));
    }
    return flags;
  }
};

void warn_of_local_secret(const ServeConfig& config, const ScopeSecret& secret) {
  if (secret.source != SecretSource::kStateFile || config.has_disk_l2()) return;
  spdlog::warn(
      "scopes are keyed by {}: where proxies of other users or machines share this store, give all "
      "of them one LLM_EDGE_CACHE_SCOPE_SECRET",
      secret.file.string());
}

int serve(const ServeConfig& config, const ScopeSecret& secret) {
  StopSignals signals;
  ProxyProcess process(config, secret.secret);
  warn_of_local_secret(config, secret);
  const auto address = bound_address(config.listen, process.port());
  const auto admin = bound_address(config.admin_listen, process.admin_port());
  spdlog::info("serving on {}, admin on {}, provider {}", address, admin, config.upstream);
  print_ready({{"listen", address}, {"admin", admin}});
  signals.wait([&](const StopSignals::Finished& finished) {
    spdlog::info("draining for at most {} ms; a second signal ends at once",
                 config.drain_timeout_ms);
    process.drain(finished);
  });
  spdlog::info("drained");
  return kExitOk;
}

int run(const Arguments& arguments) {
  if (arguments.markdown) {
    fmt::print("{}", options_markdown());
    return kExitOk;
  }
  const auto config = load_config(arguments.flags(), read_environment(), arguments.config_file);
  if (!config) {
    print_error(config.error().message);
    return kExitUsage;
  }
  observability::set_up_logging({.level = config->log_level,
                                 .format = config->log_format == "json"
                                               ? observability::LogFormat::kJson
                                               : observability::LogFormat::kText});
  if (arguments.check) {
    fmt::print("configuration is valid\n");
    return kExitOk;
  }
  const auto secret = load_scope_secret(*config, default_secret_file());
  if (!secret) {
    print_error(secret.error().message);
    return kExitUsage;
  }
  return serve(*config, *secret);
}

}  // namespace

void add_serve_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("serve", "Serves the caching proxy until SIGTERM or SIGINT");
  auto arguments = std::make_shared<Arguments>();
  for (const auto& option : serve_options()) {
    if (option.environment_only) continue;
    const std::string name(option.name);
    auto help = fmt::format("{} [{}]", option.help, option.variable());
    if (const auto value = default_text(option); !value.empty()) {
      help += fmt::format(", default {}{}{}", value, option.unit.empty() ? "" : " ", option.unit);
    }
    arguments->given[name] =
        command->add_option(option.flag(), arguments->values[name], help)->type_name("");
  }
  command->add_option("--config", arguments->config_file, "YAML file; see docs/configuration.md");
  command->add_flag("--check", arguments->check, "Validate the configuration and exit");
  command->add_flag("--options-markdown", arguments->markdown)->group("");  // hidden
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace llm_edge_cache::app
