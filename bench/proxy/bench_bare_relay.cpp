// The least that a proxy can do: passes on what arrives, either way, without looking at it. What it
// adds to a direct call is what the system takes for two more sockets and a thread that is woken.
//
//   bench_bare_relay PORT PROVIDER_PORT
//
// One thread; runs until a signal ends it. What a socket does not take at once ends its connection:
// requests and answers must be smaller than a socket's buffer.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <unordered_map>

#include "bench/proxy/bare_sockets.hpp"

namespace llm_edge_cache::bench {
namespace {

class Relay {
 public:
  Relay(std::uint16_t port, std::uint16_t provider_port)
      : provider_port_(provider_port), listener_(listen_on(port, "bench_bare_relay")) {
    watch(epoll_, listener_);
  }

  [[noreturn]] void run() {
    for (;;) {
      epoll_event event{};
      if (::epoll_wait(epoll_, &event, 1, -1) != 1) continue;
      if (event.data.fd == listener_) {
        begin();
      } else {
        pass_on(event.data.fd);
      }
    }
  }

 private:
  void begin() {
    const int client = accept_one(listener_);
    if (client < 0) return;
    const int provider = connect_to(provider_port_);
    if (provider < 0) {
      ::close(client);
      return;
    }
    peers_[client] = provider;
    peers_[provider] = client;
    watch(epoll_, client);
    watch(epoll_, provider);
  }

  void pass_on(int from) {
    const int peer = peers_.at(from);
    const auto got = ::recv(from, bytes_.data(), bytes_.size(), 0);
    if (got > 0 &&
        ::send(peer, bytes_.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) == got) {
      return;
    }
    for (const int fd : {from, peer}) {
      peers_.erase(fd);
      ::close(fd);
    }
  }

  const std::uint16_t provider_port_;
  const int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  const int listener_;
  std::unordered_map<int, int> peers_;
  std::array<char, 65'536> bytes_;
};

std::uint16_t port_in(const char* text) {
  return static_cast<std::uint16_t>(std::strtoul(text, nullptr, 10));
}

}  // namespace
}  // namespace llm_edge_cache::bench

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_bare_relay PORT PROVIDER_PORT\n");
    return EXIT_FAILURE;
  }
  using namespace llm_edge_cache::bench;
  static Relay relay(port_in(argv[1]), port_in(argv[2]));
  relay.run();
}
