// What a share of the keys goes through: one server or a cluster, from one I/O thread.
//
// Threads: start(), stop(), submit() and the observers from any; the rest on the thread that runs
// the io_context, which outlives the backend and has run out of work when it is destroyed.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "core/tier.hpp"
#include "tiers/redis/connection.hpp"
#include "tiers/redis/mailbox.hpp"

namespace llm_edge_cache::redis {

class Backend {
 public:
  using Order = Connection::Order;

  Backend(boost::asio::io_context& context, std::chrono::milliseconds operation_timeout);
  virtual ~Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  void start();
  // Fails all that is outstanding with kCancelled, and what is submitted from then on.
  void stop();
  // At once: the operation deadline runs from now on. Behind writes: the deadline is the caller's.
  void submit(OperationPtr operation, Order order);

  // False: what is submitted at once would fail at once.
  [[nodiscard]] virtual bool accepting() const = 0;
  [[nodiscard]] virtual BreakerState breaker() const = 0;
  // The servers that hold a part of the keyspace each, for operations to name; one that is
  // unnamed where there is but one.
  [[nodiscard]] virtual std::vector<std::optional<ServerAddress>> keyspaces() const = 0;
  // On the context's thread: calls it once some keyspaces are known, unless the backend ends
  // before.
  virtual void when_known(const std::function<void()>& told) { told(); }
  // Changes when keys may have changed servers.
  [[nodiscard]] virtual std::uint64_t keyspace_version() const { return 0; }

 protected:
  [[nodiscard]] boost::asio::io_context& context() { return context_; }
  [[nodiscard]] std::chrono::milliseconds operation_timeout() const { return operation_timeout_; }

 private:
  virtual void on_start() = 0;
  virtual void on_stop() = 0;
  // Takes the operations; the vector is emptied afterwards.
  virtual void receive(std::vector<Mailbox::Item>& items) = 0;

  boost::asio::io_context& context_;
  const std::chrono::milliseconds operation_timeout_;
  Mailbox mailbox_;
};

}  // namespace llm_edge_cache::redis
