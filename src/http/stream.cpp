#include "http/stream.hpp"

#include <boost/asio/error.hpp>

namespace llm_edge_cache::http {

bool Stream::is_clean_end(IoError error) {
  return error == boost::asio::error::eof;
}

}  // namespace llm_edge_cache::http
