#include "tests/conformance/tier_factory.hpp"

#include <atomic>

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

// One server for the whole run; a tier is empty because its prefix is new.
class RedisFactory final : public TierFactory {
 public:
  explicit RedisFactory(RedisServerOptions::Transport transport) : transport_(transport) {}

  [[nodiscard]] std::string name() const override {
    return transport_ == RedisServerOptions::Transport::kTcp ? "redis_tcp" : "redis_unix";
  }
  [[nodiscard]] std::unique_ptr<Tier> make(ClockPtr clock) const override {
    // Deadlines are generous: a busy machine must not fail what is not about time.
    const L2Config config{.url = server().url(),
                          .key_prefix = "conformance" + std::to_string(made_.fetch_add(1)) + ":",
                          .connect_timeout_ms = 20'000,
                          .operation_timeout_ms = 20'000,
                          .io_threads = 2,
                          .shutdown_flush_ms = 20'000};
    return redis::RedisTier::create(config, std::move(clock)).value();
  }

 private:
  [[nodiscard]] RedisServer& server() const {
    if (server_ == nullptr) {
      server_ = std::make_unique<RedisServer>(RedisServerOptions{.transport = transport_});
    }
    return *server_;
  }

  const RedisServerOptions::Transport transport_;
  mutable std::unique_ptr<RedisServer> server_;
  mutable std::atomic<int> made_{0};
};

// Every tier in a folder of its own.
class DiskFactory final : public TierFactory {
 public:
  [[nodiscard]] std::string name() const override { return "disk"; }
  [[nodiscard]] std::unique_ptr<Tier> make(ClockPtr clock) const override {
    const auto folder = folders_.path() / std::to_string(made_.fetch_add(1));
    const L2Config config{.url = "disk:" + folder.string(),
                          // As long as the suite's longest entry, which never ends.
                          .ttl_ms = 100ULL * 366 * 24 * 3'600'000,
                          .connect_timeout_ms = 20'000,
                          .operation_timeout_ms = 20'000,
                          .io_threads = 2,
                          .shutdown_flush_ms = 20'000};
    return disk::DiskTier::create(config, std::move(clock)).value();
  }

 private:
  TempDir folders_;
  mutable std::atomic<int> made_{0};
};

}  // namespace

std::vector<TierFactoryPtr> all_tiers() {
  using Transport = RedisServerOptions::Transport;
  static const std::vector<TierFactoryPtr> tiers = {
      std::make_shared<MemoryFactory>(), std::make_shared<DiskFactory>(),
      std::make_shared<RedisFactory>(Transport::kTcp),
      std::make_shared<RedisFactory>(Transport::kUnixSocket)};
  return tiers;
}

}  // namespace llm_edge_cache::test
