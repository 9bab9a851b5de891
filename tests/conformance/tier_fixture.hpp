// What every conformance test has at hand: an empty tier, its clock, and blocking calls.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "core/tier.hpp"
#include "tests/conformance/tier_factory.hpp"
#include "tests/support/entries.hpp"
#include "tests/support/eventually.hpp"

namespace llm_edge_cache::test {

class TierFixture : public ::testing::TestWithParam<TierFactoryPtr> {
 protected:
  // The result of a call that takes a handler; throws where it does not come.
  template <class T, class Start>
  static T result_of(Start&& start) {
    auto promise = std::make_shared<std::promise<T>>();
    auto future = promise->get_future();
    start([promise](T result) { promise->set_value(std::move(result)); });
    if (future.wait_for(kEventually) != std::future_status::ready) {
      throw std::runtime_error("the handler was not called");
    }
    return future.get();
  }

  [[nodiscard]] EntryPtr get(const KeyDigest& key) {
    const auto reply =
        result_of<Result<EntryPtr>>([&](auto done) { tier->get(key, std::move(done)); });
    EXPECT_TRUE(reply.ok()) << reply.error().message;
    return reply.ok() ? reply.value() : nullptr;
  }
  // Returns when the tier has the entry, or has decided against it.
  void put(const KeyDigest& key, EntryPtr entry) {
    tier->put(key, std::move(entry));
    flush();
  }
  void flush() {
    const auto flushed = result_of<Status>([&](auto done) { tier->flush(std::move(done)); });
    ASSERT_TRUE(flushed.ok()) << flushed.error().message;
  }
  [[nodiscard]] bool remove(const KeyDigest& key) {
    const auto removed =
        result_of<Result<bool>>([&](auto done) { tier->remove(key, std::move(done)); });
    EXPECT_TRUE(removed.ok()) << removed.error().message;
    return removed.ok() && removed.value();
  }
  void clear() {
    const auto cleared = result_of<Status>([&](auto done) { tier->clear(std::move(done)); });
    ASSERT_TRUE(cleared.ok()) << cleared.error().message;
  }
  [[nodiscard]] std::uint64_t size() {
    const auto size =
        result_of<Result<std::uint64_t>>([&](auto done) { tier->size(std::move(done)); });
    EXPECT_TRUE(size.ok()) << size.error().message;
    return size.ok() ? size.value() : 0;
  }

  [[nodiscard]] EntryPtr fresh(std::string content, std::int64_t life_ms = 3'600'000) const {
    return entry_of(std::move(content), {.expires_ms = clock->now_ms() + life_ms});
  }

  // Starts at the time of the machine: a store that keeps its own time agrees at first.
  const std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>(SystemClock().now_ms());
  std::unique_ptr<Tier> tier = GetParam()->make(clock);
};

inline std::string tier_name(const ::testing::TestParamInfo<TierFactoryPtr>& info) {
  return info.param->name();
}

}  // namespace llm_edge_cache::test
