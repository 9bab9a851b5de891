#include "tiers/redis/operations.hpp"

#include <algorithm>
#include <chrono>

#include "core/entry_codec.hpp"
#include "tiers/redis/command.hpp"

namespace llm_edge_cache::redis {
namespace {

UnixMillis last_use_ms(const Entry& entry) {
  return std::max(entry.expires_ms, entry.stale_until_ms);
}

}  // namespace

bool GetOperation::append_to(std::string& out) {
  append_get(out, context_.stored_key(key_));
  return true;
}

bool GetOperation::complete(RespReply reply) {
  const RespNode& root = reply[0];
  switch (root.type) {
    case RespType::kNull:
      miss();
      return true;
    case RespType::kBulkString:
      on_value(root.text);
      return true;
    case RespType::kTooLarge:
      fail({ErrorCode::kTooLarge, "redis: a stored entry of " + std::to_string(root.integer) +
                                      " bytes is over max_entry_bytes"});
      return true;
    default:
      return false;
  }
}

void GetOperation::on_value(std::string_view bytes) {
  Result<EntryPtr> entry = decode_entry(key_, bytes, context_.format);
  if (entry.ok()) {
    if (last_use_ms(**entry) <= context_.clock->now_ms()) return miss();
    AtomicCounters::add(context_.counters.hits);
    return handler_(std::move(entry));
  }
  if (entry.error().code != ErrorCode::kCorruptData) return fail(entry.error());
  context_.counters.add_error(ErrorCode::kCorruptData);
  context_.events.report(
      TierEventKind::kCorruptEntry,
      "entry " + to_hex(key_).substr(0, 16) + " deleted: " + entry.error().message, now());
  context_.discard(key_);
  miss();
}

void GetOperation::miss() {
  AtomicCounters::add(context_.counters.misses);
  handler_(EntryPtr());
}

void GetOperation::fail(const Error& error) {
  context_.count_failure(error);
  handler_(error);
}

SetOperation::SetOperation(TierContext& context, const KeyDigest& key, EntryPtr entry,
                           Ticket ticket, std::shared_ptr<HeldLease> lease)
    : context_(context),
      key_(key),
      entry_(std::move(entry)),
      ticket_(std::move(ticket)),
      lease_(std::move(lease)) {
  if (context_.changes != nullptr) context_.changes->on_write_begun(key_);
}

SetOperation::~SetOperation() {
  if (context_.changes != nullptr) context_.changes->on_write_ended(key_);
}

bool SetOperation::append_to(std::string& out) {
  const std::int64_t life_ms = last_use_ms(*entry_) - context_.clock->now_ms();
  if (life_ms <= 0) return false;
  const Result<std::string> bytes = encode_entry(key_, *entry_, context_.format);
  if (!bytes.ok()) {
    context_.count_dropped_write("an entry was not written: " + bytes.error().message);
    context_.remove_later(key_, std::move(ticket_));
    return false;
  }
  const auto own_life_ms = static_cast<std::uint64_t>(life_ms);
  const auto px_ms =
      entry_->outlives_ttl ? own_life_ms : std::min(own_life_ms, context_.config.ttl_ms);
  if (lease_ != nullptr) {
    append_set_under_lease(out, context_, key_, lease_->token(), *bytes, px_ms);
  } else {
    append_set(out, context_.stored_key(key_), *bytes, px_ms);
  }
  return true;
}

bool SetOperation::complete(RespReply reply) {
  if (lease_ != nullptr) return complete_under_lease(reply[0]);
  if (reply[0].type != RespType::kSimpleString || reply[0].text != "OK") return false;
  AtomicCounters::add(context_.counters.writes);
  context_.tell_changed(key_);
  return true;
}

bool SetOperation::complete_under_lease(const RespNode& reply) {
  if (reply.type != RespType::kInteger) return false;
  if (reply.integer == 1) {
    AtomicCounters::add(context_.counters.writes);
    lease_->note_written();
    context_.tell_changed(key_);
  } else if (context_.changes != nullptr) {
    context_.changes->on_superseded(key_);
  }
  return true;
}

void SetOperation::fail(const Error& error) {
  context_.count_failure(error);
  context_.tell_changed(key_);
  context_.count_dropped_write("an entry was not written: " + error.message);
}

bool UnlinkOperation::append_to(std::string& out) {
  append_unlink(out, context_.stored_key(key_));
  return true;
}

bool UnlinkOperation::complete(RespReply reply) {
  if (reply[0].type != RespType::kInteger) return false;
  const bool removed = reply[0].integer > 0;
  if (removed) AtomicCounters::add(context_.counters.removals);
  context_.tell_changed(key_);
  if (handler_) {
    handler_(removed);
  } else if (context_.changes != nullptr) {
    context_.changes->on_removed_late(key_);
  }
  return true;
}

void UnlinkOperation::fail(const Error& error) {
  context_.count_failure(error);
  context_.tell_changed(key_);
  const bool may_have_been_lost =
      error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kDeadlineExceeded;
  if (may_have_been_lost) context_.remove_later(key_, std::move(ticket_));
  if (handler_) handler_(error);
}

void UnlinkOperation::stop_waiting(const Error& error) {
  context_.count_failure(error);
  std::exchange(handler_, nullptr)(error);
}

bool PingOperation::append_to(std::string& out) {
  if (!handler_) return false;
  append_command(out, {"PING"});
  return true;
}

bool PingOperation::complete(RespReply reply) {
  if (reply[0].type != RespType::kSimpleString || reply[0].text != "PONG") return false;
  handler_(Status());
  return true;
}

void PingOperation::fail(const Error& error) {
  if (!handler_) return;
  context_.count_failure(error);
  handler_(error);
}

void PingOperation::stop_waiting(const Error& error) {
  context_.count_failure(error);
  std::exchange(handler_, nullptr)(error);
}

}  // namespace llm_edge_cache::redis
