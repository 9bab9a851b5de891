// The admin API of a running proxy, as commands use it.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::app {

// Where it is, and the token that it wants.
struct AdminServer {
  std::string url = "http://127.0.0.1:9090";
  std::string token_file;
  std::string ca_file;  // PEM, trusted besides the system's authorities; of an https URL

  // --admin, --token-file and --admin-ca-file.
  void add_options(CLI::App& command);
  // Of the file, else of LLM_EDGE_CACHE_ADMIN_TOKEN; empty for none. The error of the file.
  [[nodiscard]] Result<std::string> token() const;
};

struct AdminRequest {
  std::string method = "GET";
  std::string target = {};  // with its query
  std::string content_type = "application/json";
  std::string body = {};
  // Instead of `body`: its next piece each time, empty at its end. An error ends the request.
  std::function<Result<std::string>()> next_piece = nullptr;
  // Gets a body of status 200 as it comes; false ends the request. Null: it is collected.
  std::function<bool(std::string_view bytes)> on_data = nullptr;
};

struct AdminAnswer {
  std::uint16_t status = 0;
  std::string body;  // what on_data did not get
};

// Blocks until the answer has ended: as long as it flows, and 60 s at most without a byte. The
// functions of the request run on another thread. kIo where on_data said false, kTooLarge for a
// body to be collected of over 64 MiB; otherwise the errors of the connection.
[[nodiscard]] Result<AdminAnswer> ask_admin(const AdminServer& server, AdminRequest request);

// The body of an answer of status 200, else an error with what the proxy said.
[[nodiscard]] Result<std::string> body_of(const Result<AdminAnswer>& answer);

// Which entries: --model, --tag and --max-age-seconds.
struct EntryChoice {
  std::string model;
  std::string tag;
  std::optional<std::uint64_t> max_age_seconds;

  void add_options(CLI::App& command);
  // "?model=gpt-4o"; empty for all.
  [[nodiscard]] std::string query() const;
};

[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace llm_edge_cache::app
