// The competitor: GET by hiredis, one at a time and pipelined.
#pragma once

#include <hiredis/hiredis.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace llm_edge_cache::bench {

class HiredisClient {
 public:
  explicit HiredisClient(std::uint16_t port);

  // Bytes of the value; throws where there is none.
  std::size_t get(const std::string& key);
  // Asks for all keys with `window` commands outstanding; the sum of the values' bytes.
  std::size_t get_pipelined(const std::vector<std::string>& keys, std::size_t requests,
                            std::size_t window);

 private:
  struct Free {
    void operator()(redisContext* context) const { ::redisFree(context); }
  };
  std::size_t read_value();

  std::unique_ptr<redisContext, Free> context_;
};

}  // namespace llm_edge_cache::bench
