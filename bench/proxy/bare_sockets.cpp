#include "bench/proxy/bare_sockets.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace llm_edge_cache::bench {
namespace {

constexpr int kBacklog = 1'024;
constexpr int kYes = 1;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void send_at_once(int socket) {
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &kYes, sizeof kYes);
}

}  // namespace

int listen_on(std::uint16_t port, const char* program) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &kYes, sizeof kYes);
  const sockaddr_in address = loopback(port);
  if (listener < 0 ||
      ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener, kBacklog) != 0) {
    std::perror(program);
    std::exit(EXIT_FAILURE);
  }
  return listener;
}

int accept_one(int listener) {
  const int accepted = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted >= 0) send_at_once(accepted);
  return accepted;
}

int connect_to(std::uint16_t port) {
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  if (made < 0 ||
      ::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (made >= 0) ::close(made);
    return -1;
  }
  ::fcntl(made, F_SETFL, O_NONBLOCK);
  send_at_once(made);
  return made;
}

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

}  // namespace llm_edge_cache::bench
