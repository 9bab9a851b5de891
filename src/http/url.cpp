#include "http/url.hpp"

#include <algorithm>
#include <utility>

#include "base/parse_number.hpp"
#include "http/headers.hpp"

namespace llm_edge_cache::http {
namespace {

Error bad(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

// before 'text' after. Appended piece by piece: g++ 12 warns falsely about operator+ here.
Error bad(std::string_view before, std::string_view text, std::string_view after) {
  std::string message;
  message.append(before).append("'").append(text).append("'").append(after);
  return bad(std::move(message));
}

bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

bool is_address_char(char c) {
  return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == ':' ||
         c == '.';
}

Result<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_number<std::uint16_t>(text);
  if (!port) return bad("port ", text, " is not a number from 0 to 65535");
  return *port;
}

struct Authority {
  std::string host;
  std::string_view port;  // without colon; no value when there was none
  bool has_port = false;
};

Result<Authority> split_authority(std::string_view text) {
  Authority authority;
  std::string_view host;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return bad("'[' without ']' in ", text, "");
    host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
    if (host.empty() || !std::all_of(host.begin(), host.end(), is_address_char)) {
      return bad("", host, " is not an IPv6 address");
    }
  } else {
    const std::size_t colon = text.find(':');
    host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
    if (!std::all_of(host.begin(), host.end(), is_host_char)) {
      return bad("", host, " is not a host name");
    }
  }
  if (!rest.empty() && rest.front() != ':') return bad("no ':' before the port");
  authority.has_port = !rest.empty();
  authority.port = rest.substr(rest.empty() ? 0 : 1);
  authority.host = host;
  std::transform(authority.host.begin(), authority.host.end(), authority.host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return authority;
}

std::uint16_t default_port(Scheme scheme) {
  return scheme == Scheme::kHttps ? 443 : 80;
}

Result<Origin> parse_origin(Scheme scheme, std::string_view text) {
  Result<Authority> authority = split_authority(text);
  if (!authority.ok()) return authority.error();
  if (authority->host.empty()) return bad("the URL has no host");
  Origin origin{scheme, authority->host, default_port(scheme)};
  if (authority->has_port) {
    const Result<std::uint16_t> port = parse_port(authority->port);
    if (!port.ok()) return port.error();
    if (*port == 0) return bad("port 0 cannot be connected to");
    origin.port = *port;
  }
  return origin;
}

}  // namespace

std::string Origin::authority() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  std::string text(is_ipv6 ? "[" : "");
  text.append(host).append(is_ipv6 ? "]" : "");
  if (port != default_port(scheme)) text.append(":").append(std::to_string(port));
  return text;
}

Result<Url> parse_url(std::string_view text) {
  const std::size_t separator = text.find("://");
  const std::string_view scheme_text = text.substr(0, separator);
  Scheme scheme = Scheme::kHttp;
  if (separator == std::string_view::npos) return bad("a URL begins with http:// or https://");
  if (equals_ignore_case(scheme_text, "https")) {
    scheme = Scheme::kHttps;
  } else if (!equals_ignore_case(scheme_text, "http")) {
    return bad("scheme ", scheme_text, " is neither http nor https");
  }
  const std::string_view rest = text.substr(separator + 3);
  if (rest.find_first_of("?#") != std::string_view::npos) {
    return bad("the URL must not have a query or a fragment");
  }
  const std::size_t slash = rest.find('/');
  const std::string_view authority = rest.substr(0, slash);
  if (authority.find('@') != std::string_view::npos) {
    return bad("the URL must not have user info; set credentials where they belong");
  }
  Result<Origin> origin = parse_origin(scheme, authority);
  if (!origin.ok()) return origin.error();
  std::string path(slash == std::string_view::npos ? std::string_view() : rest.substr(slash));
  if (!std::all_of(path.begin(), path.end(), [](char c) { return c > 0x20 && c < 0x7f; })) {
    return bad("the path of the URL has a character that must be percent-encoded");
  }
  while (path.ends_with('/')) path.pop_back();
  return Url{std::move(*origin), std::move(path)};
}

std::string without_user_info(std::string_view url) {
  const auto scheme = url.find("://");
  const auto from = scheme == std::string_view::npos ? 0 : scheme + 3;
  const auto at = url.rfind('@');
  if (at == std::string_view::npos || at < from) return std::string(url);
  return std::string(url.substr(0, from)) + "***" + std::string(url.substr(at));
}

Result<HostPort> parse_host_port(std::string_view text) {
  Result<Authority> authority = split_authority(text);
  if (!authority.ok()) return authority.error();
  if (!authority->has_port) return bad("", text, " has no port");
  const Result<std::uint16_t> port = parse_port(authority->port);
  if (!port.ok()) return port.error();
  return HostPort{std::move(authority->host), *port};
}

}  // namespace llm_edge_cache::http
