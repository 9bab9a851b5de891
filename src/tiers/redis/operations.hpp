// The commands of the tier: each knows its bytes, its answer, and what to count.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "core/tier.hpp"
#include "tiers/common/budget.hpp"
#include "tiers/redis/held_lease.hpp"
#include "tiers/redis/operation.hpp"
#include "tiers/redis/tier_context.hpp"

namespace llm_edge_cache::redis {

class GetOperation final : public Operation {
 public:
  using Handler = Tier::Handler<Result<EntryPtr>>;

  GetOperation(TierContext& context, const KeyDigest& key, Handler handler)
      : context_(context), key_(key), handler_(std::move(handler)) {
    context_.lookups.fetch_add(1, std::memory_order_relaxed);
  }
  ~GetOperation() override { context_.lookups.fetch_sub(1, std::memory_order_relaxed); }
  GetOperation(const GetOperation&) = delete;
  GetOperation& operator=(const GetOperation&) = delete;

  bool append_to(std::string& out) override;
  bool complete(RespReply reply) override;
  void fail(const Error& error) override;
  [[nodiscard]] std::optional<std::uint16_t> slot() const override { return context_.slot(key_); }
  [[nodiscard]] bool only_reads() const override { return context_.may_ask_replica(key_); }

 private:
  void on_value(std::string_view bytes);
  void miss();

  TierContext& context_;
  const KeyDigest key_;
  const Handler handler_;
};

// SET with the entry's remaining life, its stale window included, as PX. An entry that expires
// while it waits is not sent. Under a lease it takes effect only while that is held.
class SetOperation final : public Operation {
 public:
  SetOperation(TierContext& context, const KeyDigest& key, EntryPtr entry, Ticket ticket,
               std::shared_ptr<HeldLease> lease = nullptr);
  ~SetOperation() override;

  bool append_to(std::string& out) override;
  bool complete(RespReply reply) override;
  void fail(const Error& error) override;
  [[nodiscard]] std::optional<std::uint16_t> slot() const override { return context_.slot(key_); }

 private:
  bool complete_under_lease(const RespNode& reply);

  TierContext& context_;
  const KeyDigest key_;
  const EntryPtr entry_;
  Ticket ticket_;
  const std::shared_ptr<HeldLease> lease_;  // null: none is needed
};

// Sent even when nobody waits for the outcome any more, and once more where its answer does not
// come: what is to be removed must go.
class UnlinkOperation final : public Operation {
 public:
  using Handler = Tier::Handler<Result<bool>>;  // empty: nobody waits

  UnlinkOperation(TierContext& context, const KeyDigest& key, Handler handler, Ticket ticket)
      : context_(context), key_(key), handler_(std::move(handler)), ticket_(std::move(ticket)) {}

  bool append_to(std::string& out) override;
  bool complete(RespReply reply) override;
  void fail(const Error& error) override;
  [[nodiscard]] std::optional<std::uint16_t> slot() const override { return context_.slot(key_); }
  [[nodiscard]] bool waited_for() const override { return handler_ != nullptr; }
  void stop_waiting(const Error& error) override;

 private:
  TierContext& context_;
  const KeyDigest key_;
  Handler handler_;
  Ticket ticket_;
};

// PING: on its own it asks whether the server answers; in order behind writes, whether those have
// been answered. Not sent when nobody waits any more.
class PingOperation final : public Operation {
 public:
  using Handler = Tier::Handler<Status>;

  PingOperation(TierContext& context, Handler handler)
      : context_(context), handler_(std::move(handler)) {}

  bool append_to(std::string& out) override;
  bool complete(RespReply reply) override;
  void fail(const Error& error) override;
  [[nodiscard]] bool waited_for() const override { return true; }
  void stop_waiting(const Error& error) override;

 private:
  TierContext& context_;
  Handler handler_;
};

}  // namespace llm_edge_cache::redis
