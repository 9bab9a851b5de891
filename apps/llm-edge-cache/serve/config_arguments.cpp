#include "serve/config_arguments.hpp"

#include <fmt/format.h>

#include "serve/config_layers.hpp"
#include "serve/option_table.hpp"

namespace llm_edge_cache::app {

void ConfigArguments::add_to(CLI::App& command) {
  for (const auto& option : serve_options()) {
    if (option.environment_only) continue;
    const std::string name(option.name);
    auto help = fmt::format("{} [{}]", option.help, option.variable());
    if (const auto value = default_text(option); !value.empty()) {
      help += fmt::format(", default {}{}{}", value, option.unit.empty() ? "" : " ", option.unit);
    }
    given_[name] = command.add_option(option.flag(), values_[name], help)->type_name("");
  }
  command.add_option("--config", config_file_, "YAML file; see docs/configuration.md");
}

Result<ServeConfig> ConfigArguments::load() const {
  FlagValues flags;
  for (const auto& [name, option] : given_) {
    if (option->count() > 0) flags.emplace(name, values_.at(name));
  }
  return load_config(flags, read_environment(), config_file_);
}

}  // namespace llm_edge_cache::app
