#include "proxy/embedding_batch.hpp"

#include <algorithm>
#include <memory>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "base/sha256.hpp"
#include "core/canonical_json.hpp"
#include "proxy/cache_decision.hpp"

namespace llm_edge_cache::proxy {
namespace {

constexpr std::string_view kJsonType = "application/json";

KeyDigest key_of_all(const std::vector<KeyDigest>& keys, const std::vector<std::size_t>& order) {
  if (order.size() == 1) {
    return keys.front();
  }
  Sha256 hash;
  for (const auto slot : order) {
    const auto& bytes = keys[slot].bytes;
    hash.update({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  return std::move(hash).finish();
}

void add(TokenUsage& sum, const TokenUsage& usage) {
  sum.prompt_tokens += usage.prompt_tokens;
  sum.total_tokens += usage.total_tokens;
}

}  // namespace

Result<EmbeddingBatch> EmbeddingBatch::read(const RequestKeyer& keyer, const Dialect& dialect,
                                            const http::RequestHead& head, KeySpace space,
                                            std::string_view body) {
  auto request = read_embedding_request(body);
  if (!request.ok()) {
    return request.error();
  }
  auto dropped = keyer.keyless_members(dialect);
  if (!are_elements_independent(*request, dropped)) {
    return Error{ErrorCode::kInvalidArgument, "an element's vector may depend on the others"};
  }
  for (auto& member : members_beside_key(*request)) {
    dropped.push_back(std::move(member));
  }
  auto common = canonical_json(body, {.dropped_members = dropped, .require_object = true});
  if (!common.ok()) {
    return common.error();
  }
  const auto upstream = keyer.upstream_of(head, JsonView(request->body));
  if (!upstream) {
    return Error{ErrorCode::kInvalidArgument, "no upstream takes the request"};
  }
  EmbeddingBatch batch;
  batch.upstream_ = *upstream;
  batch.request_ = std::move(*request);
  BodyInParts parts{std::move(*common), {}, *upstream};
  std::unordered_map<std::string_view, Slot> slots;
  for (const auto& element : batch.request_.elements) {
    const auto [slot, is_new] = slots.try_emplace(element, batch.elements_.size());
    batch.slot_of_element_.push_back(slot->second);
    if (is_new) {
      batch.elements_.emplace_back(element);
      parts.parts.push_back(element);
    }
  }
  batch.keys_ = keyer.keys_of_parts(head, space, parts);
  batch.key_ = key_of_all(batch.keys_, batch.slot_of_element_);
  batch.found_.resize(batch.elements_.size());
  return batch;
}

void EmbeddingBatch::offer(Slot slot, const LookedUp& found, const RequestDirectives& directives,
                           UnixMillis now_ms) {
  if (!found.is_hit() || !is_acceptable(*found.entry, directives, now_ms)) {
    return;
  }
  auto embeddings = read_embeddings(found.entry->response.content);
  if (embeddings && embeddings->vectors.size() == 1) {
    found_[slot] = Found{found.entry, found.outcome, std::move(embeddings->vectors.front())};
  }
}

void EmbeddingBatch::drop_too_old(const RequestDirectives& directives, UnixMillis now_ms) {
  for (auto& found : found_) {
    if (found && !is_acceptable(*found->entry, directives, now_ms)) {
      found.reset();
    }
  }
}

const std::string* EmbeddingBatch::model_of_hits() const {
  const auto hit = std::find_if(found_.begin(), found_.end(),
                                [](const auto& found) { return found.has_value(); });
  return hit == found_.end() ? nullptr : &(*hit)->entry->response.model;
}

void EmbeddingBatch::drop_disagreement() {
  const std::string* const model = model_of_hits();
  const bool agrees = std::all_of(found_.begin(), found_.end(), [&](const auto& found) {
    return !found || found->entry->response.model == *model;
  });
  if (!agrees) {
    std::fill(found_.begin(), found_.end(), std::nullopt);
  }
}

std::vector<EmbeddingBatch::Slot> EmbeddingBatch::missing() const {
  std::vector<Slot> slots;
  for (Slot slot = 0; slot < found_.size(); ++slot) {
    if (!found_[slot]) {
      slots.push_back(slot);
    }
  }
  return slots;
}

std::string EmbeddingBatch::describe_hits() const {
  const auto hits = std::count_if(slot_of_element_.begin(), slot_of_element_.end(),
                                  [this](Slot slot) { return found_[slot].has_value(); });
  return "hits-" + std::to_string(hits) + "-of-" + std::to_string(slot_of_element_.size());
}

TokenUsage EmbeddingBatch::usage_of_hits() const {
  TokenUsage sum;
  for (const auto slot : slot_of_element_) {
    if (found_[slot]) {
      add(sum, found_[slot]->entry->response.tokens.value_or(TokenUsage()));
    }
  }
  return sum;
}

ServedAnswer EmbeddingBatch::served() const {
  auto entry = std::make_shared<Entry>(*found_.front()->entry);
  ServedAnswer answer;
  std::vector<std::string_view> vectors;
  for (const auto slot : slot_of_element_) {
    const Found& found = *found_[slot];
    vectors.emplace_back(found.vector);
    entry->response.cached_at_ms =
        std::min(entry->response.cached_at_ms, found.entry->response.cached_at_ms);
    entry->expires_ms = std::min(entry->expires_ms, found.entry->expires_ms);
    if (found.outcome != LookupOutcome::kL1Hit) {
      answer.outcome = found.outcome;
    }
  }
  entry->response.tokens = usage_of_hits();
  entry->response.content =
      write_embeddings(vectors, entry->response.model, entry->response.tokens);
  entry->content_type = kJsonType;
  answer.body = http::SharedBytes(entry, entry->response.content);
  answer.content_type = kJsonType;
  answer.entry = std::move(entry);
  return answer;
}

bool EmbeddingBatch::is_all_missing_once() const {
  return missing().size() == slot_of_element_.size();
}

std::string EmbeddingBatch::request_for_missing() const {
  std::vector<std::string_view> elements;
  for (const auto slot : missing()) {
    elements.push_back(elements_[slot]);
  }
  return embedding_request_for(request_, elements);
}

std::optional<EmbeddingBatch::Fetched> EmbeddingBatch::read_missing(std::string_view answer) const {
  auto embeddings = read_embeddings(answer);
  const std::string* const model = model_of_hits();
  if (!embeddings || (model != nullptr && embeddings->model != *model)) {
    return std::nullopt;
  }
  return assign(std::move(*embeddings), missing());
}

std::optional<EmbeddingBatch::Fetched> EmbeddingBatch::read_all(std::string_view answer) const {
  auto embeddings = read_embeddings(answer);
  if (!embeddings) {
    return std::nullopt;
  }
  return assign(std::move(*embeddings), slot_of_element_);
}

std::optional<EmbeddingBatch::Fetched> EmbeddingBatch::assign(Embeddings embeddings,
                                                              std::vector<Slot> slots) const {
  if (embeddings.vectors.size() != slots.size()) {
    return std::nullopt;
  }
  std::vector<std::string_view> elements;
  elements.reserve(slots.size());
  for (const auto slot : slots) {
    elements.push_back(elements_[slot]);
  }
  const auto usage = embeddings.usage.value_or(TokenUsage());
  const auto prompt = share_tokens(usage.prompt_tokens, elements);
  const auto total = share_tokens(usage.total_tokens, elements);
  Fetched fetched;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    fetched.usages.push_back({prompt[i], 0, total[i]});
  }
  fetched.model = std::move(embeddings.model);
  fetched.slots = std::move(slots);
  fetched.vectors = std::move(embeddings.vectors);
  fetched.usage = embeddings.usage;
  return fetched;
}

std::string EmbeddingBatch::combine(const Fetched& fetched) const {
  std::vector<std::string_view> of_slots(found_.size());
  std::vector<TokenUsage> usages(found_.size());
  for (Slot slot = 0; slot < found_.size(); ++slot) {
    if (found_[slot]) {
      of_slots[slot] = found_[slot]->vector;
      usages[slot] = found_[slot]->entry->response.tokens.value_or(TokenUsage());
    }
  }
  for (std::size_t i = 0; i < fetched.slots.size(); ++i) {
    of_slots[fetched.slots[i]] = fetched.vectors[i];
    usages[fetched.slots[i]] = fetched.usages[i];
  }
  std::vector<std::string_view> vectors;
  TokenUsage sum;
  for (const auto slot : slot_of_element_) {
    vectors.push_back(of_slots[slot]);
    add(sum, usages[slot]);
  }
  return write_embeddings(vectors, fetched.model, sum);
}

}  // namespace llm_edge_cache::proxy
