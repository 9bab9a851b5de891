// What all who go through a keyspace do alike: a page of SCAN, and the wait for a cluster's map.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/tier.hpp"
#include "tiers/redis/backend.hpp"
#include "tiers/redis/tier_context.hpp"

namespace llm_edge_cache::redis {

// Of the keys under a prefix.
class ScanPage final : public Operation {
 public:
  struct Place {
    std::optional<ServerAddress> keyspace;
    std::string cursor = "0";
  };
  // The keys, and the cursor of the next page, "0" at the end; both for the time of the call.
  using OnPage = std::function<void(std::string_view next_cursor, RespReply keys)>;
  using OnError = std::function<void(const Error&)>;

  // `count`: how many keys the server looks at.
  ScanPage(std::string_view prefix, Place place, std::uint64_t count, OnPage on_page,
           OnError on_error);

  bool append_to(std::string& out) override;
  bool complete(RespReply reply) override;
  void fail(const Error& error) override { on_error_(error); }

 private:
  const std::string prefix_;
  const std::string cursor_;
  const std::uint64_t count_;
  const OnPage on_page_;
  const OnError on_error_;
};

// A cluster that was just made is known once it has answered: ok when the backend has keyspaces.
// Errors are counted. Both outlive the call.
void await_keyspaces(TierContext& context, Backend& backend, Tier::Handler<Status> handler);

}  // namespace llm_edge_cache::redis
