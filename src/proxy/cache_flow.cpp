#include "proxy/cache_flow.hpp"

#include <string>
#include <string_view>
#include <utility>

#include "proxy/access_record.hpp"
#include "proxy/cache_decision.hpp"
#include "proxy/cached_fetch.hpp"
#include "proxy/flight_follower.hpp"
#include "proxy/flight_payer.hpp"
#include "proxy/pass_through.hpp"
#include "proxy/proxy_error.hpp"
#include "proxy/request_decision.hpp"
#include "proxy/upstream_request.hpp"

namespace llm_edge_cache::proxy {
namespace {

class CacheFlow final : public http::BodyReceiver, public std::enable_shared_from_this<CacheFlow> {
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
    if (const auto* tenant = tenant_of(caller_)) tenant->apply_to(directives_);
    exchange_->read_body(services_->options.max_request_bytes, shared_from_this());
  }

 private:
  void on_body(Result<std::string_view> body) override {
    if (body.ok()) {  // else the server has answered
      decide(*body);
    }
  }

  void decide(std::string_view body) {
    const auto decision =
        decide_request(policies_->keyer, dialect_, exchange_->head(), directives_, body);
    if (!decision.ok()) {
      pass_through_recorded_path(services_, exchange_, dialect_,
                                 http::SharedBytes(std::string(body)));
      return;
    }
    decision_ = *decision;
    body_view_ = body;
    if (plan().may_look_up) {
      landings_ = services_->flights.landings(key());
      if (serve(services_->cache.lookup_l1(key()))) {
        return;
      }
    }
    keep_body();
    if (!plan().may_call_upstream) {
      look_up_l2_only();
    } else if (plan().may_share_flight) {
      board_flight();
    } else {
      fly_alone({.may_ask_l2 = plan().may_look_up});
    }
  }

  // A hit does without. No later than in decide(), where the view ends.
  void keep_body() {
    if (body_.empty()) {
      body_ = http::SharedBytes(std::string(body_view_));
    }
  }

  [[nodiscard]] const KeyDigest& key() const { return decision_.request.key; }
  [[nodiscard]] const RequestPlan& plan() const { return decision_.plan; }
  [[nodiscard]] FlightKey flight_key() const {
    return {key(), decision_.request.wish, directives_.ttl_ms};
  }
  [[nodiscard]] ServeTerms terms(UnixMillis now_ms) const {
    return {.directives = directives_,
            .policy = *decision_.policy,
            .wish = decision_.request.wish,
            .dialect = dialect_,
            .adapted = services_->adapted,
            .now_ms = now_ms};
  }

  // False where what was found is not an answer to this request, or not yet.
  bool serve(const LookedUp& found) {
    const auto now_ms = services_->clock->now_ms();
    const auto answer = make_served_answer(found, terms(now_ms));
    if (answer) {
      send(*answer, now_ms);
    } else {
      keep(found.entry, now_ms);
    }
    return answer.has_value();
  }

  // For the case that the provider fails.
  void keep(EntryPtr entry, UnixMillis now_ms) {
    last_good_ = last_to_expire(std::move(last_good_), std::move(entry));
    if (last_good_ != nullptr) {
      decision_.plan.forward_reason = reason_to_forward(last_good_.get(), now_ms);
    }
  }

  void send(const ServedAnswer& answer, UnixMillis now_ms) {
    count(answer);
    respond_served(*exchange_, answer, key(), now_ms);
    if (answer.reason == ServeReason::kStaleWhileRevalidate) {
      refresh(now_ms);
    }
  }

  void count(const ServedAnswer& answer) {
    const auto& response = answer.entry->response;
    services_->metrics.count_request(answer.outcome);
    services_->metrics.count_tokens_saved(response.model,
                                          response.tokens ? response.tokens->total_tokens : 0);
  }

  // In a flight that nobody has to wait for, and that everybody who cannot have the stale answer
  // may join. Where it fails the stale entry stays.
  void refresh(UnixMillis now_ms) {
    if (!plan().may_call_upstream || !plan().may_store ||
        !services_->refreshes.may_start(key(), now_ms)) {
      return;
    }
    const auto boarding =
        services_->flights.start_unless_flying(flight_key(), landings_, flight_options());
    if (boarding.flight != nullptr) {
      keep_body();
      auto order = make_order(boarding.flight, flight_key());
      order.directives = {};
      order.policy = {};  // nothing stale ends it
      order.must_recheck_l1 = boarding.must_recheck;
      order.may_ask_l2 = true;
      start_fetch(services_, exchange_->io_thread(), std::move(order));
    }
  }

  void look_up_l2_only() {
    if (!plan().may_look_up) {
      refuse(not_cached_error(), LookupOutcome::kBypass);
      return;
    }
    services_->cache.lookup_l2(key(), {}, [self = shared_from_this()](LookedUp found) {
      self->exchange_->post([self, found = std::move(found)] {
        if (!self->serve(found)) {
          self->refuse(not_cached_error(), LookupOutcome::kMiss);
        }
      });
    });
  }

  void board_flight() {
    for (;;) {
      const auto boarding =
          services_->flights.join_or_start(flight_key(), landings_, flight_options());
      const auto outcome = boarding.is_new ? LookupOutcome::kMiss : LookupOutcome::kCoalesced;
      const auto follower = make_follower(outcome);
      if (!follower->join(boarding.flight)) {
        services_->flights.remove(flight_key(), *boarding.flight);
        continue;
      }
      if (boarding.is_new) {
        auto order = make_order(boarding.flight, flight_key());
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
    if (!plan().may_store) {
      options.max_recorded_bytes = 0;
    }
    const auto flight = std::make_shared<Flight>(options);
    const auto follower =
        make_follower(plan().may_look_up ? LookupOutcome::kMiss : LookupOutcome::kBypass);
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
    order.request = decision_.request;
    order.dialect = &dialect_;
    order.directives = directives_;
    order.policy = *decision_.policy;
    if (plan().may_store) {
      order.recording = Recording{&dialect_,      decision_.request.wish.form, key(), shared_as,
                                  decision_.life, tags_to_store(directives_)};
    }
    order.caller = caller_;
    order.upstream_head = recorded_upstream_head(exchange_->head());
    order.body = body_;
    return order;
  }

  [[nodiscard]] std::shared_ptr<FlightFollower> make_follower(LookupOutcome outcome) {
    FollowerOptions options;
    options.dialect = &dialect_;
    options.outcome = outcome;
    options.forward_reason = plan().forward_reason;
    options.key = key();
    options.on_found = [self = shared_from_this()](const ServedAnswer& answer) {
      self->on_found(answer);
    };
    options.on_failure = [self = shared_from_this()](const FlightFailure& failure) {
      return self->on_failure(failure);
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
      fly_alone({.may_ask_l2 = false});
    }
  }

  // The flight that was joined ended with what another request may be given; this one may ask for
  // a younger answer.
  void on_found(ServedAnswer answer) {
    const auto now_ms = services_->clock->now_ms();
    if (const auto reason =
            reason_to_serve(*answer.entry, directives_, *decision_.policy, now_ms)) {
      answer.reason = *reason;
      answer.outcome = *reason == ServeReason::kFresh ? answer.outcome : LookupOutcome::kStale;
      send(answer, now_ms);
    } else {
      keep(answer.entry, now_ms);
      fly_alone({.may_ask_l2 = false});
    }
  }

  // True where the last good answer went to the client.
  bool on_failure(const FlightFailure& failure) {
    const auto now_ms = services_->clock->now_ms();
    const auto answer =
        make_fallback_answer(last_to_expire(last_good_, failure.fallback), terms(now_ms));
    if (!answer) {
      return false;
    }
    count(*answer);
    respond_served(*exchange_, *answer, key(), now_ms,
                   fallback_status({.reason = reason_to_forward(answer->entry.get(), now_ms),
                                    .upstream_status = failure.upstream_status,
                                    .is_collapsed = failure.is_collapsed,
                                    .ttl_s = remaining_ttl_s(*answer->entry, now_ms)}));
    return true;
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
    options.max_recorded_bytes = services_->options.max_entry_bytes;
    options.payer = payer();
    return options;
  }
  [[nodiscard]] FlightPayer payer() const {
    return payer_of(*services_, policies_->keyer, caller_, exchange_->head().headers,
                    decision_.request.upstream);
  }

  const ServicesPtr services_;
  const std::shared_ptr<http::Exchange> exchange_;
  const Dialect& dialect_;
  const PoliciesPtr policies_ = services_->policies();
  const CallerPtr caller_ = caller_of(*exchange_);  // null: no tenant's

  RequestDirectives directives_;
  RequestDecision decision_;
  std::string_view body_view_;
  http::SharedBytes body_;
  EntryPtr last_good_;  // what was found, and cannot be given as long as the provider answers
  FlightTable::Landings landings_ = 0;
  int boardings_ = 0;
};

}  // namespace

void start_cache_flow(ServicesPtr services, std::shared_ptr<http::Exchange> exchange,
                      const Dialect& dialect) {
  std::make_shared<CacheFlow>(std::move(services), std::move(exchange), dialect)->start();
}

}  // namespace llm_edge_cache::proxy
