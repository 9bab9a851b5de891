// The elements of one request for embeddings, and what is known of each so far.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/key_digest.hpp"
#include "core/tiered_cache.hpp"
#include "http/message.hpp"
#include "proxy/dialects/embedding_parts.hpp"
#include "proxy/request_keyer.hpp"
#include "proxy/served_answer.hpp"

namespace llm_edge_cache::proxy {

// Equal elements count once: a slot each. One thread at a time.
class EmbeddingBatch {
 public:
  using Slot = std::size_t;

  EmbeddingBatch(EmbeddingBatch&&) = default;
  EmbeddingBatch& operator=(EmbeddingBatch&&) = default;

  // kInvalidArgument where the request is for the provider alone.
  [[nodiscard]] static Result<EmbeddingBatch> read(const RequestKeyer& keyer,
                                                   const Dialect& dialect,
                                                   const http::RequestHead& head, KeySpace space,
                                                   std::string_view body);

  // Of the request as a whole: for flights, and to tell the client. A request for one element has
  // that element's key.
  [[nodiscard]] const KeyDigest& key() const { return key_; }
  [[nodiscard]] const Json& request_body() const { return request_.body; }
  [[nodiscard]] UpstreamTable::Index upstream() const { return upstream_; }
  [[nodiscard]] const std::vector<KeyDigest>& keys() const { return keys_; }  // of the slots
  [[nodiscard]] const KeyDigest& key_of(Slot slot) const { return keys_[slot]; }

  // What a tier has of a slot; ignored where it is no embedding, or too old for the request.
  void offer(Slot slot, const LookedUp& found, const RequestDirectives& directives,
             UnixMillis now_ms);
  // What was found in time, and is too old by now: the rest may have taken long.
  void drop_too_old(const RequestDirectives& directives, UnixMillis now_ms);
  // Where what was found does not agree on the model, all of it is forgotten: vectors of two models
  // must not meet in one answer.
  void drop_disagreement();
  [[nodiscard]] std::vector<Slot> missing() const;
  [[nodiscard]] bool is_complete() const { return missing().empty(); }
  // How many of the request's elements were found, of how many: "hits-3-of-5".
  [[nodiscard]] std::string describe_hits() const;
  // Those found, by the tokens that they cost once.
  [[nodiscard]] TokenUsage usage_of_hits() const;

  // The answer from what was found, once all of it was.
  [[nodiscard]] ServedAnswer served() const;

  // What goes up: everything, in the client's own bytes, or the missing elements alone.
  [[nodiscard]] bool is_all_missing_once() const;
  [[nodiscard]] std::string request_for_missing() const;

  // The provider's answer for the missing elements, or for all elements as the client asked for
  // them. Empty where it is not that: a wrong count, wrong indices, another model than what was
  // found.
  struct Fetched {
    std::string model;
    std::vector<Slot> slots;
    std::vector<std::string> vectors;  // of the slots
    std::vector<TokenUsage> usages;    // likewise
    std::optional<TokenUsage> usage;   // of the call
  };
  [[nodiscard]] std::optional<Fetched> read_missing(std::string_view answer) const;
  [[nodiscard]] std::optional<Fetched> read_all(std::string_view answer) const;

  // The whole answer: found and fetched together.
  [[nodiscard]] std::string combine(const Fetched& fetched) const;

 private:
  struct Found {
    EntryPtr entry;
    LookupOutcome outcome = LookupOutcome::kMiss;
    std::string vector;
  };

  EmbeddingBatch() = default;
  [[nodiscard]] std::optional<Fetched> assign(Embeddings embeddings, std::vector<Slot> slots) const;
  [[nodiscard]] const std::string* model_of_hits() const;

  EmbeddingRequest request_;
  KeyDigest key_;
  UpstreamTable::Index upstream_ = 0;
  std::vector<Slot> slot_of_element_;
  std::vector<std::string_view> elements_;   // of the slots; into request_
  std::vector<KeyDigest> keys_;              // of the slots
  std::vector<std::optional<Found>> found_;  // of the slots
};

}  // namespace llm_edge_cache::proxy
