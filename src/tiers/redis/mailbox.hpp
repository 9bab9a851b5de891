// Operations handed from any thread to the one that runs an io_context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <vector>

#include "tiers/redis/operation_queue.hpp"

namespace llm_edge_cache::redis {

// Thread-safe but for construction and destruction. The context outlives it, and has run out of
// work when it is destroyed.
class Mailbox {
 public:
  static constexpr std::size_t kMaxQueued = 1U << 16U;
  using Item = OperationQueue::Item;
  // On the context's thread, with all that has come since the last time; it empties the vector.
  using Receive = std::function<void(std::vector<Item>&)>;

  Mailbox(boost::asio::io_context& context, Receive receive)
      : context_(context), receive_(std::move(receive)) {}

  // Fails the operation at once with kOverloaded where kMaxQueued wait, and with kCancelled once
  // closed.
  void send(Item item);
  void close() { queue_.close(); }
  // On the context's thread: receives what has come.
  void collect();

 private:
  boost::asio::io_context& context_;
  const Receive receive_;
  OperationQueue queue_{kMaxQueued};
  std::vector<Item> taken_;  // lends its storage
};

}  // namespace llm_edge_cache::redis
