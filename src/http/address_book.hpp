// In which order a server's addresses are tried.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <vector>

#include "http/timer_wheel.hpp"

namespace llm_edge_cache::http {

using Endpoint = boost::asio::ip::tcp::endpoint;

// Remembers which addresses did not answer when another did, so that a dead one delays one
// connection and not each. Not thread-safe. Time is given by the caller.
class AddressBook {
 public:
  // After which a dead address may delay somebody again (RFC 6555, section 4.1).
  static constexpr std::chrono::minutes kRemembered{10};
  static constexpr std::size_t kMaxRemembered = 64;  // of them the latest

  // The order of the resolver, the families in turn (RFC 8305, section 4); what did not answer
  // comes last, for it may be all there is.
  [[nodiscard]] std::vector<Endpoint> order(const std::vector<Endpoint>& resolved,
                                            TimePoint now) const;
  void note_dead(const Endpoint& endpoint, TimePoint now);
  void note_alive(const Endpoint& endpoint);

 private:
  struct Dead {
    Endpoint endpoint;
    TimePoint since;
  };
  [[nodiscard]] bool is_dead(const Endpoint& endpoint, TimePoint now) const;

  std::vector<Dead> dead_;  // the latest at the end
};

}  // namespace llm_edge_cache::http
