#include "tiers/redis/backend_factory.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "tiers/common/wait.hpp"
#include "tiers/redis/any_node_locator.hpp"
#include "tiers/redis/cluster_backend.hpp"
#include "tiers/redis/key_slot.hpp"
#include "tiers/redis/sentinel_backend.hpp"
#include "tiers/redis/sentinel_locator.hpp"
#include "tiers/redis/server_backend.hpp"

namespace llm_edge_cache::redis {
namespace {

// Beyond the entry's own bytes: the encoding's frame and table.
constexpr std::size_t kMaxFrameBytes = 64U << 10U;
// A page of SCAN holds some hundred keys.
constexpr std::size_t kMinReplyBytes = 1U << 20U;
// CLUSTER SLOTS of a cluster whose every slot is a range of its own.
constexpr std::size_t kMaxTopologyNodes = 1U << 18U;
constexpr std::size_t kMaxTopologyBytes = 16U << 20U;

}  // namespace

Result<BackendFactory> BackendFactory::make(const L2Config& config, const RedisUrl& url) {
  if (config.read_from == L2Config::ReadFrom::kReplica &&
      url.deployment == RedisUrl::Deployment::kServer) {
    return Error{ErrorCode::kInvalidArgument,
                 "l2.read_from: only a cluster or sentinels tell of replicas"};
  }
  BackendFactory factory(config, url);
  if (!url.tls) return factory;
  auto context =
      net::make_tls_client_context({.ca_file = config.tls_ca_file,
                                    .certificate_file = config.tls_cert_file,
                                    .key_file = config.tls_key_file,
                                    .verify_peer = !config.tls_insecure_accept_any_certificate});
  if (!context.ok()) return context.error();
  factory.tls_ = {.context = std::move(context).value(),
                  .server_name = config.tls_server_name,
                  .verify_peer = !config.tls_insecure_accept_any_certificate};
  return factory;
}

Connection::Options BackendFactory::to(const ServerAddress& address, std::string name) const {
  Connection::Options options;
  options.name = std::move(name);
  options.address = address;
  options.tls = tls_;
  options.session = session();
  options.breaker = {config_.breaker_failures, wait_of(config_.breaker_open_ms)};
  options.backoff = {wait_of(config_.reconnect_min_ms), wait_of(config_.reconnect_max_ms)};
  options.connect_timeout = wait_of(config_.connect_timeout_ms);
  options.operation_timeout = wait_of(config_.operation_timeout_ms);
  options.seed = std::random_device()();
  return options;
}

Connection::Options BackendFactory::to_node(const ServerAddress& address,
                                            bool reads_replica) const {
  Connection::Options options = to(address, address.to_string());
  options.session.reads_replica = reads_replica;
  return options;
}

Connection::Options BackendFactory::to_named(boost::asio::io_context& context, ServerRole role,
                                             std::size_t first_sentinel) const {
  const bool is_replica = role == ServerRole::kReplica;
  Connection::Options options = to({}, url_.to_string() + (is_replica ? ", a replica" : ""));
  options.session.role = role;
  options.locator = std::make_unique<SentinelLocator>(
      context, SentinelLocator::Options{.sentinels = url_.servers,
                                        .master = url_.master,
                                        .names_replica = is_replica,
                                        .session = {.user = config_.sentinel_user,
                                                    .password = config_.sentinel_password},
                                        .tls = tls_,
                                        .first = first_sentinel});
  return options;
}

std::unique_ptr<Backend> BackendFactory::make_backend(boost::asio::io_context& context,
                                                      std::size_t number, TierContext& tier) const {
  switch (url_.deployment) {
    case RedisUrl::Deployment::kCluster:
      return std::make_unique<ClusterBackend>(
          context,
          ClusterBackend::Options{
              .seeds = url_.servers,
              .read_replicas = config_.read_from == L2Config::ReadFrom::kReplica,
              .operation_timeout = wait_of(config_.operation_timeout_ms),
              .connection = [this](const ServerAddress& node,
                                   bool replica) { return to_node(node, replica); }},
          tier.events, tier.counters);
    case RedisUrl::Deployment::kSentinel:
      return make_sentinel_backend(context, number, tier);
    case RedisUrl::Deployment::kServer:
      break;
  }
  return std::make_unique<ServerBackend>(context, to(url_.servers.front(), url_.to_string()),
                                         tier.events, tier.counters);
}

std::unique_ptr<Backend> BackendFactory::make_sentinel_backend(boost::asio::io_context& context,
                                                               std::size_t number,
                                                               TierContext& tier) const {
  Connection::Options master = to_named(context, ServerRole::kMaster, number);
  if (config_.read_from == L2Config::ReadFrom::kPrimary) {
    return std::make_unique<ServerBackend>(context, std::move(master), tier.events, tier.counters);
  }
  return std::make_unique<SentinelBackend>(context, std::move(master),
                                           to_named(context, ServerRole::kReplica, number),
                                           tier.events, tier.counters);
}

Connection::Options BackendFactory::to_any_node(Backend& backend,
                                                FleetChannel::Options& options) const {
  Connection::Options connection = to({}, url_.to_string());
  auto locator = std::make_unique<AnyNodeLocator>(AnyNodeLocator::Options{
      .seeds = url_.servers,
      .serving = [&backend] { return backend.keyspaces(); },
      .when_known = [&backend](const std::function<void()>& told) { backend.when_known(told); },
      .number = key_slot(options.channel)});
  // Both live in the channel.
  options.is_astray = [located = locator.get()] { return located->is_astray(); };
  connection.locator = std::move(locator);
  return connection;
}

std::unique_ptr<FleetChannel> BackendFactory::make_channel(boost::asio::io_context& context,
                                                           Backend& backend,
                                                           FleetChannel::Options options,
                                                           TierEventSink sink) const {
  options.channel = config_.key_prefix + "fleet/" + std::to_string(url_.database);
  options.operation_timeout = wait_of(config_.operation_timeout_ms);
  Connection::Options connection;
  switch (url_.deployment) {
    case RedisUrl::Deployment::kCluster:
      connection = to_any_node(backend, options);
      break;
    case RedisUrl::Deployment::kSentinel:
      connection = to_named(context, ServerRole::kMaster, std::random_device()());
      break;
    case RedisUrl::Deployment::kServer:
      connection = to(url_.servers.front(), url_.to_string());
      break;
  }
  connection.session.identify = false;
  return std::make_unique<FleetChannel>(context, std::move(connection), std::move(options),
                                        std::move(sink));
}

std::unique_ptr<DirectReader> BackendFactory::make_direct_reader() const {
  if (url_.deployment != RedisUrl::Deployment::kServer || url_.tls) return nullptr;
  Session::Options options = session();
  options.identify = false;
  return std::make_unique<DirectReader>(
      DirectReader::Options{.address = url_.servers.front(),
                            .session = options,
                            .operation_timeout = wait_of(config_.operation_timeout_ms),
                            .retry_after = wait_of(config_.breaker_open_ms)});
}

Session::Options BackendFactory::session() const {
  Session::Options options;
  options.user = url_.user;
  options.password = url_.password;
  options.database = url_.database;
  options.identify = true;
  options.limits.max_bulk_bytes = config_.max_entry_bytes + kMaxFrameBytes;
  options.limits.max_reply_bytes =
      std::max(kMinReplyBytes, config_.max_entry_bytes + 2 * kMaxFrameBytes);
  if (url_.deployment == RedisUrl::Deployment::kCluster) {
    options.limits.max_nodes = kMaxTopologyNodes;
    options.limits.max_reply_bytes = std::max(kMaxTopologyBytes, options.limits.max_reply_bytes);
  }
  return options;
}

}  // namespace llm_edge_cache::redis
