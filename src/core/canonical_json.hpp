// Canonical JSON after RFC 8785 (JCS): one text for all JSON texts that say the same. Members are
// sorted by the UTF-16 code units of their names, white space is gone, strings are escaped and
// numbers are written in one way.
//
// It departs from the RFC for whole numbers of 2^53 and more, where the RFC would give different
// integers one text: those in the range of int64 or uint64 keep their exact digits, and others,
// which only an exponent or a fraction can spell, are written with an exponent (1e+20). An integer
// literal out of that range is an error.
//
// And the object under a member named "properties" keeps its order, wherever it is: in a JSON
// schema it is the order in which a model writes what it was asked for, an answer before its
// reasons or after them.
//
// Everything is validated, also what is dropped. Errors (kInvalidArgument): text that is not one
// JSON value, invalid UTF-8, lone surrogates, numbers that no double holds, a name twice in one
// object however it is escaped, nesting over kMaxJsonDepth, and a value that is not an object where
// one is asked for. kTooLarge: text of 4 GiB and more.
//
// Thread-safe. Parsing takes about 15 bytes of memory for each byte of text. Each thread keeps what
// its largest text took, for texts of up to 1 MiB; more is given back before the call returns.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache {

class ParsedJson;

// Objects and arrays within each other.
inline constexpr std::size_t kMaxJsonDepth = 128;

struct CanonicalJsonOptions {
  // Members of the outermost object, by unescaped name, that are left out. The caller owns them.
  std::span<const std::string> dropped_members = {};
  bool require_object = false;
};

[[nodiscard]] Result<std::string> canonical_json(std::string_view text,
                                                 const CanonicalJsonOptions& options = {});

// Appends to `out` instead, which spares the allocation; after an error `out` is as it was.
[[nodiscard]] Status append_canonical_json(std::string& out, std::string_view text,
                                           const CanonicalJsonOptions& options = {});
// The same of a text that was parsed already.
[[nodiscard]] Status append_canonical_json(std::string& out, const ParsedJson& json,
                                           const CanonicalJsonOptions& options = {});

}  // namespace llm_edge_cache
