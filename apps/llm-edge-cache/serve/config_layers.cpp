#include "serve/config_layers.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/credential_variable.hpp"
#include "serve/option_table.hpp"
#include "serve/rules_layer.hpp"
#include "serve/tenants_layer.hpp"
#include "serve/upstreams_layer.hpp"

namespace llm_edge_cache::app {

namespace {

constexpr std::string_view kVariablePrefix = "LLM_EDGE_CACHE_";

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

template <class Text>
const Option* find_option(Text text, std::string_view wanted) {
  const auto options = serve_options();
  const auto found = std::ranges::find_if(
      options, [&](const Option& option) { return std::invoke(text, option) == wanted; });
  return found == options.end() ? nullptr : &*found;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replace});
    }
  }
  return row[b.size()];
}

// " (did you mean 'l1.capacity'?)" where a name is near enough to be a slip of the finger.
template <class Text>
std::string suggestion(Text text, std::string_view unknown) {
  constexpr std::size_t kSlip = 3;
  std::string best;
  auto best_distance = kSlip + 1;
  for (const auto& option : serve_options()) {
    const std::string name(std::invoke(text, option));
    const auto distance = edit_distance(name, unknown);
    if (!name.empty() && distance < best_distance) {
      best = name;
      best_distance = distance;
    }
  }
  return best.empty() ? "" : fmt::format(" (did you mean '{}'?)", best);
}

bool is_section(std::string_view key) {
  const auto prefix = fmt::format("{}.", key);
  return std::ranges::any_of(
      serve_options(), [&](const Option& option) { return option.yaml_key.starts_with(prefix); });
}

// Where each option was given that was, by its flag: "--listen" -> "proxy.yaml:3: listen", or
// itself. Members of lists stand by the words of their errors: "tenant 'a'" ->
// "proxy.yaml:9: tenants[1]".
using Origins = std::map<std::string, std::string, std::less<>>;

// Where the message has the subject as a whole word.
std::size_t find_subject(std::string_view message, std::string_view subject) {
  auto at = message.find(subject);
  while (at != std::string_view::npos) {
    const auto end = at + subject.size();
    if (end == message.size() || message[end] == ':' || message[end] == ' ') return at;
    at = message.find(subject, at + 1);
  }
  return at;
}

// The first option of the message that was given.
Origins::const_iterator find_given(std::string_view message, const Origins& origins) {
  auto found = origins.end();
  auto first = std::string_view::npos;
  for (auto origin = origins.begin(); origin != origins.end(); ++origin) {
    const auto at = find_subject(message, origin->first);
    if (at >= first) continue;
    first = at;
    found = origin;
  }
  return found;
}

// A configuration is judged as a whole, by the names of its flags: says where that was given which
// the message begins with. What it begins with may be a default: then where the other was given
// which does not go with it.
Error with_origin(Error error, const Origins& origins) {
  const auto given = find_given(error.message, origins);
  if (given == origins.end()) return error;
  const auto& [subject, origin] = *given;
  const bool begins = find_subject(error.message, subject) == 0;
  const bool names_option =
      error.message.starts_with("--") || error.message.starts_with(kVariablePrefix);
  if (begins && subject.starts_with("--")) {
    error.message.replace(0, subject.size(), origin);
  } else if (begins || (names_option && origin != subject)) {
    error.message = fmt::format("{}: {}", origin, error.message);
  }
  return error;
}

class YamlLayer {
 public:
  YamlLayer(ServeConfig& config, Origins& origins, const std::string& file)
      : config_(config), origins_(origins), file_(file) {}

  Status apply() {
    YAML::Node root;
    try {
      root = YAML::LoadFile(file_);
    } catch (const YAML::BadFile&) {
      return Error{ErrorCode::kIo, fmt::format("{}: cannot read the file", file_)};
    } catch (const YAML::ParserException& error) {
      return invalid(fmt::format("{}: {}", at(error.mark), error.msg));
    }
    if (root.IsNull()) return {};
    if (!root.IsMap()) return invalid(fmt::format("{}: expected a mapping", at(root.Mark())));
    return apply_mapping(root, "");
  }

 private:
  std::string at(const YAML::Mark& mark) const {
    return fmt::format("{}:{}", file_, mark.is_null() ? 1 : mark.line + 1);
  }

  Status apply_mapping(const YAML::Node& mapping, const std::string& prefix) {
    for (const auto& member : mapping) {
      if (!member.first.IsScalar()) {
        return invalid(fmt::format("{}: a key must be text", at(member.first.Mark())));
      }
      const auto key = prefix + member.first.Scalar();
      if (!seen_.insert(key).second) {
        return invalid(fmt::format("{}: '{}' is given twice", at(member.first.Mark()), key));
      }
      if (auto status = apply_member(member.first, member.second, key); !status) return status;
    }
    return {};
  }

  Status apply_member(const YAML::Node& name, const YAML::Node& value, const std::string& key) {
    if (key == kUpstreamsKey) {
      auto groups = read_upstreams(value, file_);
      if (!groups) return groups.error();
      config_.upstreams = *std::move(groups);
      note_members(name, value, "upstream", config_.upstreams);
      return {};
    }
    if (is_section(key)) {
      if (value.IsMap()) return apply_mapping(value, key + ".");
      return invalid(fmt::format("{}: '{}' must be a mapping", at(name.Mark()), key));
    }
    if (key == kRulesKey) {
      auto rules = read_rules(value, file_);
      if (!rules) return rules.error();
      config_.rules = *std::move(rules);
      return {};
    }
    if (key == kTenantsKey) {
      auto tenants = read_tenants(value, file_);
      if (!tenants) return tenants.error();
      config_.tenants = *std::move(tenants);
      note_members(name, value, "tenant", config_.tenants);
      return {};
    }
    const auto* option = find_option(&Option::yaml_key, key);
    if (option == nullptr || option->environment_only) {
      return invalid(fmt::format("{}: unknown key '{}'{}", at(name.Mark()), key,
                                 suggestion(&Option::yaml_key, key)));
    }
    if (!value.IsScalar()) {
      return invalid(fmt::format("{}: '{}' must be a single value", at(name.Mark()), key));
    }
    auto origin = fmt::format("{}: {}", at(name.Mark()), key);
    auto status = assign(config_, *option, value.Scalar(), origin);
    origins_[option->flag()] = std::move(origin);
    return status;
  }

  // Of two with one name the latter is the one too many.
  template <class Members>
  void note_members(const YAML::Node& key, const YAML::Node& list, std::string_view kind,
                    const Members& members) {
    origins_[key.Scalar()] = at(key.Mark());
    for (std::size_t i = 0; i < members.size(); ++i) {
      origins_[fmt::format("{} '{}'", kind, members[i].name)] =
          fmt::format("{}: {}[{}]", at(list[i].Mark()), key.Scalar(), i + 1);
    }
  }

  ServeConfig& config_;
  Origins& origins_;
  const std::string& file_;
  std::set<std::string> seen_;
};

// What Kubernetes puts into each container beside a Service whose name begins with llm-edge-cache.
bool names_a_service(const std::string& variable) {
  static const std::regex kService(
      ".*_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?"
      ")?)");
  return std::regex_match(variable, kService);
}

// The admin commands' own, which may be set for all that runs in one shell or container.
constexpr std::string_view kAdminToken = "LLM_EDGE_CACHE_ADMIN_TOKEN";

Status apply_environment(ServeConfig& config, Origins& origins,
                         const EnvironmentValues& environment) {
  for (const auto& [variable, text] : environment) {
    const auto* option = find_option(&Option::variable, variable);
    if (option == nullptr) {
      if (variable == kAdminToken || names_a_service(variable)) continue;
      return invalid(fmt::format("unknown environment variable {}{}", variable,
                                 suggestion(&Option::variable, variable)));
    }
    // An empty variable is how scripts say "not set".
    if (text.empty()) continue;
    if (auto status = assign(config, *option, text, variable); !status) return status;
    if (!option->environment_only) origins[option->flag()] = variable;
  }
  return {};
}

Status apply_flags(ServeConfig& config, Origins& origins, const FlagValues& flags) {
  for (const auto& [name, text] : flags) {
    const auto* option = find_option(&Option::name, name);
    if (option == nullptr) return invalid(fmt::format("unknown option --{}", name));
    if (auto status = assign(config, *option, text, option->flag()); !status) return status;
    if (!option->environment_only) origins[option->flag()] = option->flag();
  }
  return {};
}

}  // namespace

EnvironmentValues read_environment() {
  EnvironmentValues values;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || !text.starts_with(kVariablePrefix)) continue;
    values.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return values;
}

Result<ServeConfig> load_config(const FlagValues& flags, const EnvironmentValues& environment,
                                const std::string& yaml_file) {
  ServeConfig config;
  Origins origins;
  if (!yaml_file.empty()) {
    if (auto status = YamlLayer(config, origins, yaml_file).apply(); !status) return status.error();
  }
  if (auto status = apply_environment(config, origins, environment); !status) return status.error();
  if (auto status = apply_flags(config, origins, flags); !status) return status.error();
  config.upstream_credential = without_line_end(std::move(config.upstream_credential));
  if (auto status = config.validate(); !status) return with_origin(status.error(), origins);
  return config;
}

}  // namespace llm_edge_cache::app
