#include "http/head_rules.hpp"

#include <algorithm>
#include <cstring>

#include "http/url.hpp"

namespace llm_edge_cache::http {
namespace {

std::optional<ParseError> reject(std::uint16_t status, std::string_view detail) {
  return ParseError{status, std::string(detail)};
}

std::optional<ParseError> check_transfer_encoding(const Headers& headers, Version version) {
  const std::size_t count = headers.count("transfer-encoding");
  if (count == 0) return std::nullopt;
  if (headers.contains("content-length")) {
    return reject(400, "Transfer-Encoding and Content-Length exclude each other");
  }
  if (version == Version::kHttp10) return reject(400, "HTTP/1.0 has no Transfer-Encoding");
  if (count > 1) return reject(400, "there is more than one Transfer-Encoding");
  if (!equals_ignore_case(*headers.get("transfer-encoding"), "chunked")) {
    return reject(501, "the only Transfer-Encoding known here is chunked");
  }
  return std::nullopt;
}

std::optional<ParseError> check_content_length(const Headers& headers) {
  if (headers.count("content-length") > 1) {
    return reject(400, "there is more than one Content-Length");
  }
  return std::nullopt;
}

std::optional<ParseError> check_host(const RequestHead& head) {
  const std::size_t count = head.headers.count("host");
  if (count > 1) return reject(400, "there is more than one Host");
  if (count == 0) {
    if (head.version == Version::kHttp10) return std::nullopt;
    return reject(400, "there is no Host");
  }
  const std::string_view host = *head.headers.get("host");
  const bool plain = std::all_of(host.begin(), host.end(), [](char c) {
    return c > 0x20 && c < 0x7f && std::strchr(",/?#@\\\"<>", c) == nullptr;
  });
  return plain ? std::nullopt : reject(400, "Host is not a host with an optional port");
}

std::optional<ParseError> to_origin_form(RequestHead& head) {
  const std::size_t authority_at = head.target.find("://") + 3;
  const std::size_t authority_end =
      std::min(head.target.find_first_of("/?", authority_at), head.target.size());
  const std::string authority = head.target.substr(authority_at, authority_end - authority_at);
  const std::string scheme = head.target.substr(0, authority_at - 3);
  if (!equals_ignore_case(scheme, "http") && !equals_ignore_case(scheme, "https")) {
    return reject(400, "the target's scheme is neither http nor https");
  }
  if (!equals_ignore_case(authority, head.headers.get("host").value_or(authority))) {
    return reject(400, "the target and Host name different hosts");
  }
  head.target.erase(0, authority_end);
  if (!head.target.starts_with('/')) head.target.insert(0, 1, '/');
  return std::nullopt;
}

std::optional<ParseError> check_target(RequestHead& head) {
  if (head.method == "CONNECT") return reject(501, "CONNECT is not supported");
  const bool printable = std::all_of(head.target.begin(), head.target.end(),
                                     [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
  if (!printable) return reject(400, "the target has a character that must be percent-encoded");
  if (head.target.starts_with('/')) return std::nullopt;
  if (head.target == "*") {
    return head.method == "OPTIONS" ? std::nullopt : reject(400, "the target * is for OPTIONS");
  }
  if (head.target.find("://") != std::string::npos) return to_origin_form(head);
  return reject(400, "the target is neither a path nor a URL");
}

}  // namespace

void HeadScanner::start() {
  *this = HeadScanner();
}

// Looks at the bytes around line ends only; what lies between them is searched for others at once.
bool HeadScanner::scan(std::string_view bytes) {
  if (bytes.find('\0') != std::string_view::npos) return false;
  while (!bytes.empty()) {
    const char first = bytes.front();
    if (previous_ == '\r' && first != '\n') return false;
    if (first == '\n') {
      if (previous_ != '\r') return false;
      bytes.remove_prefix(1);
      after_line_end_ = true;
      previous_ = first;
      continue;
    }
    if (after_line_end_ && in_line_ && (first == ' ' || first == '\t')) return false;
    const std::string_view line = bytes.substr(0, bytes.find('\r'));
    if (line.find('\n') != std::string_view::npos) return false;
    in_line_ = in_line_ || !line.empty();
    after_line_end_ = false;
    const bool ends = line.size() < bytes.size();
    previous_ = ends ? '\r' : line.back();
    bytes.remove_prefix(line.size() + (ends ? 1 : 0));
  }
  return true;
}

std::optional<ParseError> check_request_head(RequestHead& head) {
  if (auto error = check_content_length(head.headers)) return error;
  if (auto error = check_transfer_encoding(head.headers, head.version)) return error;
  if (auto error = check_host(head)) return error;
  return check_target(head);
}

std::optional<ParseError> check_response_head(const ResponseHead& head) {
  if (auto error = check_content_length(head.headers)) return error;
  return check_transfer_encoding(head.headers, head.version);
}

}  // namespace llm_edge_cache::http
