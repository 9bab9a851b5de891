// What a TLS client says before anything is encrypted (RFC 8446, 4.1.2).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace llm_edge_cache::test {

struct ClientHello {
  std::string server_name;  // that it asks for (RFC 6066, 3); empty: it asks for none
};

// Nothing where the bytes are not a whole ClientHello in one record.
[[nodiscard]] std::optional<ClientHello> parse_client_hello(std::string_view bytes);

}  // namespace llm_edge_cache::test
