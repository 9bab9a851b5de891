#include "proxy/recorded_flow.hpp"

#include <utility>

#include "proxy/access_record.hpp"
#include "proxy/cache_decision.hpp"
#include "proxy/flight_payer.hpp"
#include "proxy/pass_through.hpp"
#include "proxy/proxy_error.hpp"

namespace llm_edge_cache::proxy {

void RecordedFlow::start() {
  if (!known_.directives.ok()) {
    refuse(directive_error(known_.directives.error()), LookupOutcome::kBypass);
    return;
  }
  exchange_->read_body(services_->options.max_request_bytes, shared_from_this());
}

void RecordedFlow::on_body(Result<std::string_view> body) {
  if (body.ok()) {  // else the server has answered
    decide(*body);
  }
}

void RecordedFlow::go_on() {
  if (!plan().may_call_upstream) {
    if (plan().may_look_up) {
      look_up_l2_only();
    } else {
      refuse(not_cached_error(), LookupOutcome::kBypass);
    }
  } else if (plan().may_share_flight) {
    board_flight();
  } else {
    fly_alone({.may_ask_l2 = plan().may_look_up});
  }
}

void RecordedFlow::board_flight() {
  const auto shared_as = flight_key();
  for (;;) {
    const auto boarding = services_->flights.join_or_start(shared_as, landings_, flight_options());
    if (boarding.is_new) {
      watch_removals(*boarding.flight, tags_to_store(directives()));
    }
    const auto follower =
        make_follower(boarding.is_new ? LookupOutcome::kMiss : LookupOutcome::kCoalesced);
    // Others may have joined what we are to feed: we lead it, whatever was purged meanwhile.
    const bool is_aboard =
        boarding.is_new ? follower->lead(boarding.flight) : follower->join(boarding.flight);
    if (!is_aboard) {
      services_->flights.remove(shared_as, *boarding.flight);
      continue;
    }
    if (boarding.is_new) {
      fetch({.flight = boarding.flight,
             .shared_as = shared_as,
             .must_recheck_l1 = boarding.must_recheck,
             .may_ask_l2 = true});
    }
    follower->on_progress();
    return;
  }
}

void RecordedFlow::fly_alone(LoneFlight how) {
  auto options = flight_options();
  if (!plan().may_store) {
    options.max_recorded_bytes = 0;
  }
  const auto flight = std::make_shared<Flight>(options);
  const auto follower =
      make_follower(plan().may_look_up ? LookupOutcome::kMiss : LookupOutcome::kBypass);
  if (follower->lead(flight)) {
    fetch({.flight = flight, .shared_as = std::nullopt, .may_ask_l2 = how.may_ask_l2});
  }
}

// Whoever led the flight keeps its refusal; of those who ask anew one leads the next.
void RecordedFlow::ask_anew(const Flight& refused) {
  services_->flights.remove(flight_key(), refused);
  board_again();
}

void RecordedFlow::look_for_a_younger_one(LoneFlight otherwise) {
  if (plan().may_share_flight) {
    board_again();
  } else {
    fly_alone(otherwise);
  }
}

void RecordedFlow::board_again() {
  if (++boardings_ < kMaxBoardings) {
    board_flight();
  } else {
    fly_alone({.may_ask_l2 = false});
  }
}

void RecordedFlow::pass_on(http::SharedBytes body) {
  if (directives().only_if_cached) {
    refuse(not_cached_error(), LookupOutcome::kBypass);
  } else {
    pass_through_recorded_path(services_, exchange_, dialect_, std::move(body));
  }
}

void RecordedFlow::watch_removals(Flight& flight, std::span<const std::string> tags) const {
  flight.set_watches(services_->cache.watch(entry_keys(), tags));
}

FlightOptions RecordedFlow::flight_options() const {
  FlightOptions options;
  options.max_recorded_bytes = max_recorded_bytes();
  options.payer = payer();
  return options;
}

FlightPayer RecordedFlow::payer() const {
  return payer_of(*services_, policies_->keyer, caller_, exchange_->head().headers, upstream());
}

std::shared_ptr<FlightFollower> RecordedFlow::make_follower(LookupOutcome outcome) {
  FollowerOptions options;
  options.dialect = &dialect_;
  options.outcome = outcome;
  options.forward_reason = plan().forward_reason;
  options.key = key();
  options.payer = payer();
  options.on_found = [self = shared_from_this()](const ServedAnswer& answer) {
    self->on_found(answer);
  };
  options.on_failure = [self = shared_from_this()](const FlightFailure& failure) {
    return self->on_failure(failure);
  };
  options.on_refused = [self = shared_from_this()](const Flight& refused) {
    self->ask_anew(refused);
  };
  return std::make_shared<FlightFollower>(services_, exchange_, std::move(options));
}

void RecordedFlow::refuse(const ProxyError& error, LookupOutcome outcome) {
  services_->metrics.count_request(outcome);
  services_->metrics.count_own_error();
  note_outcome(*exchange_, outcome);
  respond_error(*exchange_, dialect_, error, refusal_status(error.code));
}

}  // namespace llm_edge_cache::proxy
