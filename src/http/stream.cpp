#include "http/stream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/error.hpp>
#include <cerrno>

namespace llm_edge_cache::http {
namespace {

constexpr int kKeepAliveIdleS = 60;
constexpr int kKeepAliveIntervalS = 15;
constexpr int kKeepAliveProbes = 4;

void set_option(int descriptor, int level, int name, int value) {
  (void)::setsockopt(descriptor, level, name, &value, sizeof value);
}

}  // namespace

void prepare_socket(int descriptor) {
  set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdleS);
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveIntervalS);
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
}

bool Stream::is_clean_end(IoError error) {
  return error == boost::asio::error::eof;
}

bool is_quiet_socket(int descriptor) {
  char byte = 0;
  const auto got = ::recv(descriptor, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace llm_edge_cache::http
