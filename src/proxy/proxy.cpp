#include "proxy/proxy.hpp"

#include <utility>

#include "proxy/cache_flow.hpp"
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
  if (services_->chat.matches(head.method, head.path())) {
    start_cache_flow(services_, std::move(exchange), services_->chat);
  } else {
    pass_through(services_, std::move(exchange), services_->chat);
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

http::ErrorFormatter Proxy::error_formatter() const {
  return make_error_formatter(services_->chat);
}

}  // namespace llm_edge_cache::proxy
