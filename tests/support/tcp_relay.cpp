#include "tests/support/tcp_relay.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string_view>
#include <vector>

#include "tests/support/free_port.hpp"

namespace llm_edge_cache::test {

namespace {

constexpr int kLookEveryMs = 10;  // at the switches

int connect_to(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return socket;
  }
  ::close(socket);
  return -1;
}

// False when that side has ended, or the other takes no more.
bool pass_on(int from, int to) {
  std::array<char, 65'536> buffer;
  const auto got = ::recv(from, buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  for (std::string_view rest(buffer.data(), static_cast<std::size_t>(got)); !rest.empty();) {
    const auto sent = ::send(to, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

TcpRelay::TcpRelay(std::uint16_t to_port) : to_port_(to_port) {
  const auto listener = listen_on_loopback();
  listener_ = listener.socket;
  port_ = listener.port;
  thread_ = std::thread([this] { run(); });
}

TcpRelay::~TcpRelay() {
  stopping_ = true;
  thread_.join();
  ::close(listener_);
}

void TcpRelay::run() {
  std::vector<pollfd> sides;  // two by two: client, server
  while (!stopping_) {
    auto waited = sides;
    waited.push_back({listener_, POLLIN, 0});
    if (is_cut_) waited.clear();
    if (::poll(waited.data(), waited.size(), kLookEveryMs) <= 0 || is_cut_) continue;
    for (std::size_t i = sides.size(); i-- > 0;) {
      if (waited[i].revents == 0 || pass_on(sides[i].fd, sides[i ^ 1U].fd)) continue;
      const auto pair = sides.begin() + static_cast<std::ptrdiff_t>(i & ~1U);
      ::close(pair->fd);
      ::close(pair[1].fd);
      sides.erase(pair, pair + 2);
      i &= ~std::size_t{1};
    }
    if (waited.back().revents == 0) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    if (const int server = connect_to(to_port_); server >= 0) {
      sides.push_back({client, POLLIN, 0});
      sides.push_back({server, POLLIN, 0});
    } else {
      ::close(client);
    }
  }
  for (const auto& side : sides) ::close(side.fd);
}

}  // namespace llm_edge_cache::test
