// Asks the members of an upstream group until one answers: http::Client with retries and failover.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "http/client.hpp"
#include "http/io_threads.hpp"
#include "llm_edge_cache/clock.hpp"
#include "proxy/caller.hpp"
#include "proxy/member_state.hpp"
#include "proxy/upstream_options.hpp"
#include "proxy/upstream_table.hpp"

namespace llm_edge_cache::proxy {

struct UpstreamShared;

struct UpstreamOrder {
  UpstreamTable::Index group = 0;
  http::RequestHead head;  // the client's, but for what is not meant for the upstream
  std::optional<http::SharedBytes> body;  // nullopt: streamed, and then nothing is tried twice
  bool is_repeatable = false;             // RetryPlan::Terms
  CallerPtr caller = {};                  // whose call it is; null: no tenant's
};

// Thread-safe.
class UpstreamClient {
 public:
  struct Options {
    http::ClientOptions http;
    RetryOptions retries;
  };

  // Throws as http::Client, and std::invalid_argument for bad retries. threads and table must
  // outlive the client.
  UpstreamClient(http::IoThreads& threads, const UpstreamTable& table, ClockPtr clock,
                 Options options);
  // Gives up what is under way, also what waits to be tried again; handlers hear nothing, or an
  // error. Not to be run on an I/O thread.
  ~UpstreamClient();
  UpstreamClient(const UpstreamClient&) = delete;
  UpstreamClient& operator=(const UpstreamClient&) = delete;

  // As http::Client::request. The handler hears of one attempt only, the one that counts.
  std::shared_ptr<http::ClientCall> request(http::IoThread& thread, UpstreamOrder order,
                                            std::shared_ptr<http::ResponseHandler> handler);

  // In the order of the table.
  [[nodiscard]] std::vector<UpstreamMemberReport> report() const;

 private:
  http::IoThreads& threads_;
  std::shared_ptr<UpstreamShared> shared_;
};

}  // namespace llm_edge_cache::proxy
