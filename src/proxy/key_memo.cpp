#include "proxy/key_memo.hpp"

#include <cstring>
#include <utility>

#include "base/random.hpp"
#include "base/sha256.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace llm_edge_cache::proxy {
namespace {

std::uint64_t random_seed() {
  std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
  fill_random(bytes);
  std::uint64_t seed = 0;
  std::memcpy(&seed, bytes.data(), sizeof seed);
  return seed;
}

KeyDigest digest_of(const KeyDigest& surroundings, std::string_view body) {
  Sha256 hash;
  hash.update(surroundings.view());
  hash.update(body);
  return std::move(hash).finish();
}

}  // namespace

RawRequest::RawRequest(const KeyDigest& surroundings, std::string_view body)
    : is_short_(body.size() <= kMaxComparedBytes),
      digest_(is_short_ ? surroundings : digest_of(surroundings, body)),
      bytes_(is_short_ ? body : std::string_view()) {}

KeyMemo::KeyMemo(std::size_t entries) : seed_(random_seed()), slots_(entries) {}

std::size_t KeyMemo::slot_of(const RawRequest& raw) const {
  const auto seed = seed_ ^ raw.digest_.hash();
  return XXH3_64bits_withSeed(raw.bytes_.data(), raw.bytes_.size(), seed) % slots_.size();
}

std::optional<KeyedRequest> KeyMemo::find(const RawRequest& raw) const {
  if (slots_.empty()) {
    return std::nullopt;
  }
  const auto index = slot_of(raw);
  const MutexLock lock(lock_of(index));
  const Slot& slot = slots_[index];
  const bool is_it = slot.is_used && slot.is_short == raw.is_short_ && slot.digest == raw.digest_ &&
                     slot.bytes == raw.bytes_;
  return is_it ? std::optional(slot.request) : std::nullopt;
}

void KeyMemo::insert(const RawRequest& raw, const KeyedRequest& request) {
  if (slots_.empty()) {
    return;
  }
  const auto index = slot_of(raw);
  const MutexLock lock(lock_of(index));
  slots_[index] = {raw.digest_, std::string(raw.bytes_), request, true, raw.is_short_};
}

}  // namespace llm_edge_cache::proxy
