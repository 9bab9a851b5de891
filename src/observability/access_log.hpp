// The access log: one JSON line a request, written by a thread of its own.
//
//   {"time":"2026-01-31T12:00:00.123Z","method":"POST","path":"/v1/chat/completions","status":200,
//    "outcome":"miss","key":"0123456789abcdef","model":"m","tokens":9,"bytes":512,"total_ms":812.4,
//    "tenant":"team-a","upstream":"chat","upstream_first_byte_ms":790.1,"trace_id":"4bf9.."}
//
// "tier" ("l1", "l2", "l3") is there for hits; what is not known of a request is left out. Never a
// credential, a query, or anything of a prompt or an answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "llm_edge_cache/result.hpp"
#include "proxy/access_record.hpp"

namespace llm_edge_cache::observability {

[[nodiscard]] std::string access_line(const proxy::AccessRecord& record);

// Thread-safe.
class AccessLog final : public proxy::AccessSink {
 public:
  // Lines that wait; a request that finds the queue full pushes the oldest out.
  static constexpr std::size_t kMaxWaitingLines = 8'192;

  // target: a file, appended to, or "-" for standard output. Throws std::runtime_error where the
  // file cannot be opened.
  explicit AccessLog(const std::string& target);
  // Writes what waits.
  ~AccessLog() override;
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  void write(const proxy::AccessRecord& record) override;
  [[nodiscard]] bool has_file() const;  // false: standard output
  // Lines that are written from then on go to the file that has the target's name now, for whoever
  // moved the former one away. kIo where it cannot be opened: they go on to the former one. Nothing
  // happens to standard output. Not on an I/O thread.
  [[nodiscard]] Status reopen();
  // Lines that were pushed out, or that the file did not take.
  [[nodiscard]] std::uint64_t dropped() const;

 private:
  struct Writer;
  std::unique_ptr<Writer> writer_;
};

}  // namespace llm_edge_cache::observability
