// The work behind a flight: the shared store first, then, where several proxies share it, a turn
// among them, then the upstream. It belongs to no client: who
// asked first may hang up.
#pragma once

#include <memory>

#include "http/io_threads.hpp"
#include "proxy/flight.hpp"
#include "proxy/proxy_services.hpp"
#include "proxy/request_directives.hpp"
#include "proxy/upstream_call.hpp"

namespace llm_edge_cache::proxy {

struct FetchOrder {
  std::shared_ptr<Flight> flight;
  KeyedRequest request;
  const Dialect* dialect = nullptr;
  // Of the request that started the flight: what it may be given.
  RequestDirectives directives;
  CachePolicy policy;
  std::optional<Recording> recording;  // empty: the answer only passes
  CallerPtr caller;                    // null: no tenant's
  http::RequestHead upstream_head;
  http::SharedBytes body;

  bool must_recheck_l1 = false;  // something landed between its lookup and the flight's start
  bool may_ask_l2 = false;
};

// On an I/O thread, which then makes the call. The flight ends in any case.
void start_fetch(ServicesPtr services, http::IoThread& thread, FetchOrder order);

}  // namespace llm_edge_cache::proxy
