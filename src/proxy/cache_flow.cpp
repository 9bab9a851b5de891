#include "proxy/cache_flow.hpp"

#include <string>
#include <string_view>
#include <utility>

#include "proxy/cache_decision.hpp"
#include "proxy/cached_fetch.hpp"
#include "proxy/pass_through.hpp"
#include "proxy/proxy_error.hpp"
#include "proxy/recorded_flow.hpp"
#include "proxy/request_decision.hpp"
#include "proxy/upstream_request.hpp"

namespace llm_edge_cache::proxy {
namespace {

class CacheFlow final : public RecordedFlow {
 public:
  using RecordedFlow::RecordedFlow;

 private:
  void decide(std::string_view body) override {
    const auto decision = decide_request(
        policies_->keyer, {dialect_, exchange_->head(), known_.surroundings, body}, directives());
    if (!decision.ok()) {
      pass_through_recorded_path(services_, exchange_, dialect_,
                                 http::SharedBytes(std::string(body)));
      return;
    }
    decision_ = *decision;
    body_view_ = body;
    if (plan().may_look_up) {
      landings_ = services_->flights.landings(key());
      const auto now_ms = services_->clock->now_ms();
      if (serve(services_->cache.lookup_l1(key(), now_ms), now_ms)) {
        return;
      }
    }
    keep_body();
    go_on();
  }

  // A hit does without. No later than in decide(), where the view ends.
  void keep_body() {
    if (body_.empty()) {
      body_ = http::SharedBytes(std::string(body_view_));
    }
  }

  [[nodiscard]] const KeyDigest& key() const override { return decision_.request.key; }
  [[nodiscard]] AnswerWish wish() const override { return decision_.request.wish; }
  [[nodiscard]] const RequestPlan& plan() const override { return decision_.plan; }
  [[nodiscard]] UpstreamTable::Index upstream() const override {
    return decision_.request.upstream;
  }
  [[nodiscard]] std::size_t max_recorded_bytes() const override {
    return services_->options.max_entry_bytes;
  }
  [[nodiscard]] ServeTerms terms(UnixMillis now_ms) const {
    return {.directives = directives(),
            .policy = *decision_.policy,
            .wish = decision_.request.wish,
            .dialect = dialect_,
            .adapted = services_->adapted,
            .now_ms = now_ms};
  }

  // False where what was found is not an answer to this request, or not yet.
  bool serve(const LookedUp& found, UnixMillis now_ms) {
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

  void look_up_l2_only() override {
    services_->cache.lookup_l2(key(), {}, [self = self()](LookedUp found) {
      self->exchange_->post([self, found = std::move(found)] {
        if (!self->serve(found, self->services_->clock->now_ms())) {
          self->refuse(not_cached_error(), LookupOutcome::kMiss);
        }
      });
    });
  }

  [[nodiscard]] std::shared_ptr<CacheFlow> self() {
    return std::static_pointer_cast<CacheFlow>(shared_from_this());
  }

  void fetch(Boarded boarded) override {
    auto order = make_order(boarded.flight, boarded.shared_as);
    order.must_recheck_l1 = boarded.must_recheck_l1;
    order.may_ask_l2 = boarded.may_ask_l2;
    start_fetch(services_, exchange_->io_thread(), std::move(order));
  }

  [[nodiscard]] FetchOrder make_order(const std::shared_ptr<Flight>& flight,
                                      std::optional<FlightKey> shared_as) const {
    FetchOrder order;
    order.flight = flight;
    order.request = decision_.request;
    order.dialect = &dialect_;
    order.directives = directives();
    order.policy = *decision_.policy;
    if (plan().may_store) {
      order.recording = Recording{&dialect_,      decision_.request.wish.form, key(), shared_as,
                                  decision_.life, tags_to_store(directives())};
    }
    order.caller = caller_;
    order.upstream_head = recorded_upstream_head(exchange_->head());
    order.body = body_;
    return order;
  }

  void on_found(const ServedAnswer& found) override {
    auto answer = found;
    const auto now_ms = services_->clock->now_ms();
    if (const auto reason =
            reason_to_serve(*answer.entry, directives(), *decision_.policy, now_ms)) {
      answer.reason = *reason;
      answer.outcome = *reason == ServeReason::kFresh ? answer.outcome : LookupOutcome::kStale;
      send(answer, now_ms);
    } else {
      keep(answer.entry, now_ms);
      fly_alone({.may_ask_l2 = false});
    }
  }

  // The last good answer.
  bool on_failure(const FlightFailure& failure) override {
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

  RequestDecision decision_;
  std::string_view body_view_;
  http::SharedBytes body_;
  EntryPtr last_good_;  // what was found, and cannot be given as long as the provider answers
};

}  // namespace

void start_cache_flow(ServicesPtr services, std::shared_ptr<http::Exchange> exchange,
                      const KnownHead& known) {
  std::make_shared<CacheFlow>(std::move(services), std::move(exchange), known)->start();
}

}  // namespace llm_edge_cache::proxy
