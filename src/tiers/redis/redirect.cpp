#include "tiers/redis/redirect.hpp"

#include <algorithm>
#include <optional>

#include "base/parse_number.hpp"
#include "tiers/redis/key_slot.hpp"

namespace llm_edge_cache::redis {
namespace {

std::string_view take_word(std::string_view* text) {
  const std::size_t end = std::min(text->find(' '), text->size());
  const std::string_view word = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  return word;
}

// host:port with an IPv6 host as Redis writes it, without brackets: the last colon counts.
std::optional<ServerAddress> parse_address(std::string_view text, const ServerAddress& from) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
  if (!port || *port == 0) return std::nullopt;
  const std::string_view host = text.substr(0, colon);
  if (host == "?") return std::nullopt;  // the node does not know either
  return ServerAddress{host.empty() ? from.host : std::string(host), *port};
}

}  // namespace

Redirect Redirect::parse(std::string_view error, const ServerAddress& from) {
  const std::string_view code = take_word(&error);
  if (code == "TRYAGAIN" || code == "CLUSTERDOWN") return {.kind = Kind::kTryLater};
  if (code != "MOVED" && code != "ASK") return {};
  const auto slot = parse_number<std::uint16_t>(take_word(&error));
  const auto address = parse_address(error, from);
  if (!slot || *slot >= kClusterSlots || !address) return {};
  return {code == "MOVED" ? Kind::kMoved : Kind::kAsk, *slot, *address};
}

bool replica_refuses(std::string_view error) {
  return error.starts_with("LOADING") || error.starts_with("MASTERDOWN");
}

}  // namespace llm_edge_cache::redis
