#include "http/stream.hpp"

#include <sys/socket.h>

#include <cerrno>

#include <boost/asio/error.hpp>

namespace llm_edge_cache::http {

bool Stream::is_clean_end(IoError error) {
  return error == boost::asio::error::eof;
}

bool is_quiet_socket(int descriptor) {
  char byte = 0;
  const auto got = ::recv(descriptor, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace llm_edge_cache::http
