// What the access log is told of a request: neither secrets nor anything of a prompt or an answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/key_digest.hpp"
#include "core/entry.hpp"
#include "http/exchange.hpp"
#include "llm_edge_cache/clock.hpp"
#include "llm_edge_cache/lookup_result.hpp"
#include "proxy/caller.hpp"

namespace llm_edge_cache::proxy {

struct AccessRecord {
  UnixMillis time_ms = 0;  // of the request's head
  std::string method;
  std::string path;                // without query, which may hold a credential
  std::uint16_t status = 0;        // 0: the client left before an answer began
  std::uint64_t answer_bytes = 0;  // of its body
  std::chrono::microseconds total{0};

  std::optional<LookupOutcome> outcome = {};
  std::optional<KeyDigest> key = {};
  std::string model = {};  // of the answer, where it was read
  std::optional<std::uint64_t> tokens = {};
  std::string tenant = {};    // its name
  std::string upstream = {};  // the group's name, where one was asked
  std::optional<std::chrono::microseconds> upstream_first_byte = {};
  std::string trace_id = {};  // of a valid traceparent
};

class AccessSink {
 public:
  virtual ~AccessSink() = default;
  // From any I/O thread, once a request; must not block.
  virtual void write(const AccessRecord& record) = 0;
};

// The record of a request under way, held by its exchange and written when that goes; and whose it
// is.
class AccessNote final : public http::Exchange::Note {
 public:
  // sink: null where nothing is logged. caller: null where nobody's limits hold
  // for it.
  AccessNote(std::shared_ptr<AccessSink> sink, const Clock& clock, const http::RequestHead& head,
             CallerPtr caller = nullptr);

  // The note of an exchange; null where nobody wants one.
  [[nodiscard]] static AccessNote* of(const http::Exchange& exchange);

  void on_gone(const http::Exchange& exchange) override;

  [[nodiscard]] AccessRecord& record() { return record_; }
  [[nodiscard]] const CallerPtr& caller() const { return caller_; }

 private:
  const std::shared_ptr<AccessSink> sink_;
  const CallerPtr caller_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  AccessRecord record_;
};

// Null where nobody's limits hold for the request.
[[nodiscard]] CallerPtr caller_of(const http::Exchange& exchange);

// These do nothing where nothing is logged.
void note_outcome(const http::Exchange& exchange, LookupOutcome outcome);
void note_key(const http::Exchange& exchange, const KeyDigest& key);
void note_answer(const http::Exchange& exchange, const Entry& entry);
void note_upstream(const http::Exchange& exchange, std::string_view upstream,
                   std::chrono::nanoseconds first_byte);

// The trace-id of a W3C traceparent (version 00 or later); empty where it is not valid.
[[nodiscard]] std::string_view trace_id_of(std::string_view traceparent);

}  // namespace llm_edge_cache::proxy
