#include "core/entry_table.hpp"

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/entry_generated.h"
#include "core/tag_stamp.hpp"

namespace llm_edge_cache {
namespace {

using flatbuffers::FlatBufferBuilder;

constexpr std::size_t kMaxTableBytes = 1U << 30U;  // FlatBuffers' offsets have 31 bits
constexpr std::size_t kOverheadBytes = 256;        // of an entry with few tags

// A little less than the table will have.
std::size_t content_bytes(const Entry& entry) {
  auto bytes = entry.response.content.size() + entry.response.model.size() +
               entry.content_type.size() + entry.finish_reason.size();
  for (const auto& tag : entry.tags) {
    bytes += tag.size() + sizeof(flatbuffers::uoffset_t) + sizeof(std::uint64_t);
  }
  return bytes;
}

void build(FlatBufferBuilder& builder, const Entry& entry) {
  const auto& response = entry.response;
  const auto payload = builder.CreateVector(
      reinterpret_cast<const std::uint8_t*>(response.content.data()), response.content.size());
  const auto model = builder.CreateString(response.model);
  const auto content_type = builder.CreateString(entry.content_type);
  const auto finish_reason = builder.CreateString(entry.finish_reason);
  const auto tags = builder.CreateVectorOfStrings(entry.tags);

  std::vector<std::uint64_t> generations;
  generations.reserve(entry.tag_stamps.size());
  for (const auto& stamp : entry.tag_stamps) {
    generations.push_back(stamp.generation);
  }
  flatbuffers::Offset<flatbuffers::Vector<std::uint64_t>> tag_generations;
  if (!generations.empty()) {
    tag_generations = builder.CreateVector(generations);
  }

  wire::EntryBuilder table(builder);
  table.add_payload(payload);
  table.add_model(model);
  if (const auto& tokens = response.tokens) {
    const wire::TokenUsage usage(tokens->prompt_tokens, tokens->completion_tokens,
                                 tokens->total_tokens);
    table.add_usage(&usage);
  }
  table.add_status(entry.status);
  table.add_content_type(content_type);
  table.add_finish_reason(finish_reason);
  table.add_cached_at_ms(response.cached_at_ms);
  table.add_expires_ms(entry.expires_ms);
  table.add_stale_until_ms(entry.stale_until_ms);
  table.add_tags(tags);
  if (!generations.empty()) {
    table.add_tag_generations(tag_generations);
  }
  builder.Finish(table.Finish());
}

std::string to_string(const flatbuffers::String* text) {
  return text == nullptr ? std::string() : text->str();
}

// A list may name one string any number of times, and what is read from it has them all: a short
// table could ask for any amount of memory. In what was written each tag has bytes of its own.
bool are_tags_within(const wire::Entry& table, std::size_t bytes) {
  if (table.tags() == nullptr) {
    return true;
  }
  std::size_t needed = 0;
  for (const auto* tag : *table.tags()) {
    needed += sizeof(flatbuffers::uoffset_t) + sizeof(flatbuffers::uoffset_t) + tag->size();
  }
  return needed <= bytes;
}

void read_tags(const wire::Entry& table, Entry& entry) {
  if (table.tags() == nullptr) {
    return;
  }
  for (const auto* tag : *table.tags()) {
    entry.tags.push_back(tag->str());
  }
  const auto* generations = table.tag_generations();
  if (generations == nullptr || generations->size() != entry.tags.size()) {
    return;
  }
  for (flatbuffers::uoffset_t i = 0; i < generations->size(); ++i) {
    entry.tag_stamps.push_back({tag_marker_key(entry.tags[i]), generations->Get(i)});
  }
}

CachedResponse read_response(const wire::Entry& table) {
  CachedResponse response;
  response.content.assign(reinterpret_cast<const char*>(table.payload()->data()),
                          table.payload()->size());
  response.model = to_string(table.model());
  if (const auto* usage = table.usage()) {
    response.tokens =
        TokenUsage{usage->prompt_tokens(), usage->completion_tokens(), usage->total_tokens()};
  }
  response.cached_at_ms = table.cached_at_ms();
  return response;
}

}  // namespace

Result<std::string> write_entry_table(const Entry& entry, std::size_t max_bytes) {
  const auto limit = std::min(max_bytes, kMaxTableBytes);
  const Error too_large{ErrorCode::kTooLarge, "the entry exceeds the limit of stored bytes"};
  const auto content = content_bytes(entry);
  if (content > limit) {
    return too_large;
  }
  FlatBufferBuilder builder(content + kOverheadBytes);
  build(builder, entry);
  if (builder.GetSize() > limit) {
    return too_large;
  }
  return std::string(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

Result<EntryPtr> read_entry_table(std::string_view table) {
  if (table.size() > kMaxTableBytes) {
    return Error{ErrorCode::kCorruptData, "the stored entry is larger than any that was written"};
  }
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(table.data()), table.size());
  if (!wire::VerifyEntryBuffer(verifier)) {
    return Error{ErrorCode::kCorruptData, "the stored entry is not a valid table"};
  }
  const auto& stored = *wire::GetEntry(table.data());
  if (!are_tags_within(stored, table.size())) {
    return Error{ErrorCode::kCorruptData, "the stored entry has more tags than room for them"};
  }
  auto entry = std::make_shared<Entry>();
  entry->response = read_response(stored);
  entry->status = stored.status();
  entry->content_type = to_string(stored.content_type());
  entry->finish_reason = to_string(stored.finish_reason());
  entry->expires_ms = stored.expires_ms();
  entry->stale_until_ms = stored.stale_until_ms();
  read_tags(stored, *entry);
  return EntryPtr(std::move(entry));
}

}  // namespace llm_edge_cache
