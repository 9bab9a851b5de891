#include "tests/support/free_port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace llm_edge_cache::test {
namespace {

enum class Listens { kNo, kYes };

LoopbackListener bind_to_loopback(Listens listens) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool ok = socket >= 0 &&
                  ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                  (listens == Listens::kNo || ::listen(socket, SOMAXCONN) == 0) &&
                  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  if (!ok) {
    const int error = errno;
    if (socket >= 0) ::close(socket);
    throw std::system_error(error, std::generic_category(), "a port of 127.0.0.1");
  }
  return {socket, ntohs(address.sin_port)};
}

}  // namespace

std::uint16_t free_port() {
  const auto bound = bind_to_loopback(Listens::kNo);
  ::close(bound.socket);
  return bound.port;
}

LoopbackListener listen_on_loopback() {
  return bind_to_loopback(Listens::kYes);
}

}  // namespace llm_edge_cache::test
