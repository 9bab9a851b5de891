#include "proxy/cache_flow.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/cache_decision.hpp"
#include "proxy/cached_fetch.hpp"
#include "proxy/first_look.hpp"
#include "proxy/proxy_error.hpp"
#include "proxy/recorded_flow.hpp"
#include "proxy/upstream_request.hpp"

namespace llm_edge_cache::proxy {
namespace {

std::vector<std::string> union_of(std::vector<std::string> tags,
                                  const std::vector<std::string>& more) {
  for (const auto& tag : more) {
    if (std::ranges::find(tags, tag) == tags.end()) tags.push_back(tag);
  }
  return tags;
}

class CacheFlow final : public RecordedFlow {
 public:
  // look: where it was taken already.
  CacheFlow(const ServicesPtr& services, std::shared_ptr<http::Exchange> exchange,
            const KnownHead& known, std::optional<FirstLook> look)
      : RecordedFlow(services, std::move(exchange), known), look_(std::move(look)) {}

 private:
  void decide(std::string_view body) override {
    if (!look_ && !look(body)) {
      pass_on(http::SharedBytes(std::string(body)));
      return;
    }
    landings_ = look_->landings;
    body_view_ = body;
    if (serve(look_->found, look_->now_ms)) {
      return;
    }
    look_->found = {};
    keep_body();
    go_on();
  }

  // False where the request has no key.
  bool look(std::string_view body) {
    auto taken = take_first_look(*services_, *policies_, known_, exchange_->head(), body);
    if (!taken.ok()) {
      return false;
    }
    look_ = std::move(taken).value();
    return true;
  }

  // A hit does without. No later than in decide(), where the view ends.
  void keep_body() {
    if (body_.empty()) {
      body_ = http::SharedBytes(std::string(body_view_));
    }
  }

  // From decide() on.
  [[nodiscard]] const RequestDecision& decision() const { return look_->decision; }
  [[nodiscard]] const KeyDigest& key() const override { return decision().request.key; }
  [[nodiscard]] AnswerWish wish() const override { return decision().request.wish; }
  [[nodiscard]] const RequestPlan& plan() const override { return decision().plan; }
  [[nodiscard]] UpstreamTable::Index upstream() const override {
    return decision().request.upstream;
  }
  [[nodiscard]] std::size_t max_recorded_bytes() const override {
    return services_->options.max_entry_bytes;
  }
  [[nodiscard]] ServeTerms terms(UnixMillis now_ms) const {
    return terms_of(*services_, known_, decision(), now_ms);
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
      look_->decision.plan.forward_reason = reason_to_forward(last_good_.get(), now_ms);
    }
  }

  void send(const ServedAnswer& answer, UnixMillis now_ms) {
    count_served(*services_, answer);
    respond_served(*exchange_, answer, key(), now_ms);
    if (answer.reason == ServeReason::kStaleWhileRevalidate) {
      refresh(*answer.entry, now_ms);
    }
  }

  // In a flight that nobody has to wait for, and that everybody who cannot have the stale answer
  // may join. Where it fails the stale entry stays. What takes its place is found by its tags, too.
  void refresh(const Entry& stale, UnixMillis now_ms) {
    if (!plan().may_call_upstream || !plan().may_store ||
        !services_->refreshes.may_start(key(), now_ms)) {
      return;
    }
    const auto boarding =
        services_->flights.start_unless_flying(flight_key(), landings_, flight_options());
    if (boarding.flight != nullptr) {
      auto tags = union_of(tags_to_store(directives()), stale.tags);
      watch_removals(*boarding.flight, tags);
      keep_body();
      auto order = make_order(boarding.flight, flight_key());
      order.recording->tags = std::move(tags);
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
    order.request = decision().request;
    order.dialect = &dialect_;
    order.directives = directives();
    order.policy = *decision().policy;
    if (plan().may_store) {
      order.recording = Recording{&dialect_,       decision().request.wish.form, key(), shared_as,
                                  decision().life, tags_to_store(directives())};
    }
    order.caller = caller_;
    order.upstream_head = recorded_upstream_head(exchange_->head(), policies_->cors);
    order.body = body_;
    return order;
  }

  void on_found(const ServedAnswer& found) override {
    auto answer = found;
    const auto now_ms = services_->clock->now_ms();
    if (const auto reason =
            reason_to_serve(*answer.entry, directives(), *decision().policy, now_ms)) {
      answer.reason = *reason;
      answer.outcome = *reason == ServeReason::kFresh ? answer.outcome : LookupOutcome::kStale;
      send(answer, now_ms);
    } else {
      keep(answer.entry, now_ms);
      look_for_a_younger_one({.may_ask_l2 = false});
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
    count_served(*services_, *answer);
    respond_served(*exchange_, *answer, key(), now_ms,
                   fallback_status({.reason = reason_to_forward(answer->entry.get(), now_ms),
                                    .upstream_status = failure.upstream_status,
                                    .is_collapsed = failure.is_collapsed,
                                    .ttl_s = remaining_ttl_s(*answer->entry, now_ms)}));
    return true;
  }

  std::optional<FirstLook> look_;
  std::string_view body_view_;
  http::SharedBytes body_;
  EntryPtr last_good_;  // what was found, and cannot be given as long as the provider answers
};

// Empty where the body has not come yet, or the request is not one to be looked up.
std::optional<FirstLook> look_at_once(ProxyServices& services, const http::Exchange& exchange,
                                      const KnownHead& known) {
  const auto body = exchange.received_body();
  if (!body || body->size() > services.options.max_request_bytes || !known.directives.ok()) {
    return std::nullopt;
  }
  auto look = take_first_look(services, *services.policies(), known, exchange.head(), *body);
  return look.ok() ? std::optional(std::move(look).value()) : std::nullopt;
}

// Nearly every hit ends here: no flow is needed to give what memory has.
bool answer_at_once(ProxyServices& services, http::Exchange& exchange, const KnownHead& known,
                    const FirstLook& look) {
  const auto answer =
      make_served_answer(look.found, terms_of(services, known, look.decision, look.now_ms));
  if (!answer || answer->reason == ServeReason::kStaleWhileRevalidate) {
    return false;
  }
  count_served(services, *answer);
  respond_served(exchange, *answer, look.decision.request.key, look.now_ms);
  return true;
}

}  // namespace

void start_cache_flow(const ServicesPtr& services, std::shared_ptr<http::Exchange> exchange,
                      const KnownHead& known) {
  auto look = look_at_once(*services, *exchange, known);
  if (look && answer_at_once(*services, *exchange, known, *look)) {
    return;
  }
  std::make_shared<CacheFlow>(services, std::move(exchange), known, std::move(look))->start();
}

}  // namespace llm_edge_cache::proxy
