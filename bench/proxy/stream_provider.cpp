#include "bench/proxy/stream_provider.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <system_error>

namespace llm_edge_cache::bench {
namespace {

constexpr std::string_view kHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
constexpr std::string_view kEndMark = "data: [DONE]\n\n";

std::string chunk(std::string_view data) {
  std::array<char, 24> size;
  std::snprintf(size.data(), size.size(), "%zx\r\n", data.size());
  return std::string(size.data()) + std::string(data) + "\r\n";
}

bool is_whole_request(std::string_view bytes) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return false;
  constexpr std::string_view kField = "\r\ncontent-length:";
  for (std::size_t at = 0; at < end; ++at) {
    if (::strncasecmp(bytes.data() + at, kField.data(), kField.size()) != 0) continue;
    const auto body = std::strtoull(bytes.data() + at + kField.size(), nullptr, 10);
    return bytes.size() >= end + 4 + body;
  }
  return false;
}

}  // namespace

StreamProvider::StreamProvider(std::uint16_t port)
    : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  const int yes = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_, 64) != 0) {
    const int error = errno;
    ::close(listener_);
    throw std::system_error(error, std::generic_category(), "the provider's port");
  }
  socklen_t size = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
}

StreamProvider::~StreamProvider() {
  ::close(listener_);
}

bool StreamProvider::poll() {
  const int accepted = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (accepted >= 0) {
    peers_.push_back({.connection = Connection::adopt(accepted, Connection::Mode::kNonBlocking)});
  }
  std::array<char, 16'384> bytes;
  for (auto peer = peers_.begin(); peer != peers_.end();) {
    const auto got = ::recv(peer->connection.fd(), bytes.data(), bytes.size(), 0);
    if (got > 0) {
      peer->received.append(bytes.data(), static_cast<std::size_t>(got));
      if (is_whole_request(peer->received)) {
        peer->received.clear();
        asking_ = &*peer;
        return true;
      }
    }
    const bool is_gone = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
    peer = is_gone ? peers_.erase(peer) : std::next(peer);
  }
  return false;
}

std::string StreamProvider::event(std::size_t index, std::size_t count) {
  const bool is_last = index + 1 == count;
  std::string text =
      R"(data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,)"
      R"("model":"gpt-4o","choices":[{"index":0,"delta":{)";
  if (index == 0) text += R"("role":"assistant",)";
  text += R"("content":" word"},"finish_reason":)";
  text += is_last ? "\"stop\"}]}\n\n" : "null}]}\n\n";
  if (is_last) text += kEndMark;
  return text;
}

void StreamProvider::write(std::size_t index, std::size_t count) {
  std::string bytes = chunk(event(index, count));
  if (index == 0) bytes.insert(0, kHead);
  if (index + 1 == count) bytes += chunk({});
  asking_->connection.send(bytes);
}

}  // namespace llm_edge_cache::bench
