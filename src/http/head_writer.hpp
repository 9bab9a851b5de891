// Heads as bytes. Framing and Connection are the connection's decision: what the given headers say
// of them is left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/extra_fields.hpp"
#include "http/field_lines.hpp"
#include "http/message.hpp"

namespace llm_edge_cache::http {

struct Framing {
  std::optional<std::uint64_t> content_length{};
  bool chunked = false;
};

enum class Persistence { kDefault, kKeepAlive, kClose };  // kDefault: no Connection field

struct ResponseFormat {
  Framing framing{};
  Persistence persistence = Persistence::kDefault;
  std::string_view date;               // for a head without Date
  const ExtraFields* extra = nullptr;  // null: none
};

// Appends to out. False, with out unchanged, when a field has bytes that would break the message
// (response splitting): no token as name, or a control character in the value.
[[nodiscard]] bool append_response_head(std::string& out, const ResponseHead& head,
                                        const ResponseFormat& format);

// A head whose fields are written already.
struct PreparedHead {
  std::uint16_t status = 200;
  const FieldLines& fields;
};
// The same; has no Date of its own.
[[nodiscard]] bool append_response_head(std::string& out, const PreparedHead& head,
                                        const ResponseFormat& format);

struct RequestFormat {
  Framing framing{};
  std::string_view host;  // for a head without Host
};

// As above; method and target are checked too. Hop-by-hop fields and Expect are left out.
[[nodiscard]] bool append_request_head(std::string& out, const RequestHead& head,
                                       const RequestFormat& format);

// The line before a chunk's bytes; size > 0.
void append_chunk_size(std::string& out, std::size_t size);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace llm_edge_cache::http
