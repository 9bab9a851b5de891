#include "proxy/cors_policy.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/parse_number.hpp"

namespace llm_edge_cache::proxy {
namespace {

constexpr std::string_view kPrefix = "access-control-";
// Of names that a page wants to send: more is no page's.
constexpr std::size_t kMaxAllowedHeadersBytes = 4 * 1024;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool consists_of(std::string_view text, std::string_view further) {
  return std::all_of(text.begin(), text.end(), [further](char c) {
    return is_lower_or_digit(c) || further.find(c) != std::string_view::npos;
  });
}

// In its brackets.
bool is_ipv6(std::string_view name) {
  return name.size() > 2 &&
         name.substr(1, name.size() - 2).find_first_not_of("0123456789abcdef:.") ==
             std::string_view::npos;
}

std::string_view flaw_of_port(std::string_view scheme, std::string_view port) {
  const auto number = parse_number<std::uint16_t>(port);
  if (!number || *number == 0 || port.front() == '0') return "its port is none";
  if ((scheme == "http" && port == "80") || (scheme == "https" && port == "443")) {
    return "browsers leave the port of the scheme out";
  }
  return {};
}

std::string_view flaw_of_host(std::string_view scheme, std::string_view host) {
  const bool has_brackets = host.starts_with('[');
  const auto end = has_brackets ? host.find(']') + 1 : host.find(':');  // npos + 1 is 0
  const auto name = host.substr(0, end);
  if (name.empty()) return "it has no host";
  if (has_brackets ? !is_ipv6(name) : !consists_of(name, "-._")) {
    return "its host has other characters than browsers write";
  }
  const auto rest = host.substr(name.size());
  if (rest.empty()) return {};
  return rest.size() > 1 && rest.front() == ':' ? flaw_of_port(scheme, rest.substr(1))
                                                : "its port is none";
}

// Empty where a browser can send it (RFC 6454, 6.2). Whatever could never match is an error: it
// would look like a page that is let in.
std::string_view flaw_of(std::string_view origin) {
  if (std::any_of(origin.begin(), origin.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) {
    return "browsers write it in lower case";
  }
  const auto colon = origin.find("://");
  if (colon == std::string_view::npos) return "it must be SCHEME://HOST[:PORT], or '*' alone";
  const auto scheme = origin.substr(0, colon);
  const auto host = origin.substr(colon + 3);
  if (scheme.empty() || scheme.front() < 'a' || !consists_of(scheme, "+-.")) {
    return "its scheme is none";
  }
  if (host.find_first_of("/?#@") != std::string_view::npos) {
    return "nothing goes before or after its host and port, no slash either";
  }
  if (host.find('*') != std::string_view::npos) return "each origin must be named, or '*' alone";
  return flaw_of_host(scheme, host);
}

// Every field is exposed, as providers do: SDKs read request ids, retry and rate fields,
// applications Cache-Status and Age. Nothing lets credentials (cookies) in, with which "*" would be
// a name like any other: a page sends its key as a field.
std::shared_ptr<const http::ExtraFields> fields_to(std::string_view origin) {
  auto fields = std::make_shared<http::ExtraFields>();
  fields->replaces = kPrefix;
  if (!origin.empty()) {
    fields->lines.add<"Access-Control-Allow-Origin">(origin);
    fields->lines.add<"Access-Control-Expose-Headers">("*");
  }
  if (origin != "*") fields->lines.add<"Vary">("Origin");
  return fields;
}

// The same whoever asks.
std::shared_ptr<const http::ExtraFields> without_permissions() {
  auto fields = std::make_shared<http::ExtraFields>();
  fields->replaces = kPrefix;
  return fields;
}

}  // namespace

CorsPolicy::CorsPolicy(const std::vector<std::string>& origins, Unnamed unnamed) {
  if (origins.empty()) {
    if (unnamed == Unnamed::kNobody) anybody_ = without_permissions();
    return;
  }
  allows_all_ = origins.front() == "*";
  anybody_ = fields_to(allows_all_ ? "*" : "");
  if (allows_all_) return;
  for (const auto& origin : origins) by_origin_.emplace(origin, fields_to(origin));
}

Status CorsPolicy::validate(const std::vector<std::string>& origins) {
  for (const auto& origin : origins) {
    if (origin == "*" && origins.size() == 1) continue;
    if (const auto flaw = flaw_of(origin); !flaw.empty()) {
      return Error{ErrorCode::kInvalidArgument,
                   "'" + origin + "' is no origin: " + std::string(flaw)};
    }
  }
  return {};
}

bool CorsPolicy::allows(std::string_view origin) const {
  return allows_all_ || by_origin_.contains(origin);
}

std::shared_ptr<const http::ExtraFields> CorsPolicy::fields_for(
    const http::RequestHead* head) const {
  if (by_origin_.empty() || head == nullptr) return anybody_;
  const auto origin = head->headers.get("origin");
  if (!origin) return anybody_;
  const auto found = by_origin_.find(*origin);
  return found == by_origin_.end() ? anybody_ : found->second;
}

void CorsPolicy::strip_vouched(http::Headers& request) const {
  if (const auto origin = request.get("origin"); origin && allows(*origin)) request.erase("origin");
}

bool is_preflight(const http::RequestHead& head) {
  return head.method == "OPTIONS" && head.headers.contains("origin") &&
         head.headers.contains("access-control-request-method");
}

void allow_preflight(http::Exchange& exchange) {
  http::FieldLines fields;
  fields.add<"Access-Control-Allow-Methods">("GET, HEAD, POST, PUT, PATCH, DELETE");
  const auto wanted = exchange.head().headers.get("access-control-request-headers").value_or("");
  bool are_names = !wanted.empty() && wanted.size() <= kMaxAllowedHeadersBytes;
  http::for_each_token(
      wanted, [&](std::string_view name) { are_names = are_names && http::is_field_name(name); });
  if (are_names) fields.add<"Access-Control-Allow-Headers">(wanted);
  fields.add<"Access-Control-Max-Age">("86400");  // browsers have bounds of their own
  // Some caches keep even these.
  fields.add<"Vary">("Access-Control-Request-Method, Access-Control-Request-Headers");
  exchange.respond(204, fields, {});
}

}  // namespace llm_edge_cache::proxy
