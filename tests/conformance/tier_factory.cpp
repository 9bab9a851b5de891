#include "tests/conformance/tier_factory.hpp"

#include <atomic>

#include "tests/support/certificates.hpp"
#include "tests/support/redis_cluster.hpp"
#include "tests/support/redis_sentinels.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/temp_dir.hpp"
#include "tiers/disk/disk_tier.hpp"
#include "tiers/memory/memory_tier.hpp"
#include "tiers/redis/redis_tier.hpp"

namespace llm_edge_cache::test {
namespace {

class MemoryFactory final : public TierFactory {
 public:
  [[nodiscard]] std::string name() const override { return "memory"; }
  [[nodiscard]] std::unique_ptr<Tier> make(ClockPtr clock) const override {
    return std::make_unique<MemoryTier>(
        L1Config{.max_entries = 20'000, .max_bytes = 128U << 20U, .ttl_ms = 0, .tti_ms = 0},
        std::move(clock));
  }
};

// One store for the whole run; a tier is empty because its prefix is new.
template <class Store>
class RedisFactory final : public TierFactory {
 public:
  explicit RedisFactory(std::string name, L2Config config = {})
      : name_(std::move(name)), config_(std::move(config)) {}

  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] std::unique_ptr<Tier> make(ClockPtr clock) const override {
    if (store_ == nullptr) {
      store_ = std::make_unique<Store>();
      // A failover loses writes that had been acknowledged.
      if constexpr (requires { store_->be_patient(); }) store_->be_patient();
    }
    // Deadlines are generous: a busy machine must not fail what is not about time.
    auto config = config_;
    config.url = store_->url();
    config.key_prefix = "conformance" + std::to_string(made_.fetch_add(1)) + ":";
    config.connect_timeout_ms = 20'000;
    config.operation_timeout_ms = 20'000;
    config.io_threads = 2;
    config.shutdown_flush_ms = 20'000;
    if constexpr (requires { store_->add_tls(config); }) store_->add_tls(config);
    return redis::RedisTier::create(config, std::move(clock)).value();
  }

 private:
  const std::string name_;
  const L2Config config_;
  mutable std::unique_ptr<Store> store_;
  mutable std::atomic<int> made_{0};
};

struct UnixRedis : RedisServer {
  UnixRedis() : RedisServer({.transport = RedisServerOptions::Transport::kUnixSocket}) {}
};

class TlsRedis {
 public:
  [[nodiscard]] std::string url() const { return server_.url(); }
  void add_tls(L2Config& config) const { config.tls_ca_file = authority_.ca_file(); }

 private:
  CertificateAuthority authority_;
  RedisServer server_{{.transport = RedisServerOptions::Transport::kTls,
                       .certificate = authority_.issue("server", "DNS:localhost")}};
};

// Servers that ask their clients for a certificate.
template <class Deployment>
class MutuallyTls {
 public:
  [[nodiscard]] std::string url() const { return deployment_.url(); }
  void be_patient() { deployment_.be_patient(); }
  void add_tls(L2Config& config) const {
    config.tls_ca_file = authority_.ca_file();
    config.tls_cert_file = certificate_.certificate_file;
    config.tls_key_file = certificate_.key_file;
  }

 private:
  CertificateAuthority authority_;
  const Certificate certificate_ = authority_.issue("any", "IP:127.0.0.1");
  Deployment deployment_{MutualTls{authority_.ca_file(), {certificate_}}};
};

// Every tier in a folder of its own.
class DiskFactory final : public TierFactory {
 public:
  explicit DiskFactory(std::string name, L2Config config = {})
      : name_(std::move(name)), config_(std::move(config)) {}

  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] std::unique_ptr<Tier> make(ClockPtr clock) const override {
    const auto folder = folders_.path() / std::to_string(made_.fetch_add(1));
    auto config = config_;
    config.url = "disk:" + folder.string();
    config.ttl_ms = 100ULL * 366 * 24 * 3'600'000;  // as long as the suite's longest entry
    config.connect_timeout_ms = 20'000;
    config.operation_timeout_ms = 20'000;
    config.io_threads = 2;
    config.shutdown_flush_ms = 20'000;
    return disk::DiskTier::create(config, std::move(clock)).value();
  }

 private:
  const std::string name_;
  const L2Config config_;
  TempDir folders_;
  mutable std::atomic<int> made_{0};
};

L2Config encrypted() {
  return {.encryption_key = EncryptionKey::parse(std::string(64, '7')).value(),
          .dictionary_file = LEC_SOURCE_DIR "/tests/golden/entries/dictionary.bin"};
}

}  // namespace

std::vector<TierFactoryPtr> all_tiers() {
  static const std::vector<TierFactoryPtr> tiers = {
      std::make_shared<MemoryFactory>(),
      std::make_shared<DiskFactory>("disk"),
      std::make_shared<DiskFactory>("disk_encrypted", encrypted()),
      std::make_shared<RedisFactory<RedisServer>>("redis_tcp"),
      std::make_shared<RedisFactory<RedisServer>>("redis_encrypted", encrypted()),
      std::make_shared<RedisFactory<UnixRedis>>("redis_unix"),
      std::make_shared<RedisFactory<TlsRedis>>("redis_tls"),
      std::make_shared<RedisFactory<RedisSentinels>>("redis_sentinel"),
      std::make_shared<RedisFactory<MutuallyTls<RedisSentinels>>>("redis_sentinel_tls"),
      std::make_shared<RedisFactory<RedisCluster>>("redis_cluster"),
      std::make_shared<RedisFactory<MutuallyTls<RedisCluster>>>("redis_cluster_tls"),
      std::make_shared<RedisFactory<MutuallyTls<RedisCluster>>>("redis_cluster_tls_encrypted",
                                                                encrypted())};
  return tiers;
}

}  // namespace llm_edge_cache::test
