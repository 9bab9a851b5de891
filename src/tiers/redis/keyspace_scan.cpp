#include "tiers/redis/keyspace_scan.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "tiers/redis/command.hpp"
#include "tiers/redis/operations.hpp"

namespace llm_edge_cache::redis {

ScanPage::ScanPage(std::string_view prefix, Place place, std::uint64_t count, OnPage on_page,
                   OnError on_error)
    : prefix_(prefix),
      cursor_(std::move(place.cursor)),
      count_(count),
      on_page_(std::move(on_page)),
      on_error_(std::move(on_error)) {
  routing.node = std::move(place.keyspace);
}

bool ScanPage::append_to(std::string& out) {
  append_scan(out, cursor_, prefix_, count_);
  return true;
}

// [cursor, [key, ...]]
bool ScanPage::complete(RespReply reply) {
  if (reply.size() < 3 || reply[0].type != RespType::kArray || reply[0].integer != 2 ||
      reply[1].type != RespType::kBulkString || reply[2].type != RespType::kArray) {
    return false;
  }
  const RespReply keys = reply.subspan(3);
  const bool are_keys = std::all_of(keys.begin(), keys.end(), [](const RespNode& key) {
    return key.type == RespType::kBulkString && key.depth == 2;
  });
  if (are_keys) on_page_(reply[1].text, keys);
  return are_keys;
}

void await_keyspaces(TierContext& context, Backend& backend, Tier::Handler<Status> handler) {
  auto ping = std::make_unique<PingOperation>(
      context, [&context, &backend, handler = std::move(handler)](Status status) {
        if (!status.ok() || !backend.keyspaces().empty()) return handler(std::move(status));
        const Error error{ErrorCode::kUnavailable, "redis: the cluster has no slots"};
        context.count_failure(error);
        handler(error);
      });
  backend.submit(std::move(ping), Backend::Order::kAtOnce);
}

}  // namespace llm_edge_cache::redis
