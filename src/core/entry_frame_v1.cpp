#include "core/entry_frame_v1.hpp"

#include <utility>

#include "base/constant_time.hpp"
#include "base/sha256.hpp"
#include "core/entry_frame_layout.hpp"

namespace llm_edge_cache {

Status verify_entry_frame_v1(const KeyDigest& key, std::string_view frame) {
  using namespace frame;
  if ((static_cast<std::uint8_t>(frame[kFlagsAt]) & ~kCompressed) != 0) {
    return corrupt("the stored entry uses features that its version does not have");
  }
  Sha256 hash;
  hash.update(key.view());
  hash.update(frame.substr(0, kChecksumAt));
  hash.update(frame.substr(kRestAt));
  const auto digest = std::move(hash).finish();
  constexpr auto kChecksumBytes = kRestAt - kChecksumAt;
  if (!constant_time_equal(digest.view().substr(0, kChecksumBytes),
                           frame.substr(kChecksumAt, kChecksumBytes))) {
    return corrupt("the stored entry fails its checksum or belongs to another key");
  }
  return {};
}

}  // namespace llm_edge_cache
