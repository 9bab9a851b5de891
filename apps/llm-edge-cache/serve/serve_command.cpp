#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "commands.hpp"
#include "listening.hpp"
#include "observability/logging.hpp"
#include "serve/config_arguments.hpp"
#include "serve/config_reload.hpp"
#include "serve/config_warnings.hpp"
#include "serve/option_table.hpp"
#include "serve/proxy_process.hpp"
#include "serve/scope_secret.hpp"

namespace llm_edge_cache::app {

namespace {

struct ServeArguments {
  ConfigArguments config;
  bool check = false;
  bool markdown = false;
};

void warn_of_local_secret(const ServeConfig& config, const ScopeSecret& secret) {
  if (secret.source != SecretSource::kStateFile || config.has_disk_l2()) return;
  spdlog::warn(
      "scopes are keyed by {}: where proxies of other users or machines share this store, give all "
      "of them one LLM_EDGE_CACHE_SCOPE_SECRET",
      secret.file.string());
}

void warn_of(const ServeConfig& config) {
  for (const auto& warning : warnings_of(config)) spdlog::warn("{}", warning);
}

// Everything that a start would read, and nothing that it would make.
int check(const ServeConfig& config) {
  const auto secret = find_scope_secret(config, default_secret_file());
  if (!secret) {
    print_error(secret.error().message);
    return kExitUsage;
  }
  warn_of(config);
  fmt::print("ok\n");
  return kExitOk;
}

std::string providers(const ServeConfig& config) {
  std::string text = config.upstream;
  for (const auto& group : config.upstreams) text += (text.empty() ? "" : ", ") + group.name;
  return text;
}

std::string text_of(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

// The file and everything that it names are read again.
void reload(ServeConfig& running, const ConfigArguments& arguments, ProxyProcess& process) {
  const auto fresh = arguments.load();
  if (!fresh) {
    process.count_failed_reload();
    return spdlog::error("reload failed, nothing has changed: {}", fresh.error().message);
  }
  const auto config = reloaded_config(running, *fresh);
  if (const auto status = config.validate(); !status) {
    process.count_failed_reload();
    return spdlog::error("reload failed, nothing has changed: {}", status.error().message);
  }
  if (const auto status = process.reload(config); !status) {
    return spdlog::error("reload failed: {}", status.error().message);
  }
  const auto waiting = waiting_for_restart(running, *fresh);
  running = config;
  spdlog::info("reloaded: {} rules, {} tenants{}", config.rules.size(), config.tenants.size(),
               config.tls_options() || config.admin_tls_options() ? ", certificates" : "");
  if (!waiting.empty()) spdlog::warn("not reloaded, a restart is needed for: {}", text_of(waiting));
}

// What SIGHUP does. A log that was moved away must not wait for a configuration to be in order.
void hang_up(ServeConfig& running, const ConfigArguments& arguments, ProxyProcess& process) {
  process.reopen_access_log();
  reload(running, arguments, process);
}

int serve(ServeConfig config, const ScopeSecret& secret, const ConfigArguments& arguments) {
  StopSignals signals;
  ProxyProcess process(config, secret.secret);
  warn_of_local_secret(config, secret);
  warn_of(config);
  const auto address = bound_address(config.listen, process.port());
  const auto admin = bound_address(config.admin_listen, process.admin_port());
  spdlog::info("serving on {}, admin on {}, provider {}", address, admin, providers(config));
  signals.on_hangup([&] { hang_up(config, arguments, process); });
  print_ready({{"listen", address}, {"admin", admin}});
  signals.wait([&](const StopSignals::Finished& finished) {
    spdlog::info("draining for at most {} ms; a second signal ends at once",
                 config.drain_timeout_ms);
    process.drain(finished);
  });
  spdlog::info("drained");
  return kExitOk;
}

int run_serve(const ServeArguments& arguments) {
  if (arguments.markdown) {
    fmt::print("{}", options_markdown());
    return kExitOk;
  }
  const auto config = arguments.config.load();
  if (!config) {
    print_error(config.error().message);
    return kExitUsage;
  }
  observability::set_up_logging({.level = config->log_level,
                                 .format = config->log_format == "json"
                                               ? observability::LogFormat::kJson
                                               : observability::LogFormat::kText});
  if (arguments.check) return check(*config);
  const auto secret = load_scope_secret(*config, default_secret_file());
  if (!secret) {
    print_error(secret.error().message);
    return kExitUsage;
  }
  return serve(*config, *secret, arguments.config);
}

}  // namespace

void add_serve_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("serve", "Serves the caching proxy until SIGTERM or SIGINT");
  auto arguments = std::make_shared<ServeArguments>();
  arguments->config.add_to(*command);
  command->add_flag("--check", arguments->check,
                    "Validate the configuration, print \"ok\" and exit");
  command->add_flag("--options-markdown", arguments->markdown)->group("");  // hidden
  command->callback([arguments, &exit_code] { exit_code = run_serve(*arguments); });
}

}  // namespace llm_edge_cache::app
