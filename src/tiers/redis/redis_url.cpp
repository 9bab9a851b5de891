#include "tiers/redis/redis_url.hpp"

#include <sys/un.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <system_error>

#include "base/parse_number.hpp"

namespace llm_edge_cache::redis {
namespace {

using Deployment = RedisUrl::Deployment;

constexpr std::string_view kUnixScheme = "redis+unix://";
constexpr std::uint16_t kSentinelPort = 26'379;

struct Scheme {
  std::string_view text;
  Deployment deployment;
  bool tls;
};
constexpr std::array<Scheme, 6> kTcpSchemes = {{
    {"redis://", Deployment::kServer, false},
    {"rediss://", Deployment::kServer, true},
    {"redis+cluster://", Deployment::kCluster, false},
    {"rediss+cluster://", Deployment::kCluster, true},
    {"redis+sentinel://", Deployment::kSentinel, false},
    {"rediss+sentinel://", Deployment::kSentinel, true},
}};
constexpr std::size_t kMaxSocketPath = sizeof(sockaddr_un::sun_path) - 1;

Error invalid(std::string_view what) {
  return {ErrorCode::kInvalidArgument, "redis URL: " + std::string(what)};
}

std::optional<int> hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    const auto high = i + 2 < text.size() ? hex_value(text[i + 1]) : std::nullopt;
    const auto low = i + 2 < text.size() ? hex_value(text[i + 2]) : std::nullopt;
    if (!high || !low || (*high == 0 && *low == 0)) return std::nullopt;
    decoded.push_back(static_cast<char>(*high * 16 + *low));
    i += 2;
  }
  return decoded;
}

// Takes "[user]:password@" off the front of the authority.
Status take_credentials(std::string_view* authority, RedisUrl* url) {
  const std::size_t at = authority->rfind('@');
  if (at == std::string_view::npos) return {};
  const std::string_view credentials = authority->substr(0, at);
  authority->remove_prefix(at + 1);
  const std::size_t colon = credentials.find(':');
  if (colon == std::string_view::npos) {
    return invalid("what is before '@' must be user:password or :password");
  }
  const auto user = percent_decode(credentials.substr(0, colon));
  const auto password = percent_decode(credentials.substr(colon + 1));
  if (!user) return invalid("the user is not percent-encoded correctly");
  if (!password) return invalid("the password is not percent-encoded correctly");
  if (password->empty()) return invalid("the password is empty");
  url->user = *user;
  url->password = *password;
  return {};
}

Status parse_host_and_port(std::string_view text, ServerAddress* server) {
  std::string_view port;
  bool has_port = false;
  if (!text.empty() && text[0] == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return invalid("the IPv6 host lacks its ']'");
    server->host = text.substr(1, close - 1);
    const std::string_view after = text.substr(close + 1);
    if (!after.empty() && after[0] != ':') return invalid("only a port may follow ']'");
    has_port = !after.empty();
    port = has_port ? after.substr(1) : after;
  } else {
    const std::size_t colon = text.find(':');
    server->host = text.substr(0, colon);
    has_port = colon != std::string_view::npos;
    if (has_port) port = text.substr(colon + 1);
    if (port.find(':') != std::string_view::npos) {
      return invalid("an IPv6 host must be in brackets");
    }
  }
  if (server->host.empty()) return invalid("the host is missing");
  if (!has_port) return {};
  server->port = parse_number<std::uint16_t>(port).value_or(0);
  return server->port == 0 ? invalid("the port must be 1 to 65535") : Status();
}

Status parse_servers(std::string_view text, RedisUrl* url) {
  url->servers.clear();
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    ServerAddress server;
    if (url->deployment == Deployment::kSentinel) server.port = kSentinelPort;
    if (Status status = parse_host_and_port(text.substr(start, end - start), &server); !status) {
      return status;
    }
    url->servers.push_back(std::move(server));
    start = end + 1;
  }
  if (url->deployment == Deployment::kServer && url->servers.size() > 1) {
    return invalid("only a cluster or sentinels have more than one host");
  }
  if (url->servers.size() > RedisUrl::kMaxServers) return invalid("more than 64 hosts");
  return {};
}

Status parse_database(std::string_view text, RedisUrl* url) {
  // Redis takes an int.
  constexpr std::uint32_t kMax = std::numeric_limits<std::int32_t>::max();
  const auto database = parse_number<std::uint32_t>(text);
  if (!database || *database > kMax) return invalid("the database must be a number");
  url->database = *database;
  return {};
}

// Takes the name in front of the database off a sentinel URL's path.
Status take_master(std::string_view* path, RedisUrl* url) {
  const std::size_t slash = std::min(path->find('/'), path->size());
  const auto master = percent_decode(path->substr(0, slash));
  if (!master) return invalid("the master's name is not percent-encoded correctly");
  if (master->empty()) return invalid("the master's name is missing: redis+sentinel://host/name");
  url->master = *master;
  path->remove_prefix(std::min(slash + 1, path->size()));
  return {};
}

Result<RedisUrl> parse_tcp(const Scheme& scheme, std::string_view text) {
  RedisUrl url;
  url.deployment = scheme.deployment;
  url.tls = scheme.tls;
  if (text.find_first_of("?#") != std::string_view::npos) {
    return invalid("it takes no query or fragment (percent-encode '?' and '#')");
  }
  const std::size_t slash = std::min(text.find('/'), text.size());
  std::string_view authority = text.substr(0, slash);
  std::string_view path = text.substr(std::min(slash + 1, text.size()));
  if (Status status = take_credentials(&authority, &url); !status) return status.error();
  if (Status status = parse_servers(authority, &url); !status) return status.error();
  if (url.deployment == Deployment::kSentinel) {
    if (Status status = take_master(&path, &url); !status) return status.error();
  }
  if (path.empty()) return url;
  if (Status status = parse_database(path, &url); !status) return status.error();
  if (url.deployment == Deployment::kCluster && url.database != 0) {
    return invalid("a cluster has no database but 0");
  }
  return url;
}

Result<RedisUrl> parse_unix(std::string_view text) {
  RedisUrl url;
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return invalid("the path of the unix socket is missing");
  std::string_view authority = text.substr(0, slash);
  if (Status status = take_credentials(&authority, &url); !status) return status.error();
  if (!authority.empty()) return invalid("redis+unix:// takes no host, only an absolute path");

  std::string_view path = text.substr(slash);
  if (const std::size_t query = path.find('?'); query != std::string_view::npos) {
    const std::string_view option = path.substr(query + 1);
    if (option.substr(0, 3) != "db=") return invalid("the only option of redis+unix:// is ?db=N");
    if (Status status = parse_database(option.substr(3), &url); !status) return status.error();
    path = path.substr(0, query);
  }
  const auto decoded = percent_decode(path);
  if (!decoded) return invalid("the path is not percent-encoded correctly");
  if (decoded->size() < 2) return invalid("the path of the unix socket is missing");
  if (decoded->size() > kMaxSocketPath) return invalid("the path is too long for a unix socket");
  url.servers = {{.host = {}, .port = 0, .path = *decoded}};
  return url;
}

const Scheme& scheme_of(const RedisUrl& url) {
  return *std::find_if(kTcpSchemes.begin(), kTcpSchemes.end(), [&](const Scheme& scheme) {
    return scheme.deployment == url.deployment && scheme.tls == url.tls;
  });
}

}  // namespace

std::string ServerAddress::to_string() const {
  if (is_unix_socket()) return path;
  const bool brackets = host.find(':') != std::string::npos;
  return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<RedisUrl> RedisUrl::parse(std::string_view text) {
  for (const Scheme& scheme : kTcpSchemes) {
    if (text.starts_with(scheme.text)) return parse_tcp(scheme, text.substr(scheme.text.size()));
  }
  if (text.starts_with(kUnixScheme)) return parse_unix(text.substr(kUnixScheme.size()));
  return invalid(
      "it must start with redis://, redis+unix://, redis+cluster:// or redis+sentinel://, or with "
      "rediss for TLS");
}

std::string RedisUrl::to_string() const {
  const bool is_socket = servers.front().is_unix_socket();
  std::string text(is_socket ? kUnixScheme : scheme_of(*this).text);
  if (!password.empty()) text.append(user).append(":***@");
  for (const ServerAddress& server : servers) {
    if (&server != &servers.front()) text += ',';
    text += server.to_string();
  }
  if (!master.empty()) text.append("/").append(master);
  if (database != 0) text.append(is_socket ? "?db=" : "/").append(std::to_string(database));
  return text;
}

}  // namespace llm_edge_cache::redis
