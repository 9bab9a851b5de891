#include "llm_edge_cache/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>

namespace llm_edge_cache {
namespace {

using ::testing::HasSubstr;

template <class Config>
void expect_refused(const std::string& field, const std::function<void(Config&)>& spoil) {
  Config config;
  spoil(config);
  const auto status = config.validate();
  ASSERT_FALSE(status.ok()) << field;
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(status.error().message, HasSubstr(field));
}

TEST(L1ConfigTest, defaults_are_valid) {
  EXPECT_TRUE(L1Config{}.validate().ok());
}

TEST(L1ConfigTest, zero_switches_a_limit_in_time_off) {
  EXPECT_TRUE((L1Config{.ttl_ms = 0, .tti_ms = 0}.validate().ok()));
}

TEST(L1ConfigTest, names_the_field_that_is_wrong) {
  constexpr auto kForever = std::numeric_limits<std::uint64_t>::max();
  expect_refused<L1Config>("l1.max_entries", [](auto& c) { c.max_entries = 0; });
  expect_refused<L1Config>("l1.max_bytes", [](auto& c) { c.max_bytes = 0; });
  expect_refused<L1Config>("l1.ttl_ms", [](auto& c) { c.ttl_ms = kForever; });
  expect_refused<L1Config>("l1.tti_ms", [](auto& c) { c.tti_ms = kForever; });
}

TEST(L2ConfigTest, defaults_are_valid) {
  EXPECT_TRUE(L2Config{}.validate().ok());
}

TEST(L2ConfigTest, names_the_field_that_is_wrong) {
  expect_refused<L2Config>("l2.url", [](auto& c) { c.url.clear(); });
  expect_refused<L2Config>("l2.key_prefix", [](auto& c) { c.key_prefix.clear(); });
  expect_refused<L2Config>("l2.ttl_ms", [](auto& c) { c.ttl_ms = 0; });
  expect_refused<L2Config>("l2.connect_timeout_ms", [](auto& c) { c.connect_timeout_ms = 0; });
  expect_refused<L2Config>("l2.operation_timeout_ms", [](auto& c) { c.operation_timeout_ms = 0; });
  expect_refused<L2Config>("l2.io_threads", [](auto& c) { c.io_threads = 0; });
  expect_refused<L2Config>("l2.io_threads", [](auto& c) { c.io_threads = 100'000; });
  expect_refused<L2Config>("l2.busy_poll_us", [](auto& c) { c.busy_poll_us = 1'001; });
  expect_refused<L2Config>("l2.flight_lease_ms", [](auto& c) { c.flight_lease_ms = 99; });
  expect_refused<L2Config>("l2.flight_lease_ms", [](auto& c) { c.flight_lease_ms = 600'001; });
  expect_refused<L2Config>("l2.max_pending_writes", [](auto& c) { c.max_pending_writes = 0; });
  expect_refused<L2Config>("l2.max_pending_bytes", [](auto& c) { c.max_pending_bytes = 0; });
  expect_refused<L2Config>("l2.breaker_failures", [](auto& c) { c.breaker_failures = 0; });
  expect_refused<L2Config>("l2.breaker_open_ms", [](auto& c) { c.breaker_open_ms = 0; });
  expect_refused<L2Config>("l2.reconnect_min_ms", [](auto& c) { c.reconnect_min_ms = 0; });
  expect_refused<L2Config>("l2.reconnect_max_ms", [](auto& c) { c.reconnect_max_ms = 49; });
  expect_refused<L2Config>("l2.max_entry_bytes", [](auto& c) { c.max_entry_bytes = 0; });
  expect_refused<L2Config>("l2.disk_max_bytes", [](auto& c) { c.disk_max_bytes = 1U << 20U; });
  expect_refused<L2Config>("l2.disk_cache_bytes", [](auto& c) { c.disk_cache_bytes = 1; });
}

TEST(L2ConfigTest, a_folder_must_hold_two_entries) {
  const L2Config small{.url = "disk:x", .max_entry_bytes = 9U << 20U, .disk_max_bytes = 16U << 20U};
  ASSERT_FALSE(small.validate().ok());
  EXPECT_THAT(small.validate().error().message, HasSubstr("l2.disk_max_bytes"));
}

TEST(L2ConfigTest, times_that_would_overflow_a_clock_are_refused) {
  constexpr auto kForever = std::numeric_limits<std::uint64_t>::max();
  expect_refused<L2Config>("l2.ttl_ms", [](auto& c) { c.ttl_ms = kForever; });
  expect_refused<L2Config>("l2.connect_timeout_ms",
                           [](auto& c) { c.connect_timeout_ms = kForever; });
  expect_refused<L2Config>("l2.operation_timeout_ms",
                           [](auto& c) { c.operation_timeout_ms = kForever; });
  expect_refused<L2Config>("l2.shutdown_flush_ms", [](auto& c) { c.shutdown_flush_ms = kForever; });
  expect_refused<L2Config>("l2.breaker_open_ms", [](auto& c) { c.breaker_open_ms = kForever; });
  expect_refused<L2Config>("l2.reconnect_max_ms", [](auto& c) { c.reconnect_max_ms = kForever; });
}

TEST(L2ConfigTest, a_key_comes_from_one_place_and_an_old_one_never_alone) {
  const auto key = *EncryptionKey::parse(std::string(64, '1'));
  expect_refused<L2Config>("l2.encryption_key", [&](auto& c) {
    c.encryption_key = key;
    c.encryption_key_file = "key";
  });
  expect_refused<L2Config>("l2.encryption_old_key", [&](auto& c) {
    c.encryption_key = c.encryption_old_key = key;
    c.encryption_old_key_file = "key";
  });
  expect_refused<L2Config>("l2.encryption_old_key", [&](auto& c) { c.encryption_old_key = key; });
  expect_refused<L2Config>("l2.encryption_old_key_file is of no use",
                           [](auto& c) { c.encryption_old_key_file = "key"; });
  expect_refused<L2Config>("l2.old_dictionary_file", [](auto& c) { c.old_dictionary_file = "d"; });
  EXPECT_TRUE((L2Config{.encryption_old_key = key, .encryption_key_file = "key"}.validate().ok()));
}

TEST(L2ConfigTest, the_first_of_several_faults_is_reported) {
  const auto status = L2Config{.url = "", .io_threads = 0}.validate();
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("l2.url"));
}

}  // namespace
}  // namespace llm_edge_cache
