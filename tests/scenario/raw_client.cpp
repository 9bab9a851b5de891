#include "tests/scenario/raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

#include "http/headers.hpp"

namespace llm_edge_cache::test {

namespace {

constexpr timeval kPatience{.tv_sec = 20, .tv_usec = 0};
constexpr std::string_view kLineEnd = "\r\n";

std::optional<std::string> take_chunks(std::string_view& bytes) {
  std::string body;
  while (true) {
    const auto line = bytes.find(kLineEnd);
    if (line == std::string_view::npos) return std::nullopt;
    const auto size = std::strtoul(std::string(bytes.substr(0, line)).c_str(), nullptr, 16);
    const auto end = line + 2 + size + 2;
    if (bytes.size() < end) return std::nullopt;
    body += bytes.substr(line + 2, size);
    bytes.remove_prefix(end);
    if (size == 0) return body;
  }
}

}  // namespace

std::string Answer::field(std::string_view name) const {
  for (std::string_view rest = head; !rest.empty();) {
    const auto line = rest.substr(0, rest.find(kLineEnd));
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && http::equals_ignore_case(line.substr(0, colon), name)) {
      const auto value = line.find_first_not_of(' ', colon + 1);
      return value == std::string_view::npos ? "" : std::string(line.substr(value));
    }
    rest.remove_prefix(std::min(rest.size(), line.size() + 2));
  }
  return {};
}

RawClient::RawClient(const std::string& address) {
  const auto colon = address.rfind(':');
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    const int error = errno;
    ::close(socket_);
    throw std::system_error(error, std::generic_category(), "connect to " + address);
  }
}

RawClient::~RawClient() {
  ::close(socket_);
}

void RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the answer, or its absence, tells
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool RawClient::fill() {
  char buffer[16'384];
  const auto got = ::recv(socket_, buffer, sizeof buffer, 0);
  if (got <= 0) return false;
  unread_.append(buffer, static_cast<std::size_t>(got));
  return true;
}

void RawClient::wait_for_bytes() {
  if (unread_.empty()) fill();
}

std::size_t RawClient::read_bytes(std::size_t wanted) {
  std::size_t taken = 0;
  while (taken < wanted) {
    if (unread_.empty() && !fill()) break;
    taken += unread_.size();
    unread_.clear();
  }
  return taken;
}

bool RawClient::takes(std::string_view bytes) {
  while (unread_.size() < bytes.size()) {
    if (!fill()) return false;
  }
  if (!unread_.starts_with(bytes)) return false;
  unread_.erase(0, bytes.size());
  return true;
}

std::optional<Answer> RawClient::read_answer() {
  while (true) {
    const auto end = unread_.find("\r\n\r\n");
    if (end == std::string::npos) {
      if (!fill()) return std::nullopt;
      continue;
    }
    Answer answer;
    answer.head = unread_.substr(0, end + 2);
    answer.status = std::stoi(answer.head.substr(answer.head.find(' ') + 1));
    std::string_view rest = std::string_view(unread_).substr(end + 4);
    std::optional<std::string> body;
    if (answer.status == 204) {
      body = "";
    } else if (const auto length = answer.field("content-length"); !length.empty()) {
      const auto size = std::stoul(length);
      if (rest.size() >= size) {
        body = rest.substr(0, size);
        rest.remove_prefix(size);
      }
    } else {
      body = take_chunks(rest);
    }
    if (body) {
      answer.body = *std::move(body);
      unread_ = std::string(rest);
      return answer;
    }
    if (!fill()) return std::nullopt;
  }
}

bool RawClient::is_closed_by_server() {
  char byte = 0;
  const auto got = ::recv(socket_, &byte, 1, 0);
  return got == 0 || (got < 0 && errno == ECONNRESET);
}

std::string chat_request(std::string_view prompt, bool stream) {
  std::string body = R"({"model":"gpt-4o","messages":[{"role":"user","content":")";
  body.append(prompt).append(stream ? R"("}],"stream":true})" : R"("}]})");
  std::string request =
      "POST /v1/chat/completions HTTP/1.1\r\nHost: proxy\r\nContent-Type: application/json\r\n"
      "Authorization: Bearer sk-alice\r\nContent-Length: ";
  return request.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
}

Answer ask(const std::string& address, std::string_view request) {
  RawClient client(address);
  client.send(request);
  auto answer = client.read_answer();
  if (!answer) throw std::runtime_error("no answer from " + address);
  return *std::move(answer);
}

Answer ask_chat(const std::string& address, std::string_view prompt) {
  return ask(address, chat_request(prompt));
}

Answer get(const std::string& address, std::string_view path) {
  return ask(address,
             std::string("GET ").append(path).append(" HTTP/1.1\r\nHost: localhost\r\n\r\n"));
}

}  // namespace llm_edge_cache::test
