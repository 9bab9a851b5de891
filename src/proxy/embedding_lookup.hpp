// What the shared store has of a batch.
#pragma once

#include <functional>
#include <memory>

#include "http/io_threads.hpp"
#include "proxy/embedding_batch.hpp"
#include "proxy/proxy_services.hpp"
#include "proxy/request_directives.hpp"

namespace llm_edge_cache::proxy {

// Asks the shared store for what the batch misses, on whatever thread; done is called on `thread`.
void look_up_missing(ServicesPtr services, http::IoThread& thread,
                     std::shared_ptr<EmbeddingBatch> batch, RequestDirectives directives,
                     std::function<void()> done);

}  // namespace llm_edge_cache::proxy
