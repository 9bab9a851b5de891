#include "proxy/upstream_table.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include "proxy/cache_rules.hpp"

namespace llm_edge_cache::proxy {
namespace {

constexpr std::string_view kDefaultName = "default";
constexpr std::string_view kBearer = "authorization";
constexpr std::string_view kApiKey = "x-api-key";

Error invalid(const UpstreamGroup& group, const std::string& what) {
  return {ErrorCode::kInvalidArgument, "upstream '" + group.name + "': " + what};
}

// Nothing in a name can be taken for a URL: the two stand in the same place of a key.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxUpstreamNameBytes &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
         });
}

// The path itself, or a folder above it.
bool holds(std::string_view folder, std::string_view path) {
  return path.starts_with(folder) && (path.size() == folder.size() || folder.ends_with('/') ||
                                      folder.empty() || path[folder.size()] == '/');
}

bool names_model(const std::vector<std::string>& globs, std::string_view model) {
  return globs.empty() || std::any_of(globs.begin(), globs.end(), [model](const auto& glob) {
           return glob_matches(glob, model);
         });
}

Status validate_member(const UpstreamGroup& group, const UpstreamMember& member) {
  if (const auto url = http::parse_url(member.url); !url.ok()) {
    return invalid(group, "'" + http::without_user_info(member.url) + "': " + url.error().message);
  }
  const auto& header = member.credential_header;
  if (!header.empty() && header != kBearer && header != kApiKey) {
    return invalid(group, "credential_header must be authorization or x-api-key");
  }
  if (!is_credential_text(member.credential)) {
    return invalid(group, "the credential has bytes that no header field can carry");
  }
  if (!member.provider.empty() && member.provider != group.provider && member.credential.empty()) {
    return invalid(group, member.url + " is of another provider (" + member.provider +
                              ") and needs a credential of its own: the client's is not for it");
  }
  return {};
}

Status validate_group(const UpstreamGroup& group) {
  if (!is_name(group.name)) {
    return invalid(group, "a name has 1 to " + std::to_string(kMaxUpstreamNameBytes) +
                              " letters, digits, '.', '_' and '-'");
  }
  if (group.name == kDefaultName) {
    return invalid(group, "the name is that of upstream.url");
  }
  if (!group.path.empty() && !group.path.starts_with('/')) {
    return invalid(group, "path must start with '/'");
  }
  for (const auto& glob : group.models) {
    if (glob.empty() || glob.size() > kMaxGlobBytes) {
      return invalid(group, "a model must have 1 to " + std::to_string(kMaxGlobBytes) + " bytes");
    }
  }
  if (group.members.empty() || group.members.size() > kMaxUpstreamMembers) {
    return invalid(group, "needs 1 to " + std::to_string(kMaxUpstreamMembers) + " members");
  }
  for (const auto& member : group.members) {
    if (auto status = validate_member(group, member); !status.ok()) {
      return status;
    }
  }
  return {};
}

std::string field_value(std::string_view field, std::string_view credential) {
  return (field == kBearer ? "Bearer " : "") + std::string(credential);
}

UpstreamTable::Member make_member(const UpstreamGroup& group, const UpstreamMember& member) {
  UpstreamTable::Member made;
  made.url = *http::parse_url(member.url);
  made.label = member.url;
  made.is_of_other_provider = !member.provider.empty() && member.provider != group.provider;
  const auto& provider = member.provider.empty() ? group.provider : member.provider;
  made.credential_name = member.credential_header;
  if (made.credential_name.empty()) {
    made.credential_name = provider == "anthropic" ? kApiKey : kBearer;
  }
  if (!member.credential.empty()) {
    made.credential_value = field_value(made.credential_name, member.credential);
  }
  return made;
}

UpstreamTable::Group make_group(const UpstreamGroup& group) {
  UpstreamTable::Group made{group.name, group.name, group.path, group.models, {}};
  for (const auto& member : group.members) {
    made.members.push_back(make_member(group, member));
  }
  return made;
}

}  // namespace

UpstreamTable::UpstreamTable(const std::vector<UpstreamGroup>& groups,
                             const std::string& default_url,
                             std::vector<std::string> credential_headers,
                             const std::string& default_credential)
    : credential_headers_(std::move(credential_headers)) {
  for (const auto& group : groups) {
    groups_.push_back(make_group(group));
  }
  if (!default_url.empty()) {
    auto made = make_group({.name = std::string(kDefaultName),
                            .members = {{.url = default_url, .credential = default_credential}}});
    made.key_text = default_url;
    groups_.push_back(std::move(made));
  }
}

Status UpstreamTable::validate(const std::vector<UpstreamGroup>& groups,
                               const std::string& default_url) {
  if (groups.empty() && default_url.empty()) {
    return Error{ErrorCode::kInvalidArgument, "upstream_url: there is no upstream"};
  }
  if (!default_url.empty()) {
    if (const auto url = http::parse_url(default_url); !url.ok()) {
      return Error{ErrorCode::kInvalidArgument, "upstream_url: " + url.error().message};
    }
  }
  if (groups.size() > kMaxUpstreamGroups) {
    return Error{ErrorCode::kInvalidArgument,
                 "upstreams: at most " + std::to_string(kMaxUpstreamGroups)};
  }
  std::set<std::string_view> names;
  for (const auto& group : groups) {
    if (auto status = validate_group(group); !status.ok()) {
      return status;
    }
    if (!names.insert(group.name).second) {
      return invalid(group, "the name is given twice");
    }
  }
  return {};
}

std::optional<UpstreamTable::Index> UpstreamTable::match(std::string_view path,
                                                         std::string_view model) const {
  const auto found = std::find_if(groups_.begin(), groups_.end(), [&](const Group& group) {
    return holds(group.path, path) && names_model(group.models, model);
  });
  return found == groups_.end() ? std::nullopt
                                : std::optional(static_cast<Index>(found - groups_.begin()));
}

bool UpstreamTable::asks_for_model(std::string_view path) const {
  return std::any_of(groups_.begin(), groups_.end(), [path](const Group& group) {
    return !group.models.empty() && holds(group.path, path);
  });
}

void UpstreamTable::address(http::RequestHead& head, const Member& member,
                            std::string_view tenant_credential) const {
  head.target.insert(0, member.url.path);
  const bool is_tenants = !tenant_credential.empty() && !member.is_of_other_provider;
  if (member.credential_value.empty() && !is_tenants) {
    return;
  }
  for (const auto& name : credential_headers_) {
    head.headers.erase(name);
  }
  head.headers.set(member.credential_name,
                   is_tenants ? field_value(member.credential_name, tenant_credential)
                              : member.credential_value);
}

}  // namespace llm_edge_cache::proxy
