#include "serve/tenants_layer.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <array>
#include <optional>
#include <set>
#include <utility>

#include "base/parse_number.hpp"
#include "proxy/cache_rules.hpp"
#include "serve/credential_variable.hpp"
#include "serve/rate_text.hpp"

namespace llm_edge_cache::app {

namespace {

struct TenantKey {
  std::string_view name;
  std::string_view help;
};

constexpr auto kKeys = std::to_array<TenantKey>({
    {"name", "Letters, digits, `.`, `_` and `-`; the label of its metrics"},
    {"keys",
     "Its gateway keys, each as `sha256:` and the 64 hex digits of the key's SHA-256; "
     "`llm-edge-cache tenant new-key` prints a fresh key and its line"},
    {"namespace",
     "Whose answers it shares: tenants that both name the same share, all others never do; left "
     "out: a namespace of its own, under its name"},
    {"ttl_max_seconds", "No answer is stored or served for longer, stale or not"},
    {"requests_per_second",
     "Its rate, with up to three decimals (0.5 is one in two seconds); left out: any"},
    {"burst",
     "Requests that may come at once after a rest; left out: those of one second, at least 1"},
    {"max_concurrent", "Requests that may be under way at once; left out: any number"},
    {"credentials",
     "Mapping from an upstream's name (`default` is `upstream.url`) to the environment variable "
     "with the credential that goes up for this tenant; left out: the upstream's own"},
});

Error invalid_tenant(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

class TenantReader {
 public:
  TenantReader(const std::string& file, const YAML::Node& node, std::size_t index)
      : file_(file), node_(node), name_(fmt::format("{}[{}]", kTenantsKey, index)) {}

  Result<proxy::TenantOptions> read() {
    if (!node_.IsMap()) return invalid_tenant(at(node_) + " must be a mapping");
    for (const auto& member : node_) {
      const auto& key = member.first;
      if (!key.IsScalar()) return invalid_tenant(at(key) + ": a key must be text");
      if (!seen_.insert(key.Scalar()).second) {
        return invalid_tenant(fmt::format("{}.{} is given twice", at(key), key.Scalar()));
      }
      if (auto status = take(key, member.second); !status) return status.error();
    }
    if (tenant_.name.empty()) return invalid_tenant(at(node_) + ".name is missing");
    if (tenant_.keys.empty()) return invalid_tenant(at(node_) + ".keys is missing");
    if (!has_burst_) tenant_.rate.burst = burst_of_a_second(tenant_.rate.per_1000_s);
    return std::move(tenant_);
  }

 private:
  [[nodiscard]] std::string at(const YAML::Node& node) const {
    const auto mark = node.Mark();
    return fmt::format("{}:{}: {}", file_, mark.is_null() ? 1 : mark.line + 1, name_);
  }

  Status take(const YAML::Node& key, const YAML::Node& value) {
    const auto& name = key.Scalar();
    if (name == "name") return take_text(tenant_.name, name, value);
    if (name == "namespace") return take_text(tenant_.name_space, name, value);
    if (name == "keys") return take_keys(value);
    if (name == "ttl_max_seconds") return take_ttl(name, value);
    if (name == "requests_per_second") return take_rate(name, value);
    if (name == "burst") {
      has_burst_ = true;
      return take_number(tenant_.rate.burst, name, value, 1'000'000);
    }
    if (name == "max_concurrent") {
      return take_number(tenant_.max_concurrent, name, value, 1'000'000);
    }
    if (name == "credentials") return take_credentials(value);
    return invalid_tenant(fmt::format("{}: unknown key '{}'", at(key), name));
  }

  Status take_text(std::string& field, std::string_view key, const YAML::Node& value) const {
    if (!value.IsScalar() || value.Scalar().empty()) {
      return invalid_tenant(fmt::format("{}.{} must be a text", at(value), key));
    }
    field = value.Scalar();
    return {};
  }

  Status take_number(std::uint64_t& field, std::string_view key, const YAML::Node& value,
                     std::uint64_t max) const {
    std::string text;
    if (auto status = take_text(text, key, value); !status) return status;
    const auto number = parse_number<std::uint64_t>(text);
    if (!number || *number < 1 || *number > max) {
      return invalid_tenant(
          fmt::format("{}.{}: '{}' is not a whole number from 1 to {}", at(value), key, text, max));
    }
    field = *number;
    return {};
  }

  Status take_ttl(std::string_view key, const YAML::Node& value) {
    std::uint64_t seconds = 0;
    auto status = take_number(seconds, key, value, proxy::kLongestLifeMs / 1'000);
    if (status) tenant_.max_ttl_ms = seconds * 1'000;
    return status;
  }

  Status take_rate(std::string_view key, const YAML::Node& value) {
    std::string text;
    if (auto status = take_text(text, key, value); !status) return status;
    const auto rate = read_rate(text);
    if (!rate)
      return invalid_tenant(fmt::format("{}.{}: '{}' is not {}", at(value), key, text, kRateRange));
    tenant_.rate.per_1000_s = *rate;
    return {};
  }

  Status take_keys(const YAML::Node& list) {
    if (!list.IsSequence()) return invalid_tenant(at(list) + ".keys must be a list");
    for (const auto& node : list) {
      std::optional<KeyDigest> digest;
      if (node.IsScalar() && node.Scalar().starts_with(kKeyHashPrefix)) {
        digest = key_digest_from_hex(std::string_view(node.Scalar()).substr(kKeyHashPrefix.size()));
      }
      // Not repeated: it may be the key itself.
      if (!digest) {
        return invalid_tenant(fmt::format("{}.keys[{}] must be {} and 64 lower-case hex digits",
                                          at(node), tenant_.keys.size() + 1, kKeyHashPrefix));
      }
      tenant_.keys.push_back(*digest);
    }
    return {};
  }

  Status take_credentials(const YAML::Node& mapping) {
    if (!mapping.IsMap()) return invalid_tenant(at(mapping) + ".credentials must be a mapping");
    for (const auto& member : mapping) {
      if (!member.first.IsScalar())
        return invalid_tenant(at(member.first) + ": a key must be text");
      const auto name = fmt::format("credentials.{}", member.first.Scalar());
      std::string variable;
      if (auto status = take_text(variable, name, member.second); !status) return status;
      const auto credential = read_credential(variable);
      if (!credential) {
        return invalid_tenant(
            fmt::format("{}.{}: {}", at(member.second), name, credential.error().message));
      }
      if (!tenant_.credentials.emplace(member.first.Scalar(), *credential).second) {
        return invalid_tenant(fmt::format("{}.{} is given twice", at(member.first), name));
      }
    }
    return {};
  }

  const std::string& file_;
  const YAML::Node& node_;
  const std::string name_;
  proxy::TenantOptions tenant_;
  bool has_burst_ = false;
  std::set<std::string> seen_;
};

}  // namespace

Result<std::vector<proxy::TenantOptions>> read_tenants(const YAML::Node& list,
                                                       const std::string& file) {
  const auto mark = list.Mark();
  const auto origin = fmt::format("{}:{}", file, mark.is_null() ? 1 : mark.line + 1);
  if (!list.IsSequence()) {
    return invalid_tenant(fmt::format("{}: '{}' must be a list", origin, kTenantsKey));
  }
  std::vector<proxy::TenantOptions> tenants;
  for (const auto& node : list) {
    auto tenant = TenantReader(file, node, tenants.size() + 1).read();
    if (!tenant) return tenant.error();
    tenants.push_back(*std::move(tenant));
  }
  return tenants;
}

std::string tenants_markdown() {
  std::string out = fmt::format(
      "\n## Tenants\n\n"
      "The file can hold a list `{}`, of at most {} mappings, each with at most {} keys. A request "
      "whose gateway key is none of theirs is then refused (`unknown_keys`). docs/guide.md has an "
      "example.\n\n"
      "| key | what it is |\n|---|---|\n",
      kTenantsKey, proxy::kMaxTenants, proxy::kMaxTenantKeys);
  for (const auto& key : kKeys) out += fmt::format("| `{}` | {} |\n", key.name, key.help);
  return out;
}

}  // namespace llm_edge_cache::app
