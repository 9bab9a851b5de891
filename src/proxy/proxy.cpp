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
  return make_error_formatter(services_->dialects);
}

}  // namespace llm_edge_cache::proxy
