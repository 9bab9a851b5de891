// Deltas of streamed chat messages and what they add up to.
#pragma once

#include <string>

#include "proxy/dialects/answer_json.hpp"

namespace llm_edge_cache::proxy {

// Adds a delta of a message to what has come so far. False where that takes a guess; the target
// then holds one of the two readings.
//
//   null                                nothing
//   text of a member known to grow      appended: content, refusal, reasoning, arguments, ..
//   an object                           member by member
//   an array of elements with `index`   each to its like, new ones in order
//   annotations                         appended
//   text of a member known to repeat    taken where nothing or the same was there: role, id, ..
//   other text                          taken where nothing was there
//   anything else                       taken where nothing or the same was there, else a guess;
//                                       a list of a member known to grow where nothing was there
[[nodiscard]] bool merge_delta(Json& target, const Json& delta);

// A member of a message whose text comes in pieces.
[[nodiscard]] bool is_growing_member(std::string_view name);

// The same for log probabilities: an object of arrays, each appended to its like.
[[nodiscard]] bool append_logprobs(Json& target, const Json& delta);

// For what all chunks of a stream repeat: false where two of them say different things. Null, empty
// text and 0 say nothing against another value.
[[nodiscard]] bool merge_repeated(Json& target, const Json& value);
// For a member, which is there from then on.
[[nodiscard]] bool merge_repeated(Json& object, const std::string& name, const Json& value);

}  // namespace llm_edge_cache::proxy
