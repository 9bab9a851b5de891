#include "serve/upstreams_layer.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <array>
#include <optional>
#include <set>
#include <utility>

#include "proxy/upstream_table.hpp"
#include "serve/credential_variable.hpp"

namespace llm_edge_cache::app {

namespace {

struct UpstreamKey {
  std::string_view name;
  std::string_view help;
};

constexpr auto kGroupKeys = std::to_array<UpstreamKey>({
    {"name",
     "Letters, digits, `.`, `_` and `-`; part of the key, so proxies on one store must mean "
     "the same by it"},
    {"path", "Takes requests for this path and for what lies below it; left out: for every path"},
    {"models",
     "Takes requests whose model matches one of these; `*` is any text, `?` any one byte; "
     "left out: every model, and requests that name none"},
    {"provider", "`openai`, `anthropic` or any other word: whose the clients' credentials are"},
    {"credential_env", "Of every member that says nothing else"},
    {"credential_header", "Likewise"},
    {"members", "Upstreams that answer alike, in the order in which they are tried"},
});

constexpr auto kMemberKeys = std::to_array<UpstreamKey>({
    {"members[].url", "`http(s)://HOST[:PORT][/PREFIX]`"},
    {"members[].provider", "Where it is not the group's; it then needs a credential of its own"},
    {"members[].credential_env",
     "Environment variable that holds the credential which goes up in place of the client's; left "
     "out: the client's passes"},
    {"members[].credential_header",
     "`authorization` (as a bearer token) or `x-api-key`; left out: `x-api-key` for `anthropic`, "
     "else `authorization`"},
});

Error invalid_upstream(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

// Reads one mapping member by member; every key must be known, and given once.
class MappingReader {
 public:
  MappingReader(const std::string& file, const YAML::Node& node, std::string name)
      : file_(file), node_(node), name_(std::move(name)) {}

  [[nodiscard]] std::string origin() const { return origin_of(node_); }
  [[nodiscard]] std::string origin_of(const YAML::Node& node) const {
    const auto mark = node.Mark();
    return fmt::format("{}:{}: {}", file_, mark.is_null() ? 1 : mark.line + 1, name_);
  }

  // take(key, value) returns nullopt for a key that it does not know.
  template <class Take>
  Status read(Take take) {
    if (!node_.IsMap()) return invalid_upstream(origin() + " must be a mapping");
    for (const auto& member : node_) {
      const auto& key = member.first;
      if (!key.IsScalar()) return invalid_upstream(origin_of(key) + ": a key must be text");
      if (!seen_.insert(key.Scalar()).second) {
        return invalid_upstream(fmt::format("{}.{} is given twice", origin_of(key), key.Scalar()));
      }
      const std::optional<Status> status = take(key.Scalar(), member.second);
      if (!status) {
        return invalid_upstream(fmt::format("{}: unknown key '{}'", origin_of(key), key.Scalar()));
      }
      if (!status->ok()) return *status;
    }
    return {};
  }

  Status read_text(std::string& field, const YAML::Node& value, std::string_view key) const {
    if (!value.IsScalar() || value.Scalar().empty()) {
      return invalid_upstream(fmt::format("{}.{} must be a text", origin_of(value), key));
    }
    field = value.Scalar();
    return {};
  }

  Status read_credential_of(std::string& field, const YAML::Node& value) const {
    std::string variable;
    if (auto status = read_text(variable, value, "credential_env"); !status) return status;
    auto credential = read_credential(variable);
    if (!credential) {
      return invalid_upstream(
          fmt::format("{}.credential_env: {}", origin_of(value), credential.error().message));
    }
    field = *std::move(credential);
    return {};
  }

 private:
  const std::string& file_;
  const YAML::Node& node_;
  const std::string name_;
  std::set<std::string> seen_;
};

class GroupReader {
 public:
  GroupReader(const std::string& file, const YAML::Node& node, std::size_t index)
      : file_(file),
        name_(fmt::format("{}[{}]", kUpstreamsKey, index)),
        reader_(file, node, name_) {}

  Result<proxy::UpstreamGroup> read() {
    const auto status = reader_.read(
        [this](const std::string& key, const YAML::Node& value) { return take(key, value); });
    if (!status) return status.error();
    for (auto& member : group_.members) inherit(member);
    if (const auto valid = proxy::UpstreamTable::validate({group_}, ""); !valid) {
      return invalid_upstream(reader_.origin() + ": " + valid.error().message);
    }
    return std::move(group_);
  }

 private:
  std::optional<Status> take(const std::string& key, const YAML::Node& value) {
    if (key == "name") return reader_.read_text(group_.name, value, key);
    if (key == "path") return reader_.read_text(group_.path, value, key);
    if (key == "models") return read_models(value);
    if (key == "provider") return reader_.read_text(group_.provider, value, key);
    if (key == "credential_env") return reader_.read_credential_of(credential_, value);
    if (key == "credential_header") return reader_.read_text(credential_header_, value, key);
    if (key == "members") return read_members(value);
    return std::nullopt;
  }

  Status read_models(const YAML::Node& list) {
    if (!list.IsSequence())
      return invalid_upstream(reader_.origin_of(list) + ".models must be a list");
    for (const auto& model : list) {
      if (auto status = reader_.read_text(group_.models.emplace_back(), model, "models"); !status) {
        return status;
      }
    }
    return {};
  }

  Status read_members(const YAML::Node& list) {
    if (!list.IsSequence())
      return invalid_upstream(reader_.origin_of(list) + ".members must be a list");
    for (const auto& node : list) {
      proxy::UpstreamMember member;
      MappingReader reader(file_, node,
                           fmt::format("{}.members[{}]", name_, group_.members.size() + 1));
      const auto status = reader.read(
          [&](const std::string& key, const YAML::Node& value) -> std::optional<Status> {
            if (key == "url") return reader.read_text(member.url, value, key);
            if (key == "provider") return reader.read_text(member.provider, value, key);
            if (key == "credential_env") return reader.read_credential_of(member.credential, value);
            if (key == "credential_header") {
              return reader.read_text(member.credential_header, value, key);
            }
            return std::nullopt;
          });
      if (!status) return status;
      group_.members.push_back(std::move(member));
    }
    return {};
  }

  // The group's credential is its provider's: a member of another does not get it.
  void inherit(proxy::UpstreamMember& member) const {
    if (!member.provider.empty() && member.provider != group_.provider) return;
    if (member.credential.empty()) member.credential = credential_;
    if (member.credential_header.empty()) member.credential_header = credential_header_;
  }

  const std::string& file_;
  const std::string name_;
  MappingReader reader_;
  proxy::UpstreamGroup group_;
  std::string credential_;
  std::string credential_header_;
};

template <class Keys>
void append_rows(std::string& out, const Keys& keys) {
  for (const auto& key : keys) out += fmt::format("| `{}` | {} |\n", key.name, key.help);
}

}  // namespace

Result<std::vector<proxy::UpstreamGroup>> read_upstreams(const YAML::Node& list,
                                                         const std::string& file) {
  const auto mark = list.Mark();
  if (!list.IsSequence()) {
    return invalid_upstream(fmt::format("{}:{}: '{}' must be a list", file,
                                        mark.is_null() ? 1 : mark.line + 1, kUpstreamsKey));
  }
  std::vector<proxy::UpstreamGroup> groups;
  for (const auto& node : list) {
    auto group = GroupReader(file, node, groups.size() + 1).read();
    if (!group) return group.error();
    groups.push_back(*std::move(group));
  }
  return groups;
}

std::string upstreams_markdown() {
  std::string out = fmt::format(
      "\n## Upstreams\n\n"
      "The file can hold a list `{}`, of at most {} mappings. A request goes to the first whose "
      "`path` and `models` it meets, and to `upstream.url` where it meets none. docs/guide.md has "
      "an example.\n\n"
      "| key | what it is |\n|---|---|\n",
      kUpstreamsKey, proxy::kMaxUpstreamGroups);
  append_rows(out, kGroupKeys);
  append_rows(out, kMemberKeys);
  return out;
}

}  // namespace llm_edge_cache::app
