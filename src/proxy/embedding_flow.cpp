#include "proxy/embedding_flow.hpp"

#include <optional>
#include <string>
#include <utility>

#include "proxy/access_record.hpp"
#include "proxy/cache_decision.hpp"
#include "proxy/embedding_batch.hpp"
#include "proxy/embedding_fetch.hpp"
#include "proxy/embedding_lookup.hpp"
#include "proxy/flight_follower.hpp"
#include "proxy/flight_payer.hpp"
#include "proxy/pass_through.hpp"
#include "proxy/proxy_error.hpp"
#include "proxy/upstream_request.hpp"

namespace llm_edge_cache::proxy {
namespace {

class EmbeddingFlow : public std::enable_shared_from_this<EmbeddingFlow> {
 public:
  EmbeddingFlow(ServicesPtr services, std::shared_ptr<http::Exchange> exchange,
                const Dialect& dialect)
      : services_(std::move(services)), exchange_(std::move(exchange)), dialect_(dialect) {}

  void start() {
    auto directives = parse_request_directives(exchange_->head().headers);
    if (!directives.ok()) {
      refuse(directive_error(directives.error()), LookupOutcome::kBypass);
      return;
    }
    directives_ = std::move(*directives);
    if (const auto* tenant = tenant_of(caller_)) tenant->apply_to(directives_);
    exchange_->read_body(services_->options.max_request_bytes,
                         [self = shared_from_this()](Result<std::string> body) {
                           if (body.ok()) {  // else the server has answered
                             self->on_body(std::move(*body));
                           }
                         });
  }

 private:
  void on_body(std::string body) {
    auto batch = EmbeddingBatch::read(policies_->keyer, dialect_, exchange_->head(),
                                      KeySpace(directives_), body);
    const auto rule = policies_->keyer.rule_of(exchange_->head(), {}, body);
    body_ = http::SharedBytes(std::move(body));
    if (!batch.ok()) {
      pass_through_recorded_path(services_, exchange_, dialect_, body_);
      return;
    }
    batch_ = std::make_shared<EmbeddingBatch>(std::move(*batch));
    policy_ = &policies_->keyer.rules().policy(rule);
    plan_ = plan_request(directives_, *policy_);
    if (plan_.may_look_up) {
      landings_ = services_->flights.landings(batch_->key());
      look_up_l1();
      if (batch_->is_complete()) {
        send(batch_->served());
        return;
      }
    }
    if (!plan_.may_call_upstream) {
      look_up_l2_only();
    } else if (plan_.may_share_flight) {
      board_flight();
    } else {
      fly_alone();
    }
  }

  void look_up_l1() {
    const auto now_ms = services_->clock->now_ms();
    for (const auto slot : batch_->missing()) {
      batch_->offer(slot, services_->cache.lookup_l1(batch_->key_of(slot)), directives_, now_ms);
    }
    batch_->drop_disagreement();
  }

  void look_up_l2_only() {
    if (!plan_.may_look_up) {
      refuse(not_cached_error(), LookupOutcome::kBypass);
      return;
    }
    look_up_missing(services_, exchange_->io_thread(), batch_, directives_,
                    [self = shared_from_this()] {
                      if (self->batch_->is_complete()) {
                        self->send(self->batch_->served());
                      } else {
                        self->refuse(not_cached_error(), LookupOutcome::kMiss);
                      }
                    });
  }

  [[nodiscard]] FlightKey flight_key() const { return {batch_->key(), {}, directives_.ttl_ms}; }

  void board_flight() {
    const auto key = flight_key();
    for (;;) {
      const auto boarding = services_->flights.join_or_start(key, landings_, flight_options());
      const auto outcome = boarding.is_new ? LookupOutcome::kMiss : LookupOutcome::kCoalesced;
      const auto follower = make_follower(outcome);
      if (!follower->join(boarding.flight)) {
        services_->flights.remove(key, *boarding.flight);
        continue;
      }
      if (boarding.is_new) {
        auto order = make_order(boarding.flight);
        order.shared_as = key;
        order.must_recheck_l1 = boarding.must_recheck;
        order.may_ask_l2 = true;
        start_embedding_fetch(services_, exchange_->io_thread(), std::move(order));
      }
      follower->on_progress();
      return;
    }
  }

  void fly_alone() {
    auto options = flight_options();
    if (!plan_.may_store) {
      options.max_recorded_bytes = 0;
    }
    const auto flight = std::make_shared<Flight>(options);
    const auto follower =
        make_follower(plan_.may_look_up ? LookupOutcome::kMiss : LookupOutcome::kBypass);
    if (follower->join(flight)) {
      auto order = make_order(flight);
      order.may_ask_l2 = plan_.may_look_up;
      start_embedding_fetch(services_, exchange_->io_thread(), std::move(order));
    }
  }

  [[nodiscard]] EmbeddingOrder make_order(const std::shared_ptr<Flight>& flight) const {
    EmbeddingOrder order;
    order.flight = flight;
    order.batch = batch_;
    order.directives = directives_;
    order.policy = *policy_;
    order.caller = caller_;
    order.upstream_head = recorded_upstream_head(exchange_->head());
    order.body = body_;
    order.may_store = plan_.may_store;
    return order;
  }

  [[nodiscard]] std::shared_ptr<FlightFollower> make_follower(LookupOutcome outcome) {
    FollowerOptions options;
    options.dialect = &dialect_;
    options.outcome = outcome;
    options.forward_reason = plan_.forward_reason;
    options.key = batch_->key();
    options.on_found = [self = shared_from_this()](const ServedAnswer& answer) {
      self->on_found(answer);
    };
    options.payer = payer();
    options.on_refused = [self = shared_from_this()](const Flight& refused) {
      self->ask_anew(refused);
    };
    return std::make_shared<FlightFollower>(services_, exchange_, std::move(options));
  }

  // Whoever led the flight keeps its refusal; of those who ask anew one leads the next.
  void ask_anew(const Flight& refused) {
    services_->flights.remove(flight_key(), refused);
    if (++boardings_ < kMaxBoardings) {
      board_flight();
    } else {
      fly_alone();
    }
  }

  // The flight that was joined found what another request may be given; this one may ask for
  // younger answers.
  void on_found(const ServedAnswer& answer) {
    if (is_acceptable(*answer.entry, directives_, services_->clock->now_ms())) {
      send(answer);
    } else {
      fly_alone();
    }
  }

  void send(const ServedAnswer& answer) {
    const auto& response = answer.entry->response;
    services_->metrics.count_request(answer.outcome);
    services_->metrics.count_tokens_saved(response.model,
                                          response.tokens ? response.tokens->total_tokens : 0);
    respond_served(*exchange_, answer, batch_->key(), services_->clock->now_ms());
  }

  void refuse(const ProxyError& error, LookupOutcome outcome) {
    services_->metrics.count_request(outcome);
    services_->metrics.count_own_error();
    note_outcome(*exchange_, outcome);
    respond_error(*exchange_, dialect_, error,
                  forward_status({.reason = ForwardReason::kRequest, .detail = error.code}));
  }

  [[nodiscard]] FlightOptions flight_options() const {
    FlightOptions options;
    options.max_recorded_bytes = kMaxEmbeddingAnswerBytes;
    options.payer = payer();
    return options;
  }
  [[nodiscard]] FlightPayer payer() const {
    return payer_of(*services_, policies_->keyer, caller_, exchange_->head().headers,
                    batch_->upstream());
  }

  const ServicesPtr services_;
  const std::shared_ptr<http::Exchange> exchange_;
  const Dialect& dialect_;
  const PoliciesPtr policies_ = services_->policies();
  const CallerPtr caller_ = caller_of(*exchange_);  // null: no tenant's

  RequestDirectives directives_;
  const CachePolicy* policy_ = nullptr;  // the keyer's
  RequestPlan plan_;
  http::SharedBytes body_;
  std::shared_ptr<EmbeddingBatch> batch_;
  FlightTable::Landings landings_ = 0;
  int boardings_ = 0;
};

}  // namespace

void start_embedding_flow(ServicesPtr services, std::shared_ptr<http::Exchange> exchange,
                          const Dialect& dialect) {
  std::make_shared<EmbeddingFlow>(std::move(services), std::move(exchange), dialect)->start();
}

}  // namespace llm_edge_cache::proxy
