#include "proxy/cache_flow.hpp"

#include <string>
#include <utility>

#include "proxy/cache_decision.hpp"
#include "proxy/cached_fetch.hpp"
#include "proxy/flight_follower.hpp"
#include "proxy/pass_through.hpp"
#include "proxy/proxy_error.hpp"
#include "proxy/upstream_request.hpp"

namespace llm_edge_cache::proxy {
namespace {

class CacheFlow : public std::enable_shared_from_this<CacheFlow> {
 public:
  CacheFlow(ServicesPtr services, std::shared_ptr<http::Exchange> exchange, const Dialect& dialect)
      : services_(std::move(services)), exchange_(std::move(exchange)), dialect_(dialect) {}

  void start() {
    auto directives = parse_request_directives(exchange_->head().headers);
    if (!directives.ok()) {
      refuse(directive_error(directives.error()), LookupOutcome::kBypass);
      return;
    }
    directives_ = std::move(*directives);
    plan_ = plan_request(directives_);
    exchange_->read_body(services_->options.max_request_bytes,
                         [self = shared_from_this()](Result<std::string> body) {
                           if (body.ok()) {  // else the server has answered
                             self->on_body(std::move(*body));
                           }
                         });
  }

 private:
  void on_body(std::string body) {
    auto keyed = services_->keyer.key_of(dialect_, exchange_->head(), directives_.name_space, body);
    body_ = http::SharedBytes(std::move(body));
    if (!keyed.ok()) {
      pass_through_recorded_path(services_, exchange_, dialect_, body_);
      return;
    }
    request_ = *keyed;
    if (plan_.may_look_up) {
      landings_ = services_->flights.landings(request_.key);
      if (serve(services_->cache.lookup_l1(request_.key))) {
        return;
      }
    }
    if (!plan_.may_call_upstream) {
      look_up_l2_only();
    } else if (plan_.may_share_flight) {
      board_flight();
    } else {
      fly_alone({.may_ask_l2 = plan_.may_look_up});
    }
  }

  // False where what was found is not an answer to this request.
  bool serve(LookedUp found) {
    if (!found.is_hit()) {
      return false;
    }
    const auto now_ms = services_->clock->now_ms();
    const auto answer = make_served_answer(std::move(found), {.directives = directives_,
                                                              .wish = request_.wish,
                                                              .dialect = dialect_,
                                                              .adapted = services_->adapted,
                                                              .now_ms = now_ms});
    if (answer) {
      send(*answer, now_ms);
    }
    return answer.has_value();
  }

  void send(const ServedAnswer& answer, UnixMillis now_ms) {
    const auto& response = answer.entry->response;
    services_->metrics.count_request(answer.outcome);
    services_->metrics.count_tokens_saved(response.model,
                                          response.tokens ? response.tokens->total_tokens : 0);
    respond_served(*exchange_, answer, request_.key, now_ms);
  }

  void look_up_l2_only() {
    if (!plan_.may_look_up) {
      refuse(not_cached_error(), LookupOutcome::kBypass);
      return;
    }
    services_->cache.lookup_l2(request_.key, {}, [self = shared_from_this()](LookedUp found) {
      self->exchange_->post([self, found = std::move(found)] {
        if (!self->serve(found)) {
          self->refuse(not_cached_error(), LookupOutcome::kMiss);
        }
      });
    });
  }

  void board_flight() {
    const FlightKey key{request_.key, request_.wish, directives_.ttl_ms};
    for (;;) {
      const auto boarding = services_->flights.join_or_start(key, landings_, flight_options());
      const auto outcome = boarding.is_new ? LookupOutcome::kMiss : LookupOutcome::kCoalesced;
      const auto follower = make_follower(outcome);
      if (!follower->join(boarding.flight)) {
        services_->flights.remove(key, *boarding.flight);
        continue;
      }
      if (boarding.is_new) {
        auto order = make_order(boarding.flight, key);
        order.must_recheck_l1 = boarding.must_recheck;
        order.may_ask_l2 = true;
        start_fetch(services_, exchange_->io_thread(), std::move(order));
      }
      follower->on_progress();
      return;
    }
  }

  struct LoneFlight {
    bool may_ask_l2 = false;
  };
  void fly_alone(LoneFlight how) {
    auto options = flight_options();
    if (!plan_.may_store) {
      options.max_recorded_bytes = 0;
    }
    const auto flight = std::make_shared<Flight>(options);
    const auto follower =
        make_follower(plan_.may_look_up ? LookupOutcome::kMiss : LookupOutcome::kBypass);
    if (follower->join(flight)) {
      auto order = make_order(flight, std::nullopt);
      order.may_ask_l2 = how.may_ask_l2;
      start_fetch(services_, exchange_->io_thread(), std::move(order));
    }
  }

  [[nodiscard]] FetchOrder make_order(const std::shared_ptr<Flight>& flight,
                                      std::optional<FlightKey> shared_as) const {
    FetchOrder order;
    order.flight = flight;
    order.request = request_;
    order.dialect = &dialect_;
    order.directives = directives_;
    if (plan_.may_store) {
      order.recording = Recording{&dialect_,
                                  request_.wish.form,
                                  request_.key,
                                  std::move(shared_as),
                                  ttl_for(directives_, services_->options.ttl_ms),
                                  directives_.tags};
    }
    order.upstream_head = recorded_upstream_head(exchange_->head());
    order.body = body_;
    return order;
  }

  [[nodiscard]] std::shared_ptr<FlightFollower> make_follower(LookupOutcome outcome) {
    FollowerOptions options;
    options.dialect = &dialect_;
    options.outcome = outcome;
    options.forward_reason = plan_.forward_reason;
    options.key = request_.key;
    options.on_found = [self = shared_from_this()](const ServedAnswer& answer) {
      self->on_found(answer);
    };
    return std::make_shared<FlightFollower>(services_, exchange_, std::move(options));
  }

  // The flight that was joined ended with what another request may be given; this one may ask for
  // a younger answer.
  void on_found(const ServedAnswer& answer) {
    const auto now_ms = services_->clock->now_ms();
    if (is_acceptable(*answer.entry, directives_, now_ms)) {
      send(answer, now_ms);
    } else {
      fly_alone({.may_ask_l2 = false});
    }
  }

  void refuse(const ProxyError& error, LookupOutcome outcome) {
    services_->metrics.count_request(outcome);
    services_->metrics.count_own_error();
    respond_error(*exchange_, dialect_, error,
                  forward_status({.reason = ForwardReason::kRequest, .detail = error.code}));
  }

  [[nodiscard]] FlightOptions flight_options() const {
    FlightOptions options;
    options.max_recorded_bytes = services_->options.max_entry_bytes;
    return options;
  }

  const ServicesPtr services_;
  const std::shared_ptr<http::Exchange> exchange_;
  const Dialect& dialect_;

  RequestDirectives directives_;
  RequestPlan plan_;
  http::SharedBytes body_;
  KeyedRequest request_;
  FlightTable::Landings landings_ = 0;
};

}  // namespace

void start_cache_flow(ServicesPtr services, std::shared_ptr<http::Exchange> exchange,
                      const Dialect& dialect) {
  std::make_shared<CacheFlow>(std::move(services), std::move(exchange), dialect)->start();
}

}  // namespace llm_edge_cache::proxy
