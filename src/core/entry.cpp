#include "core/entry.hpp"

namespace llm_edge_cache {
namespace {

// What a string holds beyond its own object; short texts live inside of it.
std::size_t heap_bytes(const std::string& text) {
  static const std::size_t inline_capacity = std::string().capacity();
  return text.capacity() > inline_capacity ? text.capacity() + 1 : 0;
}

}  // namespace

std::size_t Entry::memory_bytes() const {
  constexpr std::size_t kReferenceCounts = 2 * sizeof(void*);  // of make_shared
  auto bytes = sizeof(Entry) + kReferenceCounts + tags.capacity() * sizeof(std::string) +
               tag_stamps.capacity() * sizeof(TagStamp);
  for (const auto* text : {&response.content, &response.model, &content_type, &finish_reason}) {
    bytes += heap_bytes(*text);
  }
  for (const auto& tag : tags) {
    bytes += heap_bytes(tag);
  }
  return bytes;
}

EntryPtr last_to_expire(EntryPtr a, EntryPtr b) {
  if (a == nullptr || (b != nullptr && a->expires_ms < b->expires_ms)) {
    return b;
  }
  return a;
}

}  // namespace llm_edge_cache
