#include "tests/support/raw_server.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "tests/support/free_port.hpp"

namespace llm_edge_cache::test {

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

// Length of the message that `bytes` begin with; nothing while it is not whole.
std::optional<std::size_t> message_length(const std::string& bytes) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string::npos) return std::nullopt;
  const auto head = lower(std::string_view(bytes).substr(0, end + 2));
  auto length = end + 4;
  if (head.find("\r\ntransfer-encoding: chunked\r\n") != std::string::npos) {
    const auto last = bytes.find("0\r\n\r\n", length);
    return last == std::string::npos ? std::nullopt : std::optional(last + 5);
  }
  constexpr std::string_view kLength = "\r\ncontent-length: ";
  if (const auto at = head.find(kLength); at != std::string::npos) {
    length += std::stoul(head.substr(at + kLength.size()));
  }
  return bytes.size() < length ? std::nullopt : std::optional(length);
}

}  // namespace

std::optional<std::string> RawPeer::read_request() {
  while (true) {
    if (const auto length = message_length(unread_)) {
      auto request = unread_.substr(0, *length);
      unread_.erase(0, *length);
      return request;
    }
    if (!fill()) return std::nullopt;
  }
}

bool RawPeer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string RawPeer::read_to_end() {
  while (fill()) {
  }
  return std::exchange(unread_, {});
}

bool RawPeer::fill() {
  std::array<char, 65'536> buffer;
  const auto got = ::recv(socket_, buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  unread_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

RawServer::RawServer(Script script) : script_(std::move(script)) {
  const auto listener = listen_on_loopback();
  listener_ = listener.socket;
  port_ = listener.port;
  thread_ = std::thread([this] { accept_all(); });
}

RawServer::~RawServer() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const auto& connection : open_) ::shutdown(connection.socket, SHUT_RDWR);
  }
  for (auto& connection : open_) {
    connection.thread.join();
    ::close(connection.socket);
  }
  ::close(listener_);
}

void RawServer::accept_all() {
  while (!stopping_) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      return;
    }
    ++connections_;
    const std::lock_guard lock(mutex_);
    open_.push_back({socket, std::thread([this, socket] {
                       RawPeer peer(socket);
                       script_(peer);
                       ::shutdown(socket, SHUT_RDWR);
                     })});
  }
}

std::string http_answer(std::string_view body, std::string_view content_type,
                        std::string_view more_fields) {
  std::string answer = "HTTP/1.1 200 OK\r\nContent-Type: ";
  return answer.append(content_type)
      .append("\r\nContent-Length: ")
      .append(std::to_string(body.size()))
      .append("\r\n")
      .append(more_fields)
      .append("\r\n")
      .append(body);
}

}  // namespace llm_edge_cache::test
