// The work behind a flight for embeddings: the shared store for what memory lacks, a turn among the
// processes that share it, then one call to the upstream for what all lack. It belongs to no
// client.
#pragma once

#include <memory>
#include <optional>

#include "http/io_threads.hpp"
#include "proxy/cache_rules.hpp"
#include "proxy/embedding_batch.hpp"
#include "proxy/flight.hpp"
#include "proxy/proxy_services.hpp"
#include "proxy/request_directives.hpp"

namespace llm_edge_cache::proxy {

// An answer that is larger passes and is not stored.
inline constexpr std::size_t kMaxEmbeddingAnswerBytes = 128U << 20U;

struct EmbeddingOrder {
  std::shared_ptr<Flight> flight;
  std::shared_ptr<EmbeddingBatch> batch;  // the fetch's own from here on
  RequestDirectives directives;           // of the request that started the flight
  CachePolicy policy;                     // likewise
  std::optional<FlightKey> shared_as;     // the flight's place in the table, if it has one
  CallerPtr caller;                       // null: no tenant's
  http::RequestHead upstream_head;
  http::SharedBytes body;  // as the client sent it

  bool must_recheck_l1 = false;
  bool may_ask_l2 = false;
  bool may_store = false;
};

// On an I/O thread, which then makes the call. The flight ends in any case.
//
// An answer that is not what was asked for (a wrong count, wrong indices) passes as it is where the
// upstream was asked for everything; where it was asked for a part, it is asked for everything.
// Neither is stored.
void start_embedding_fetch(ServicesPtr services, http::IoThread& thread, EmbeddingOrder order);

}  // namespace llm_edge_cache::proxy
