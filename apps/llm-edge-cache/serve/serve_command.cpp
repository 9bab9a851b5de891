#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "commands.hpp"
#include "listening.hpp"
#include "observability/cache_report.hpp"
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
  bool options_markdown = false;
  bool metrics_markdown = false;
};

void warn_of(const ServeConfig& config) {
  for (const auto& warning : warnings_of(config)) spdlog::warn("{}", warning);
}

void warn_of(const ServeConfig& config, const ScopeSecret& secret) {
  if (const auto warning = warning_of(secret, config); !warning.empty()) {
    spdlog::warn("{}", warning);
  }
  warn_of(config);
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

// What SIGHUP does.
class HangUp {
 public:
  HangUp(ServeConfig config, const ScopeSecret& secret, const ConfigArguments& arguments,
         ProxyProcess& process)
      : started_(std::move(config)),
        running_(started_),
        secret_(secret),
        arguments_(arguments),
        process_(process) {}

  // A log that was moved away must not wait for a configuration to be in order.
  void operator()() {
    process_.reopen_access_log();
    reload();
  }

 private:
  // The file and everything that it names are read again.
  void reload() {
    const auto fresh = arguments_.load();
    if (!fresh) return fail(fresh.error());
    const auto config = reloaded_config(running_, *fresh);
    if (const auto status = config.validate(); !status) return fail(status.error());
    if (const auto status = process_.reload(config); !status) {
      return spdlog::error("reload failed: {}", status.error().message);
    }
    running_ = config;
    report(waiting_for_restart(started_, *fresh));
  }

  void fail(const Error& error) {
    process_.count_failed_reload();
    spdlog::error("reload failed, nothing has changed: {}", error.message);
  }

  void report(const std::vector<std::string>& waiting) const {
    spdlog::info("reloaded: {} rules, {} tenants{}", running_.rules.size(), running_.tenants.size(),
                 running_.tls_options() || running_.admin_tls_options() ? ", certificates" : "");
    if (!waiting.empty()) {
      spdlog::warn("not reloaded, a restart is needed for: {}", text_of(waiting));
    }
    warn_of(running_, secret_);
  }

  const ServeConfig started_;
  ServeConfig running_;
  const ScopeSecret& secret_;
  const ConfigArguments& arguments_;
  ProxyProcess& process_;
};

int serve(const ServeConfig& config, const ScopeSecret& secret, const ConfigArguments& arguments) {
  StopSignals signals;
  ProxyProcess process(config, secret.secret);
  HangUp hang_up(config, secret, arguments, process);
  warn_of(config, secret);
  const auto address = bound_address(config.listen, process.port());
  const auto admin = bound_address(config.admin_listen, process.admin_port());
  spdlog::info("serving on {}, admin on {}, provider {}", address, admin, providers(config));
  signals.on_hangup([&] { hang_up(); });
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
  if (arguments.options_markdown || arguments.metrics_markdown) {
    fmt::print("{}",
               arguments.options_markdown ? options_markdown() : observability::metrics_markdown());
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
  command->add_flag("--options-markdown", arguments->options_markdown)->group("");  // hidden
  command->add_flag("--metrics-markdown", arguments->metrics_markdown)->group("");
  command->callback([arguments, &exit_code] { exit_code = run_serve(*arguments); });
}

}  // namespace llm_edge_cache::app
