#include "proxy/upstream_request.hpp"

#include "proxy/request_directives.hpp"

namespace llm_edge_cache::proxy {

http::RequestHead upstream_head(const http::RequestHead& client_head, const CorsPolicy& cors) {
  http::RequestHead head;
  head.method = client_head.method;
  head.target = client_head.target;
  head.headers = client_head.headers;
  http::strip_hop_by_hop(head.headers);
  head.headers.erase("host");
  head.headers.erase("expect");
  cors.strip_vouched(head.headers);
  strip_own_directives(head.headers);
  return head;
}

http::RequestHead recorded_upstream_head(const http::RequestHead& client_head,
                                         const CorsPolicy& cors) {
  auto head = upstream_head(client_head, cors);
  strip_request_directives(head.headers);
  head.headers.erase("content-length");
  head.headers.set("Accept-Encoding", "identity");
  // A part of an answer, or none because the client has it already, is not what is asked for here.
  for (const auto* name : {"range", "if-range", "if-none-match", "if-modified-since", "if-match",
                           "if-unmodified-since"}) {
    head.headers.erase(name);
  }
  return head;
}

}  // namespace llm_edge_cache::proxy
