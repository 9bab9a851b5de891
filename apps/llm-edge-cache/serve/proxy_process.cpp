#include "serve/proxy_process.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <stdexcept>
#include <utility>

#include "serve/admin_api.hpp"
#include "tiers/disk/disk_path.hpp"
#include "tiers/disk/disk_tier.hpp"
#include "tiers/memory/memory_tier.hpp"
#include "tiers/redis/redis_tier.hpp"

namespace llm_edge_cache::app {

namespace {

void log_tier_event(const TierEvent& event) {
  const auto level =
      event.kind == TierEventKind::kConnected ? spdlog::level::info : spdlog::level::warn;
  const auto more = event.suppressed == 0
                        ? std::string()
                        : fmt::format(" ({} more since the last one)", event.suppressed);
  spdlog::log(level, "l2 {}: {}{}", to_string(event.kind), event.message, more);
}

template <class Made>
std::unique_ptr<Tier> made_or_throw(Result<std::unique_ptr<Made>> tier) {
  if (!tier) throw std::invalid_argument("--l2: " + tier.error().message);
  return *std::move(tier);
}

std::unique_ptr<Tier> make_l2(const ServeConfig& config, const ClockPtr& clock) {
  if (!config.has_l2()) return nullptr;
  const auto l2 = config.l2_config();
  if (disk::is_disk_url(l2.url)) {
    return made_or_throw(disk::DiskTier::create(l2, clock, {.on_event = log_tier_event}));
  }
  return made_or_throw(redis::RedisTier::create(l2, clock, {.on_event = log_tier_event}));
}

constexpr std::size_t kAnyLength = std::size_t{1} << 50U;

http::ServerOptions admin_options(const ServeConfig& config) {
  http::ServerOptions options;
  options.listen = config.admin_listen;
  options.tls = config.admin_tls_options();
  options.tls_handshake_timeout_ms = static_cast<std::int64_t>(config.tls_handshake_timeout_ms);
  options.max_connections = 256;
  options.max_body_bytes = kAnyLength;  // of an import, which reads line by line
  options.max_write_queue_bytes = 2 * AdminApi::max_line_bytes(config.max_entry_bytes);
  return options;
}

std::string admin_token_of(const ServeConfig& config) {
  if (config.admin_token_file.empty()) return {};
  auto token = AdminAccess::load_token(config.admin_token_file);
  if (!token) throw std::invalid_argument("--admin-token-file: " + token.error().message);
  return *std::move(token);
}

// Says which of the two addresses it was.
std::unique_ptr<http::Server> listen(http::IoThreads& threads, const http::ServerOptions& options,
                                     std::shared_ptr<http::Handler> handler,
                                     std::string_view option) {
  try {
    return std::make_unique<http::Server>(threads, options, std::move(handler));
  } catch (const std::system_error& error) {
    throw std::runtime_error(
        fmt::format("{}: cannot listen on {}: {}", option, options.listen, error.code().message()));
  }
}

}  // namespace

ProxyProcess::ProxyProcess(const ServeConfig& config, const std::string& scope_secret)
    : access_log_(config.access_log.empty()
                      ? nullptr
                      : std::make_shared<observability::AccessLog>(config.access_log)),
      threads_({.threads = config.threads, .busy_poll_us = config.busy_poll_us}),
      admin_threads_({.threads = 1}) {
  const auto clock = std::make_shared<SystemClock>();
  cache_ = std::make_unique<TieredCache>(std::make_unique<MemoryTier>(config.l1_config(), clock),
                                         make_l2(config, clock), clock);
  auto proxying = config.proxy_options(scope_secret);
  proxying.access_log = access_log_;
  proxy_ = std::make_shared<proxy::Proxy>(threads_, *cache_, clock, std::move(proxying));
  auto options = config.server_options();
  options.format_error = proxy_->error_formatter();
  server_ = listen(threads_, options, proxy_, "--listen");
  const AdminSources sources{.report = [this] { return report(); },
                             .is_draining = [this] { return draining_.load(); },
                             .cache = cache_.get(),
                             .clock = clock,
                             .token = admin_token_of(config),
                             .max_entry_bytes = config.max_entry_bytes};
  admin_ = listen(admin_threads_, admin_options(config), std::make_shared<AdminApi>(sources),
                  "--admin-listen");
}

Status ProxyProcess::reload(const ServeConfig& config) {
  auto status = take_over(config);
  ++(status.ok() ? reloads_ : failed_reloads_);
  return status;
}

// The certificates first: they are what can still fail of a configuration that was valid.
Status ProxyProcess::take_over(const ServeConfig& config) {
  if (const auto tls = config.tls_options()) {
    if (auto status = server_->reload_tls(*tls); !status.ok()) return status;
  }
  if (const auto tls = config.admin_tls_options()) {
    if (auto status = admin_->reload_tls(*tls); !status.ok()) return status;
  }
  return proxy_->reload(config.proxy_options({}));
}

void ProxyProcess::reopen_access_log() {
  if (access_log_ == nullptr || !access_log_->has_file()) return;
  const auto status = access_log_->reopen();
  if (status.ok()) return spdlog::info("access log: opened anew");
  spdlog::error("access log: {}; it goes on in the file that was open", status.error().message);
}

void ProxyProcess::drain(std::function<void()> done) {
  draining_ = true;
  server_->drain(std::move(done));
}

observability::CacheReport ProxyProcess::report() const {
  observability::CacheReport report;
  report.version = LEC_VERSION;
  report.uptime_ms =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                     std::chrono::steady_clock::now() - started_)
                                     .count());
  report.client_connections = server_->connection_count();
  for (std::size_t i = 0; i < threads_.size(); ++i) report.io_sleeps += threads_.at(i).sleeps();
  report.l1 = cache_->l1_report();
  if (cache_->has_l2()) report.l2 = cache_->l2_report();
  report.fleet = cache_->fleet_report();
  report.proxy = proxy_->metrics().snapshot();
  report.upstreams = proxy_->upstreams();
  report.tenants = proxy_->tenants();
  report.credentials = proxy_->credentials();
  report.reloads = reloads_;
  report.failed_reloads = failed_reloads_;
  if (access_log_ != nullptr) report.access_log_dropped = access_log_->dropped();
  return report;
}

}  // namespace llm_edge_cache::app
