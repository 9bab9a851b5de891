#include "proxy/proxy.hpp"

#include <utility>

#include "proxy/cache_flow.hpp"
#include "proxy/embedding_flow.hpp"
#include "proxy/pass_through.hpp"
#include "proxy/proxy_error.hpp"

namespace llm_edge_cache::proxy {

Proxy::Proxy(http::IoThreads& threads, TieredCache& cache, ClockPtr clock, ProxyOptions options)
    : threads_(threads),
      services_(
          std::make_shared<ProxyServices>(threads, cache, std::move(clock), std::move(options))) {}

Proxy::~Proxy() {
  stop();
}

void Proxy::handle(std::shared_ptr<http::Exchange> exchange) {
  const auto& head = exchange->head();
  if (const auto& log = services_->options.access_log) {
    exchange->set_note(std::make_unique<AccessNote>(log, *services_->clock, head));
  }
  const auto& dialects = services_->dialects;
  if (const auto* dialect = dialects.find(head.method, head.path())) {
    const bool is_in_parts = dialect == &dialects.embeddings();
    const auto start = is_in_parts ? start_embedding_flow : start_cache_flow;
    start(services_, std::move(exchange), *dialect);
  } else {
    const auto& spoken = dialects.spoken_at(head.path());
    pass_through(services_, std::move(exchange), spoken);
  }
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
