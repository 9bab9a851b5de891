// Requests for embeddings and their answers, taken apart into elements and put together again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm_edge_cache/cached_response.hpp"
#include "llm_edge_cache/result.hpp"
#include "proxy/dialects/answer_json.hpp"

namespace llm_edge_cache::proxy {

// OpenAI's own limit; requests with more are passed through.
inline constexpr std::size_t kMaxEmbeddingElements = 2'048;

struct EmbeddingRequest {
  // One text for equal elements. Text, or an array of tokens; an input that is one of these itself
  // is its only element.
  std::vector<std::string> elements;
  Json body;  // as the client sent it
};

// kInvalidArgument for what is not cached in parts: an input of another kind, without elements or
// with too many.
[[nodiscard]] Result<EmbeddingRequest> read_embedding_request(std::string_view body);

// The same request for these elements alone.
[[nodiscard]] std::string embedding_request_for(const EmbeddingRequest& request,
                                                const std::vector<std::string_view>& elements);

// Members that are not part of what is common to a request's elements, beside `input`:
// encoding_format where it says what is the default.
[[nodiscard]] std::vector<std::string> members_beside_key(const EmbeddingRequest& request);

// Whether the vector of each element is the same whatever elements are asked for with it. So it is
// for one element, and where no member of the request is there but those that are known to leave
// elements alone, those that say false or null, and `keyless` ones. Jina's `late_chunking` embeds
// all elements as one text.
[[nodiscard]] bool are_elements_independent(const EmbeddingRequest& request,
                                            const std::vector<std::string>& keyless);

struct Embeddings {
  std::vector<std::string> vectors;  // JSON as the provider wrote it, by index
  std::string model;
  std::optional<TokenUsage> usage;  // completion_tokens is 0
};

// Empty where the answer is no list of embeddings, its indices are not 0, 1, .. in any order, an
// element is neither an array of numbers nor text, or anything is there that would be lost.
[[nodiscard]] std::optional<Embeddings> read_embeddings(std::string_view answer);

// The answer that has these vectors in this order.
[[nodiscard]] std::string write_embeddings(const std::vector<std::string_view>& vectors,
                                           std::string_view model,
                                           const std::optional<TokenUsage>& usage);

// Parts of a usage, one for each element, that add up to it: in proportion to the sizes of the
// elements, since the provider tells the total only.
[[nodiscard]] std::vector<std::uint32_t> share_tokens(
    std::uint32_t total, const std::vector<std::string_view>& elements);

}  // namespace llm_edge_cache::proxy
