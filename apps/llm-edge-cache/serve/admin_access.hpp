// Who may use the admin listener.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::app {

// Immutable; thread-safe.
class AdminAccess {
 public:
  static constexpr std::size_t kMinTokenBytes = 16;
  static constexpr std::size_t kMaxTokenBytes = 4'096;

  // An empty token: everybody who reaches the listener may use it, but no page in a browser (a
  // Host that is a name may have been bound anew to our address).
  explicit AdminAccess(std::string token) : token_(std::move(token)) {}

  // The token in a file that nobody else can read, without the line's end. kIo where it cannot be
  // read or others can, kInvalidArgument where it is too short or long.
  [[nodiscard]] static Result<std::string> load_token(const std::string& file);

  struct Refusal {
    std::uint16_t status;
    std::string_view code;
  };
  // Nothing where the request may go on. /healthz and /readyz are everybody's. What changes the
  // cache must say that it is JSON, which a form of a foreign page cannot.
  [[nodiscard]] std::optional<Refusal> refuse(const http::RequestHead& head) const;

 private:
  [[nodiscard]] bool has_token(const http::Headers& headers) const;

  const std::string token_;
};

// Whether an address to listen on (parse_host_port) is this machine's alone.
[[nodiscard]] bool is_loopback(std::string_view listen);

}  // namespace llm_edge_cache::app
