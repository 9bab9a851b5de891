#include "proxy/cached_fetch.hpp"

#include <utility>

#include "proxy/fleet_turns.hpp"

namespace llm_edge_cache::proxy {
namespace {

class CachedFetch : public std::enable_shared_from_this<CachedFetch> {
 public:
  CachedFetch(ServicesPtr services, http::IoThread& thread, FetchOrder order)
      : services_(std::move(services)),
        thread_(thread),
        order_(std::move(order)),
        turns_(services_->cache, thread) {}

  void start() {
    if (order_.must_recheck_l1 && end_with(services_->cache.lookup_l1(order_.request.key))) {
      return;
    }
    if (!order_.may_ask_l2 || !services_->cache.has_l2()) {
      call_upstream();
      return;
    }
    ask_l2();
  }

 private:
  void ask_l2() {
    services_->cache.lookup_l2(order_.request.key, {}, [self = shared_from_this()](LookedUp found) {
      if (self->thread_.is_current()) {
        self->after_l2(std::move(found));
      } else {
        self->thread_.post([self, found = std::move(found)] { self->after_l2(found); });
      }
    });
  }

  void after_l2(LookedUp found) {
    if (end_with(std::move(found))) {
      turns_.note_found();
    } else if (shares_its_answer()) {
      turns_.take(order_.request.key, [self = shared_from_this()](FleetTurns::Next next) {
        if (next == FleetTurns::Next::kAskStore) {
          self->ask_l2();
        } else {
          self->call_upstream();
        }
      });
    } else {
      call_upstream();
    }
  }

  // What nobody else may have, or is not kept, nobody else need wait for.
  [[nodiscard]] bool shares_its_answer() const {
    return order_.recording && order_.recording->shared_as;
  }

  // True where the flight ends with what was found.
  bool end_with(LookedUp found) {
    auto answer = make_served_answer(found, {.directives = order_.directives,
                                             .policy = order_.policy,
                                             .wish = order_.request.wish,
                                             .dialect = *order_.dialect,
                                             .adapted = services_->adapted,
                                             .now_ms = services_->clock->now_ms()});
    if (!answer) {
      order_.flight->offer_fallback(std::move(found.entry));
      return false;
    }
    if (order_.recording && order_.recording->shared_as) {
      services_->flights.remove(*order_.recording->shared_as, *order_.flight);
    }
    order_.flight->end({.kind = FlightEnding::Kind::kFound, .found = std::move(answer)});
    return true;
  }

  void call_upstream() {
    const auto call = std::make_shared<UpstreamCall>(services_, thread_, order_.flight,
                                                     std::move(order_.recording), turns_.release());
    call->start({.group = order_.request.upstream,
                 .head = std::move(order_.upstream_head),
                 .body = std::move(order_.body),
                 .is_repeatable = true,
                 .caller = std::move(order_.caller)});
  }

  const ServicesPtr services_;
  http::IoThread& thread_;
  FetchOrder order_;
  FleetTurns turns_;
};

}  // namespace

void start_fetch(ServicesPtr services, http::IoThread& thread, FetchOrder order) {
  std::make_shared<CachedFetch>(std::move(services), thread, std::move(order))->start();
}

}  // namespace llm_edge_cache::proxy
