#include "bench/redis/hiredis_client.hpp"

#include <stdexcept>

namespace llm_edge_cache::bench {
namespace {

std::size_t size_of(redisReply* reply) {
  if (reply == nullptr || reply->type != REDIS_REPLY_STRING) throw std::runtime_error("no value");
  const std::size_t size = reply->len;
  ::freeReplyObject(reply);
  return size;
}

}  // namespace

HiredisClient::HiredisClient(std::uint16_t port) : context_(::redisConnect("127.0.0.1", port)) {
  if (context_ == nullptr || context_->err != 0) throw std::runtime_error("cannot connect");
}

std::size_t HiredisClient::get(const std::string& key) {
  return size_of(
      static_cast<redisReply*>(::redisCommand(context_.get(), "GET %b", key.data(), key.size())));
}

std::size_t HiredisClient::read_value() {
  void* reply = nullptr;
  ::redisGetReply(context_.get(), &reply);
  return size_of(static_cast<redisReply*>(reply));
}

std::size_t HiredisClient::get_pipelined(const std::vector<std::string>& keys, std::size_t requests,
                                         std::size_t window) {
  std::size_t bytes = 0;
  for (std::size_t sent = 0; sent < requests; sent += window) {
    for (std::size_t i = 0; i < window; ++i) {
      const std::string& key = keys[(sent + i) % keys.size()];
      ::redisAppendCommand(context_.get(), "GET %b", key.data(), key.size());
    }
    for (std::size_t i = 0; i < window; ++i) bytes += read_value();
  }
  return bytes;
}

}  // namespace llm_edge_cache::bench
