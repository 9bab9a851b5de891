#include "proxy/proxy_services.hpp"

#include <stdexcept>
#include <utility>

namespace llm_edge_cache::proxy {
namespace {

ProxyOptions checked(ProxyOptions options) {
  if (const auto status = options.validate(); !status.ok()) {
    throw std::invalid_argument(status.error().message);
  }
  return options;
}

}  // namespace

ProxyServices::ProxyServices(http::IoThreads& threads, TieredCache& tiers, ClockPtr time,
                             ProxyOptions given)
    : options(checked(std::move(given))),
      cache(tiers),
      clock(std::move(time)),
      upstreams(options.upstreams, options.upstream_url, options.credential_headers,
                options.upstream_credential),
      policies_of_thread(threads.size(), std::make_shared<ProxyPolicies>(options)),
      client(std::make_unique<UpstreamClient>(
          threads, upstreams, clock,
          UpstreamClient::Options{.http = options.client, .retries = options.retries})) {}

}  // namespace llm_edge_cache::proxy
