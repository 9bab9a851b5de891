#include "proxy/proxy_services.hpp"

#include <stdexcept>
#include <utility>

namespace llm_edge_cache::proxy {
namespace {

const ProxyOptions& checked(const ProxyOptions& options) {
  if (const auto status = options.validate(); !status.ok()) {
    throw std::invalid_argument(status.error().message);
  }
  return options;
}

}  // namespace

ProxyServices::ProxyServices(http::IoThreads& threads, TieredCache& tiers, ClockPtr time,
                             const ProxyOptions& given)
    : options(checked(given)),
      upstream(*http::parse_url(options.upstream_url)),
      cache(tiers),
      clock(std::move(time)),
      keyer(options),
      client(std::make_unique<http::Client>(threads, options.client)) {}

}  // namespace llm_edge_cache::proxy
