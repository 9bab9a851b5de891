#include "proxy/credential_caller.hpp"

#include <algorithm>
#include <utility>

#include "proxy/proxy_error.hpp"

namespace llm_edge_cache::proxy {
namespace {

// The one word after the scheme, however both are written: what follows it an upstream may
// overlook, or it is a signature that differs with each request (SigV4, Digest).
std::string_view without_scheme(std::string_view value) {
  const auto end_of_scheme = value.find_first_of(" \t");
  if (end_of_scheme == std::string_view::npos) return value;
  const auto start = value.find_first_not_of(" \t,", end_of_scheme);
  if (start == std::string_view::npos) return value.substr(0, end_of_scheme);
  return value.substr(start, value.find_first_of(" \t,", start) - start);
}

class CredentialCaller final : public Caller {
 public:
  CredentialCaller(CredentialTable& table, const AdmissionRules& rules)
      : table_(table), limits_(rules.credentials), rate_counts_(rules.rate_counts) {}
  ~CredentialCaller() override {
    for (const auto& state : entered_) state->concurrency.leave();
  }
  CredentialCaller(const CredentialCaller&) = delete;
  CredentialCaller& operator=(const CredentialCaller&) = delete;

  std::optional<ProxyError> enter(CredentialStatePtr state) {
    if (std::find(entered_.begin(), entered_.end(), state) != entered_.end()) return std::nullopt;
    if (!state->concurrency.enter(limits_.max_concurrent)) {
      table_.count_refused(TenantRefusal::kConcurrency);
      return credential_concurrency_error();
    }
    entered_.push_back(std::move(state));
    return std::nullopt;
  }

  std::optional<ProxyError> refuse_by_rate(TimePoint now) const {
    for (const auto& state : entered_) {
      if (const auto wait = state->rate.take(limits_.rate, now)) {
        table_.count_refused(TenantRefusal::kRate);
        return credential_rate_error(*wait);
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] std::shared_ptr<const void> limits() const override {
    return entered_.size() == 1 ? entered_.front() : several_;
  }
  [[nodiscard]] std::optional<ProxyError> refuse_call(TimePoint now) const override {
    return rate_counts_ == RateCounts::kUpstreamCalls ? refuse_by_rate(now) : std::nullopt;
  }

 private:
  CredentialTable& table_;
  const CredentialLimits limits_;
  const RateCounts rate_counts_;
  std::vector<CredentialStatePtr> entered_;
  // Stands for limits that no other request is known to have.
  const std::shared_ptr<const void> several_ = std::make_shared<char>();
};

}  // namespace

std::vector<std::string_view> credentials_in(const http::Headers& headers,
                                             const std::vector<std::string>& names) {
  std::vector<std::string_view> found;
  for (const auto& name : names) {
    // What Connection names does not go up.
    if (!headers.contains(name) || headers.has_token("connection", name)) continue;
    const bool has_scheme = http::equals_ignore_case(name, "authorization");
    headers.for_each(name, [&](std::string_view value) {
      const auto credential = has_scheme ? without_scheme(value) : value;
      if (found.size() <= kMaxCallerCredentials &&
          std::find(found.begin(), found.end(), credential) == found.end()) {
        found.push_back(credential);
      }
    });
  }
  if (found.empty()) found.emplace_back();
  return found;
}

Admission admit_by_credentials(CredentialTable& table, const AdmissionRules& rules,
                               const http::Headers& headers,
                               const std::vector<std::string>& credential_headers,
                               Caller::TimePoint now) {
  const auto credentials = credentials_in(headers, credential_headers);
  if (credentials.size() > kMaxCallerCredentials) return {.refusal = too_many_credentials_error()};
  auto caller = std::make_shared<CredentialCaller>(table, rules);
  for (const auto credential : credentials) {
    if (auto refusal = caller->enter(table.state_of(credential, now))) {
      return {.refusal = std::move(refusal)};
    }
  }
  if (rules.rate_counts == RateCounts::kRequests) {
    if (auto refusal = caller->refuse_by_rate(now)) return {.refusal = std::move(refusal)};
  }
  return {.caller = std::move(caller)};
}

}  // namespace llm_edge_cache::proxy
