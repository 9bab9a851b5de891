// Tags and their generations (docs/decisions/0007-tag-generations.md).
//
// Every tag in use has a generation, a random number, which a marker holds: an entry of the cache
// like any other, under a key made from the tag. An answer is stored with the generations that its
// tags had when it was asked for, and is good while they are the same. To purge a tag is to remove
// its marker; where a marker is lost, for whatever reason, its answers are misses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/key_digest.hpp"
#include "core/entry.hpp"
#include "llm_edge_cache/clock.hpp"

namespace llm_edge_cache {

// Where the marker of a tag is kept: SHA-256, in a domain of its own. A store that sees the key
// does not see the tag.
[[nodiscard]] KeyDigest tag_marker_key(std::string_view tag);

// The tag of all that is stored under a namespace, which says nothing of its name. No header can
// carry it: it begins with a control character.
[[nodiscard]] std::string namespace_tag(std::string_view name_space);

// Of a generation that nobody has used.
[[nodiscard]] EntryPtr make_tag_marker(UnixMillis now_ms);

// The same generation, with its life before it.
[[nodiscard]] EntryPtr renewed_tag_marker(const Entry& marker, UnixMillis now_ms);

[[nodiscard]] bool is_tag_marker(const Entry& entry);

// 0, which no tag has, where there is no marker.
[[nodiscard]] std::uint64_t generation_of(const EntryPtr& marker);

}  // namespace llm_edge_cache
