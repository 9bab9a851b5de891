#include "proxy/access_record.hpp"

#include <algorithm>
#include <utility>

namespace llm_edge_cache::proxy {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

AccessNote::AccessNote(std::shared_ptr<AccessSink> sink, const Clock& clock,
                       const http::RequestHead& head, CallerPtr caller)
    : sink_(std::move(sink)), caller_(std::move(caller)) {
  record_.time_ms = clock.now_ms();
  record_.method = head.method;
  record_.path = head.path();
  if (const auto* tenant = tenant_of(caller_)) record_.tenant = tenant->options.name;
  record_.trace_id = trace_id_of(head.headers.get("traceparent").value_or(""));
}

AccessNote* AccessNote::of(const http::Exchange& exchange) {
  return static_cast<AccessNote*>(exchange.note());
}

void AccessNote::on_gone(const http::Exchange& exchange) {
  if (caller_ != nullptr && record_.outcome) caller_->count(*record_.outcome);
  if (sink_ == nullptr) return;
  record_.status = exchange.answer_status();
  record_.answer_bytes = exchange.answer_bytes();
  record_.total = duration_cast<microseconds>(std::chrono::steady_clock::now() - started_);
  sink_->write(record_);
}

CallerPtr caller_of(const http::Exchange& exchange) {
  const auto* const note = AccessNote::of(exchange);
  return note == nullptr ? nullptr : note->caller();
}

void note_outcome(const http::Exchange& exchange, LookupOutcome outcome) {
  if (auto* const note = AccessNote::of(exchange)) {
    note->record().outcome = outcome;
  }
}

void note_key(const http::Exchange& exchange, const KeyDigest& key) {
  if (auto* const note = AccessNote::of(exchange)) {
    note->record().key = key;
  }
}

void note_answer(const http::Exchange& exchange, const Entry& entry) {
  if (auto* const note = AccessNote::of(exchange)) {
    note->record().model = entry.response.model;
    if (entry.response.tokens) {
      note->record().tokens = entry.response.tokens->total_tokens;
    }
  }
}

void note_upstream(const http::Exchange& exchange, std::string_view upstream,
                   std::chrono::nanoseconds first_byte) {
  if (auto* const note = AccessNote::of(exchange)) {
    note->record().upstream = upstream;
    note->record().upstream_first_byte = duration_cast<microseconds>(first_byte);
  }
}

std::string_view trace_id_of(std::string_view traceparent) {
  constexpr std::size_t kVersion = 2;
  constexpr std::size_t kTraceId = 32;
  constexpr std::size_t kWhole = 55;  // of version 00; later ones may be longer
  if (traceparent.size() < kWhole || traceparent[kVersion] != '-' ||
      traceparent[kVersion + 1 + kTraceId] != '-' ||
      (traceparent.size() > kWhole && traceparent[kWhole] != '-')) {
    return {};
  }
  const auto version = traceparent.substr(0, kVersion);
  const auto trace_id = traceparent.substr(kVersion + 1, kTraceId);
  const bool is_valid = is_hex(version) && version != "ff" && is_hex(trace_id) &&
                        !is_zero(trace_id) && (version != "00" || traceparent.size() == kWhole);
  return is_valid ? trace_id : std::string_view();
}

}  // namespace llm_edge_cache::proxy
