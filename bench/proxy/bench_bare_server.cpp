// The least that a server can do: answers whatever arrives with the same bytes, without looking at
// it. What a load client reaches against it is what the client can do.
//
//   bench_bare_server PORT BODY_BYTES
//
// One thread; runs until a signal ends it. Every request must arrive in one piece, as those of the
// load clients do.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "bench/proxy/bare_sockets.hpp"

namespace llm_edge_cache::bench {
namespace {

void answer(int fd, const std::string& bytes) {
  std::array<char, 16'384> request;
  const auto got = ::recv(fd, request.data(), request.size(), 0);
  if (got <= 0 || ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) ::close(fd);
}

void serve(std::uint16_t port, const std::string& bytes) {
  const int listener = listen_on(port, "bench_bare_server");
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  watch(epoll, listener);
  std::array<epoll_event, 256> events;
  for (;;) {
    const int ready = ::epoll_wait(epoll, events.data(), events.size(), -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd != listener) {
        answer(fd, bytes);
      } else if (const int accepted = accept_one(listener); accepted >= 0) {
        watch(epoll, accepted);
      }
    }
  }
}

}  // namespace
}  // namespace llm_edge_cache::bench

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_bare_server PORT BODY_BYTES\n");
    return EXIT_FAILURE;
  }
  const std::size_t body_bytes = std::strtoul(argv[2], nullptr, 10);
  const std::string bytes = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body_bytes) +
                            "\r\n\r\n" + std::string(body_bytes, 'x');
  const auto port = static_cast<std::uint16_t>(std::strtoul(argv[1], nullptr, 10));
  llm_edge_cache::bench::serve(port, bytes);
}
