#include "proxy/proxy.hpp"

#include <utility>

#include "proxy/access_record.hpp"
#include "proxy/cache_flow.hpp"
#include "proxy/cache_status.hpp"
#include "proxy/credential_caller.hpp"
#include "proxy/embedding_flow.hpp"
#include "proxy/known_head.hpp"
#include "proxy/pass_through.hpp"
#include "proxy/proxy_error.hpp"

namespace llm_edge_cache::proxy {

Proxy::Proxy(http::IoThreads& threads, TieredCache& cache, ClockPtr clock, ProxyOptions options)
    : threads_(threads),
      services_(
          std::make_shared<ProxyServices>(threads, cache, std::move(clock), std::move(options))),
      policies_(services_->policies_of_thread.front()) {}

Proxy::~Proxy() {
  stop();
}

void Proxy::handle(std::shared_ptr<http::Exchange> exchange) {
  const auto& dialects = services_->dialects;
  const auto& known = know_head(*exchange, dialects, *services_->policies());
  exchange->set_extra_fields(known.extra_fields.get());
  if (known.is_preflight) return answer_preflight(*exchange);
  if (!let_in(*exchange, known)) return;
  if (known.dialect == nullptr) {
    const auto& spoken = dialects.spoken_at(exchange->head().path());
    pass_through(services_, std::move(exchange), spoken);
  } else if (known.dialect == &dialects.embeddings()) {
    start_embedding_flow(services_, std::move(exchange), known);
  } else {
    start_cache_flow(services_, std::move(exchange), known);
  }
}

// Before anybody is let in: a browser sends no credential with it. It is none of the requests that
// are counted, for it asks nothing that could be cached.
void Proxy::answer_preflight(http::Exchange& exchange) {
  const auto& head = exchange.head();
  if (const auto& log = services_->options.access_log; log != nullptr) {
    exchange.set_note(std::make_unique<AccessNote>(log, *services_->clock, head));
  }
  if (services_->policies()->cors.allows(head.headers.get("origin").value_or(""))) {
    return allow_preflight(exchange);
  }
  services_->metrics.count_own_error();
  const auto error = origin_not_allowed_error();
  respond_error(exchange, services_->dialects.spoken_at(head.path()), error,
                refusal_status(error.code));
}

bool Proxy::let_in(http::Exchange& exchange, const KnownHead& known) {
  const auto& head = exchange.head();
  const auto& log = services_->options.access_log;
  const auto& policies = *services_->policies();
  auto admission = admit(policies.tenants, known.found_tenant, policies.admission,
                         exchange.io_thread().recent());
  if (!admission.refusal && admission.caller == nullptr && policies.admission.credentials.any()) {
    admission =
        admit_by_credentials(services_->credentials, policies.admission, head.headers,
                             services_->options.credential_headers, exchange.io_thread().recent());
  }
  if (log != nullptr || admission.caller != nullptr) {
    auto note = std::make_unique<AccessNote>(log, *services_->clock, head, admission.caller);
    if (admission.refused_tenant != nullptr) {
      note->record().tenant = admission.refused_tenant->options.name;
    }
    exchange.set_note(std::move(note));
  }
  if (!admission.refusal) return true;
  services_->metrics.count_request(LookupOutcome::kBypass);
  services_->metrics.count_own_error();
  if (admission.is_unknown) services_->metrics.count_unknown_key();
  note_outcome(exchange, LookupOutcome::kBypass);
  respond_error(exchange, services_->dialects.spoken_at(head.path()), *admission.refusal,
                refusal_status(admission.refusal->code));
  return false;
}

Status Proxy::reload(const ProxyOptions& options) {
  auto merged = services_->options;
  merged.rules = options.rules;
  merged.tenants = options.tenants;
  merged.admission = options.admission;
  merged.cors_origins = options.cors_origins;
  if (auto status = merged.validate(); !status.ok()) return status;
  const MutexLock lock(mu_);
  policies_ = std::make_shared<ProxyPolicies>(merged, &policies_->tenants);
  threads_.run_on_each([this, fresh = policies_](http::IoThread& thread) {
    services_->policies_of_thread[thread.index()] = fresh;
  });
  return {};
}

std::vector<TenantReport> Proxy::tenants() const {
  const MutexLock lock(mu_);
  return policies_->tenants.report();
}

void Proxy::stop() {
  if (services_->is_stopping.exchange(true, std::memory_order_acq_rel)) {
    return;
  }
  // Whoever saw false is done with the client when every thread has come round.
  threads_.run_on_each([](http::IoThread&) {});
  services_->client.reset();
}

std::vector<UpstreamMemberReport> Proxy::upstreams() const {
  return services_->client == nullptr ? std::vector<UpstreamMemberReport>()
                                      : services_->client->report();
}

http::ErrorFormatter Proxy::error_formatter() const {
  return [this, format = make_error_formatter(services_->dialects)](
             std::uint16_t status, std::string_view detail, const http::RequestHead* head) {
    auto error = format(status, detail, head);
    error.extra = services_->policies()->cors.fields_for(head);
    return error;
  };
}

}  // namespace llm_edge_cache::proxy
