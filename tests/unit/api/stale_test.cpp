// The library serves nothing past its life, though its store keeps what a proxy may serve stale.
#include <gtest/gtest.h>

#include <future>
#include <memory>

#include "llm_edge_cache/cache_manager.hpp"
#include "llm_edge_cache/key.hpp"
#include "tests/support/entries.hpp"
#include "tests/support/temp_dir.hpp"
#include "tiers/disk/disk_tier.hpp"

namespace llm_edge_cache::test {
namespace {

class LibraryAndStaleTest : public ::testing::Test {
 protected:
  LibraryAndStaleTest() { config_.url = "disk:" + (directory_.path() / "store").string(); }

  // As a proxy leaves it in the store.
  void leave_in_store(std::int64_t life_ms, std::int64_t stale_ms) {
    auto tier = disk::DiskTier::create(config_, clock_, {});
    ASSERT_TRUE(tier.ok()) << tier.error().message;
    const auto expires_ms = clock_->now_ms() + life_ms;
    (*tier)->put(
        *key_digest_from_hex(*generate_cache_key(request_)),
        entry_of("kept", {.expires_ms = expires_ms, .stale_until_ms = expires_ms + stale_ms}));
    std::promise<bool> flushed;
    (*tier)->flush([&flushed](const Status& status) { flushed.set_value(status.ok()); });
    ASSERT_TRUE(flushed.get_future().get());
  }
  bool is_found() {
    const auto cache = CacheManager::builder().l2(config_).clock(clock_).build();
    const auto found = cache.lookup(request_);
    EXPECT_TRUE(found.ok());
    return found.ok() && found->is_hit();
  }

  TempDir directory_;
  const std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  L2Config config_;
  const CacheableRequest request_{"m", "p"};
};

TEST_F(LibraryAndStaleTest, finds_what_is_fresh) {
  leave_in_store(60'000, 600'000);
  EXPECT_TRUE(is_found());
}

TEST_F(LibraryAndStaleTest, never_returns_what_is_stale) {
  leave_in_store(60'000, 600'000);
  clock_->advance_ms(60'000);
  EXPECT_FALSE(is_found());
}

TEST_F(LibraryAndStaleTest, never_returns_what_has_become_stale_in_memory) {
  leave_in_store(60'000, 600'000);
  const auto cache = CacheManager::builder().l2(config_).clock(clock_).build();
  ASSERT_TRUE(cache.lookup(request_)->is_hit());
  clock_->advance_ms(60'000);
  EXPECT_FALSE(cache.lookup(request_)->is_hit());
}

}  // namespace
}  // namespace llm_edge_cache::test
