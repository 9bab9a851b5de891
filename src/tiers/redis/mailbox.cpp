#include "tiers/redis/mailbox.hpp"

#include <boost/asio/post.hpp>

namespace llm_edge_cache::redis {

void Mailbox::send(Item item) {
  switch (queue_.push(item)) {
    case OperationQueue::Push::kFirst:
      boost::asio::post(context_, [this] { collect(); });
      return;
    case OperationQueue::Push::kQueued:
      return;
    case OperationQueue::Push::kFull:
      item.operation->fail({ErrorCode::kOverloaded, "redis: too many commands are queued"});
      return;
    case OperationQueue::Push::kClosed:
      item.operation->fail(shutting_down());
      return;
  }
}

void Mailbox::collect() {
  queue_.take(taken_);
  receive_(taken_);
  taken_.clear();
}

}  // namespace llm_edge_cache::redis
