// What a cluster's node tells: a reply to CLUSTER SLOTS, to CLIENT INFO or of a sentinel, or an
// error that sends a command elsewhere. The first byte of the input chooses.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "fuzz/fuzz_check.hpp"
#include "tiers/redis/client_identity.hpp"
#include "tiers/redis/redirect.hpp"
#include "tiers/redis/sentinel_locator.hpp"
#include "tiers/redis/slot_map.hpp"

namespace llm_edge_cache::redis {
namespace {

const ServerAddress kFrom{"10.0.0.1", 7'000};

void check_map(SlotMap map) {
  fuzz_check(map.shards().size() <= SlotMap::kMaxShards, "more nodes than the bound");
  for (std::uint16_t slot = 0; slot < kClusterSlots; ++slot) {
    const std::uint16_t shard = map.shard_of(slot);
    if (shard == SlotMap::kNoShard) continue;
    fuzz_check(shard < map.shards().size(), "a slot of a node that is not there");
    fuzz_check(map.shards()[shard].primary.port != 0, "a node without a port");
  }
  fuzz_check(std::is_sorted(map.shards().begin(), map.shards().end(),
                            [](const auto& a, const auto& b) { return a.primary < b.primary; }),
             "not in the order that makes maps comparable");
  if (map.move(1, kFrom)) {
    fuzz_check(map.shards()[map.shard_of(1)].primary == kFrom, "a slot that did not move");
  }
}

void check_reply(std::string_view bytes) {
  RespParser parser({.max_reply_bytes = 64U << 10U, .max_nodes = 4'096});
  if (parser.parse(bytes) != RespParser::Status::kReply) return;
  auto map = SlotMap::parse(parser.reply(), kFrom);
  if (map.ok()) check_map(std::move(map).value());
  const auto master = SentinelLocator::parse(parser.reply());
  if (master.ok()) fuzz_check(master->port != 0 && !master->host.empty(), "half an address");
}

void check_error(std::string_view error) {
  const Redirect redirect = Redirect::parse(error, kFrom);
  if (redirect.kind != Redirect::Kind::kMoved && redirect.kind != Redirect::Kind::kAsk) return;
  fuzz_check(redirect.slot < kClusterSlots, "a slot that there is not");
  fuzz_check(redirect.address.port != 0 && !redirect.address.host.empty(), "half an address");
}

}  // namespace
}  // namespace llm_edge_cache::redis

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace llm_edge_cache;
  using namespace llm_edge_cache::redis;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      check_reply(text);
      break;
    case 1:
      check_error(text);
      break;
    default:
      if (const auto identity = ClientIdentity::parse(text)) {
        fuzz_check(!identity->id.empty() && !identity->address.empty(), "half an identity");
      }
  }
  return 0;
}
