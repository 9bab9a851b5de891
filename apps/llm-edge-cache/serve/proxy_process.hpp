// The proxy put together: threads, tiers, proxy, and the two listeners.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/tiered_cache.hpp"
#include "http/io_threads.hpp"
#include "http/server.hpp"
#include "observability/access_log.hpp"
#include "observability/cache_report.hpp"
#include "proxy/proxy.hpp"
#include "serve/serve_config.hpp"

namespace llm_edge_cache::app {

class ProxyProcess {
 public:
  // Listens when it returns. config must be valid. Throws std::system_error where an address cannot
  // be bound, std::invalid_argument or std::runtime_error where something given cannot be used.
  //
  // The destructor cuts what is under way, then flushes the shared store for at most its own bound.
  ProxyProcess(const ServeConfig& config, const std::string& scope_secret);
  ProxyProcess(const ProxyProcess&) = delete;
  ProxyProcess& operator=(const ProxyProcess&) = delete;

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] std::uint16_t admin_port() const { return admin_->port(); }

  // Takes over the rules, tenants and TLS files of a valid configuration (config_reload.hpp), and
  // counts that. What runs goes on. On an error the former ones stay. Not on an I/O thread.
  [[nodiscard]] Status reload(const ServeConfig& config);
  // Opens the file of the access log anew, where there is one, and logs how that went. On an error
  // it is the former file that goes on.
  void reopen_access_log();
  // Counts a reload that came to nothing before.
  void count_failed_reload() { ++failed_reloads_; }

  // Takes no new connection and lets answers under way end, for drain_timeout_ms at most. The admin
  // listener goes on and says so. done runs once, on an I/O thread.
  void drain(std::function<void()> done);

 private:
  [[nodiscard]] Status take_over(const ServeConfig& config);
  [[nodiscard]] observability::CacheReport report() const;

  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::atomic<bool> draining_ = false;
  std::atomic<std::uint64_t> reloads_ = 0;
  std::atomic<std::uint64_t> failed_reloads_ = 0;
  // In the order in which they need each other; they end in the opposite one.
  const std::shared_ptr<observability::AccessLog> access_log_;  // null: none
  http::IoThreads threads_;
  // Apart: what an operator asks for never holds up a request.
  http::IoThreads admin_threads_;
  std::unique_ptr<TieredCache> cache_;
  std::shared_ptr<proxy::Proxy> proxy_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::Server> admin_;
};

}  // namespace llm_edge_cache::app
