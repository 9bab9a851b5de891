// The dictionary that entries are compressed with where no other is given: the shapes of the
// providers' answers, whose names and punctuation are most of what a short one has.
#pragma once

#include <memory>

#include "core/entry_dictionary.hpp"

namespace llm_edge_cache {

// Never null. Its bytes, and so its id, are part of the format (docs/format.md): what was stored
// with it must stay readable.
[[nodiscard]] const std::shared_ptr<const EntryDictionary>& built_in_dictionary();

}  // namespace llm_edge_cache
