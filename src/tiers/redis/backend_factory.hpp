// Makes the backends of a tier from its configuration.
#pragma once

#include <memory>

#include "llm_edge_cache/config.hpp"
#include "tiers/redis/backend.hpp"
#include "tiers/redis/direct_reader.hpp"
#include "tiers/redis/fleet_channel.hpp"
#include "tiers/redis/redis_url.hpp"
#include "tiers/redis/tier_context.hpp"

namespace llm_edge_cache::redis {

// Immutable; outlives the backends it made.
class BackendFactory {
 public:
  // kInvalidArgument where a file of TLS, or a combination, cannot be used.
  [[nodiscard]] static Result<BackendFactory> make(const L2Config& config, const RedisUrl& url);

  // `number`: among the backends of one tier, so that they do not all ask the same sentinel first.
  [[nodiscard]] std::unique_ptr<Backend> make_backend(boost::asio::io_context& context,
                                                      std::size_t number, TierContext& tier) const;
  // The channel that all processes on this store, prefix and database share. In a cluster it goes
  // to the nodes that `backend` knows, which is on the same context and goes before it.
  [[nodiscard]] std::unique_ptr<FleetChannel> make_channel(boost::asio::io_context& context,
                                                           Backend& backend,
                                                           FleetChannel::Options options,
                                                           TierEventSink sink) const;
  // Null where the store is not one server, or wants TLS.
  [[nodiscard]] std::unique_ptr<DirectReader> make_direct_reader() const;

 private:
  BackendFactory(const L2Config& config, const RedisUrl& url) : config_(config), url_(url) {}

  [[nodiscard]] Session::Options session() const;
  [[nodiscard]] Connection::Options to(const ServerAddress& address, std::string name) const;
  [[nodiscard]] Connection::Options to_node(const ServerAddress& address, bool reads_replica) const;
  [[nodiscard]] Connection::Options to_any_node(Backend& backend,
                                                FleetChannel::Options& options) const;
  // As the sentinels name it: the master, or one of its replicas.
  [[nodiscard]] Connection::Options to_named(boost::asio::io_context& context, ServerRole role,
                                             std::size_t first_sentinel) const;
  [[nodiscard]] std::unique_ptr<Backend> make_sentinel_backend(boost::asio::io_context& context,
                                                               std::size_t number,
                                                               TierContext& tier) const;

  L2Config config_;
  RedisUrl url_;
  LinkTls tls_;
};

}  // namespace llm_edge_cache::redis
