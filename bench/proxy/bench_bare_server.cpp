// The least that a server can do: answers whatever arrives with the same bytes, without looking at
// it. What a load client reaches against it is what the client can do.
//
//   bench_bare_server PORT BODY_BYTES
//
// One thread; runs until a signal ends it. Every request must arrive in one piece, as those of the
// load clients do.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

int listen_on(std::uint16_t port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (listener < 0 ||
      ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener, 1'024) != 0) {
    std::perror("bench_bare_server");
    std::exit(EXIT_FAILURE);
  }
  return listener;
}

void add(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

void accept_one(int epoll, int listener) {
  const int accepted = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted < 0) return;
  const int yes = 1;
  ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  add(epoll, accepted);
}

void answer(int fd, const std::string& bytes) {
  std::array<char, 16'384> request;
  const auto got = ::recv(fd, request.data(), request.size(), 0);
  if (got <= 0 || ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) ::close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_bare_server PORT BODY_BYTES\n");
    return EXIT_FAILURE;
  }
  const std::size_t body_bytes = std::strtoul(argv[2], nullptr, 10);
  const std::string bytes = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body_bytes) +
                            "\r\n\r\n" + std::string(body_bytes, 'x');
  const int listener = listen_on(static_cast<std::uint16_t>(std::strtoul(argv[1], nullptr, 10)));
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  add(epoll, listener);
  std::array<epoll_event, 256> events;
  for (;;) {
    const int ready = ::epoll_wait(epoll, events.data(), events.size(), -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener) {
        accept_one(epoll, listener);
      } else {
        answer(fd, bytes);
      }
    }
  }
}
