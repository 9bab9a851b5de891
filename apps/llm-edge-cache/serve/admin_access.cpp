#include "serve/admin_access.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/constant_time.hpp"
#include "http/headers.hpp"
#include "http/url.hpp"

namespace llm_edge_cache::app {

namespace {

bool is_address(const std::string& host) {
  boost::system::error_code error;
  (void)boost::asio::ip::make_address(host, error);
  return !error;
}

// A browser that was told that some name is our address sends that name.
bool is_own_name(const http::Headers& headers) {
  const auto host = headers.get("host");
  if (!host) return false;
  const bool has_port = host->find(':') != std::string_view::npos && host->back() != ']';
  const auto parsed =
      http::parse_host_port(has_port ? std::string(*host) : std::string(*host) + ":80");
  return parsed.ok() && (parsed->host == "localhost" || is_address(parsed->host));
}

bool is_json(std::string_view content_type) {
  const auto type = content_type.substr(0, content_type.find(';'));
  return http::equals_ignore_case(type, "application/json") ||
         http::equals_ignore_case(type, "application/x-ndjson");
}

Result<std::string> read_private(int file) {
  struct stat status{};
  if (::fstat(file, &status) != 0) return Error{ErrorCode::kIo, std::strerror(errno)};
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Error{ErrorCode::kIo, "others can read this token: chmod 600"};
  }
  std::string text(AdminAccess::kMaxTokenBytes + 1, '\0');
  const auto got = ::read(file, text.data(), text.size());
  if (got < 0) return Error{ErrorCode::kIo, std::strerror(errno)};
  text.resize(static_cast<std::size_t>(got));
  return text;
}

}  // namespace

Result<std::string> AdminAccess::load_token(const std::string& file) {
  const int in = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (in < 0) return Error{ErrorCode::kIo, file + ": " + std::strerror(errno)};
  auto text = read_private(in);
  ::close(in);
  if (!text) return Error{text.error().code, file + ": " + text.error().message};
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  if (text->size() < kMinTokenBytes || text->size() > kMaxTokenBytes) {
    return Error{ErrorCode::kInvalidArgument, file + ": a token has 16 to 4096 bytes"};
  }
  return text;
}

std::optional<AdminAccess::Refusal> AdminAccess::refuse(const http::RequestHead& head) const {
  if (head.path() == "/healthz" || head.path() == "/readyz") return std::nullopt;
  if (token_.empty() && !is_own_name(head.headers)) return Refusal{403, "foreign_host"};
  if (!token_.empty() && !has_token(head.headers)) return Refusal{401, "unauthorized"};
  if (head.method == "POST" && !is_json(head.headers.get("content-type").value_or(""))) {
    return Refusal{415, "content_type_is_not_json"};
  }
  return std::nullopt;
}

bool AdminAccess::has_token(const http::Headers& headers) const {
  constexpr std::string_view kScheme = "Bearer ";
  const auto value = headers.get("authorization").value_or("");
  return value.size() > kScheme.size() &&
         http::equals_ignore_case(value.substr(0, kScheme.size()), kScheme) &&
         constant_time_equal(value.substr(kScheme.size()), token_);
}

bool is_loopback(std::string_view listen) {
  const auto address = http::parse_host_port(listen);
  if (!address) return false;
  if (address->host == "localhost") return true;
  boost::system::error_code error;
  const auto parsed = boost::asio::ip::make_address(address->host, error);
  return !error && parsed.is_loopback();
}

}  // namespace llm_edge_cache::app
