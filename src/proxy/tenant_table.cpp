#include "proxy/tenant_table.hpp"

#include <algorithm>
#include <utility>

#include "base/constant_time.hpp"
#include "base/sha256.hpp"

namespace llm_edge_cache::proxy {
namespace {

constexpr std::string_view kBearer = "bearer";

// The key in a value of Authorization; empty where it is of another scheme.
std::string_view bearer_token(std::string_view value) {
  const auto space = value.find(' ');
  if (space == std::string_view::npos ||
      !http::equals_ignore_case(value.substr(0, space), kBearer)) {
    return {};
  }
  value.remove_prefix(space);
  const auto start = value.find_first_not_of(' ');
  return start == std::string_view::npos ? std::string_view() : value.substr(start);
}

std::string_view key_in(const http::HeaderField& field) {
  if (http::equals_ignore_case(field.name, "authorization")) return bearer_token(field.value);
  for (const auto* name : {"x-api-key", "api-key", "x-goog-api-key"}) {
    if (http::equals_ignore_case(field.name, name)) return field.value;
  }
  return {};
}

}  // namespace

std::string_view to_string(TenantRefusal refusal) {
  return refusal == TenantRefusal::kRate ? "rate" : "concurrency";
}

std::string_view Tenant::credential_for(const std::string& group) const {
  const auto found = options.credentials.find(group);
  return found == options.credentials.end() ? std::string_view() : found->second;
}

void Tenant::apply_to(RequestDirectives& directives) const {
  directives.tenant_space = options.space();
  directives.max_ttl_ms = options.max_ttl_ms;
}

TenantTable::TenantTable(const std::vector<TenantOptions>& tenants, const TenantTable* former) {
  std::unordered_map<std::string_view, std::shared_ptr<TenantState>> states;
  if (former != nullptr) {
    for (const auto& tenant : former->tenants_) states[tenant->options.name] = tenant->state;
  }
  for (const auto& options : tenants) {
    const auto known = states.find(options.name);
    auto state = known == states.end() ? std::make_shared<TenantState>() : known->second;
    const auto tenant = std::make_shared<const Tenant>(Tenant{options, std::move(state)});
    tenants_.push_back(tenant);
    for (const auto& digest : options.keys) keys_.emplace(digest.hash(), Key{digest, tenant});
  }
}

TenantTable::Found TenantTable::find(const http::Headers& headers) const {
  std::shared_ptr<const Tenant> found;
  std::size_t credentials = 0;
  for (const auto& field : headers) {
    const auto key = key_in(field);
    if (key.empty()) continue;
    if (++credentials > kMaxCredentials) return {.is_doubtful = true};
    auto tenant = find_key(key);
    if (tenant == nullptr || tenant == found) continue;
    if (found != nullptr) return {.is_doubtful = true};
    found = std::move(tenant);
  }
  return {.tenant = std::move(found)};
}

std::shared_ptr<const Tenant> TenantTable::find_key(std::string_view key) const {
  const auto digest = sha256(key);
  const auto [begin, end] = keys_.equal_range(digest.hash());
  for (auto candidate = begin; candidate != end; ++candidate) {
    if (constant_time_equal(candidate->second.digest.view(), digest.view())) {
      return candidate->second.tenant;
    }
  }
  return nullptr;
}

std::vector<TenantReport> TenantTable::report() const {
  std::vector<TenantReport> reports;
  for (const auto& tenant : tenants_) {
    auto& report = reports.emplace_back();
    const auto& state = *tenant->state;
    report.name = tenant->options.name;
    report.concurrent = state.concurrency.active();
    std::transform(state.requests.begin(), state.requests.end(), report.requests.begin(),
                   [](const auto& count) { return count.load(std::memory_order_relaxed); });
    std::transform(state.refused.begin(), state.refused.end(), report.refused.begin(),
                   [](const auto& count) { return count.load(std::memory_order_relaxed); });
  }
  return reports;
}

}  // namespace llm_edge_cache::proxy
