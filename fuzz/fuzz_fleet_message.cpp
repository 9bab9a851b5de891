// Any bytes on the channel are refused, or are a message that says no more than they do.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz_check.hpp"
#include "tiers/redis/fleet_message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using llm_edge_cache::fuzz_check;
  using llm_edge_cache::redis::FleetMessage;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto message = llm_edge_cache::redis::decode_fleet_message(bytes);
  if (!message.ok()) return 0;
  fuzz_check(message->keys.size() <= FleetMessage::kMaxKeys, "too many keys");
  fuzz_check(message->keys.empty() == (message->kind == FleetMessage::Kind::kAll),
             "keys where there are none, or none where there are");
  if (message->kind != FleetMessage::Kind::kAll) {
    fuzz_check(encode_fleet_message(message->sender, message->kind, message->keys) == bytes,
               "another message");
  }
  return 0;
}
