// What all requests to cached endpoints have in common: how they are opened, how they board a
// flight, how they are refused. What is looked up and what is asked for is a derived class's.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "http/exchange.hpp"
#include "proxy/flight_follower.hpp"
#include "proxy/known_head.hpp"
#include "proxy/proxy_services.hpp"

namespace llm_edge_cache::proxy {

// On the exchange's thread, all of it. Lives by its call-backs.
class RecordedFlow : public http::BodyReceiver, public std::enable_shared_from_this<RecordedFlow> {
 public:
  // What is known is the exchange's, and has a dialect.
  RecordedFlow(ServicesPtr services, std::shared_ptr<http::Exchange> exchange,
               const KnownHead& known)
      : services_(std::move(services)),
        exchange_(std::move(exchange)),
        known_(known),
        dialect_(*known.dialect) {}
  ~RecordedFlow() override = default;
  RecordedFlow(const RecordedFlow&) = delete;
  RecordedFlow& operator=(const RecordedFlow&) = delete;

  // Reads the body; decide() goes on.
  void start();

 protected:
  struct Boarded {
    std::shared_ptr<Flight> flight;
    std::optional<FlightKey> shared_as;  // empty: nobody can join
    bool must_recheck_l1 = false;
    bool may_ask_l2 = false;
  };

  // The view ends with the call.
  virtual void decide(std::string_view body) = 0;

  // Of what was decided.
  [[nodiscard]] virtual const KeyDigest& key() const = 0;
  [[nodiscard]] virtual AnswerWish wish() const { return {}; }
  // Of the entries that the answer is made of.
  [[nodiscard]] virtual std::span<const KeyDigest> entry_keys() const { return {&key(), 1}; }
  [[nodiscard]] virtual const RequestPlan& plan() const = 0;
  [[nodiscard]] virtual UpstreamTable::Index upstream() const = 0;
  [[nodiscard]] virtual std::size_t max_recorded_bytes() const = 0;

  // For a request that wants no call.
  virtual void look_up_l2_only() = 0;
  // Feeds a flight of which the request is the first.
  virtual void fetch(Boarded boarded) = 0;
  // The flight found what another request may be given; this one may ask for younger answers.
  virtual void on_found(const ServedAnswer& answer) = 0;
  // True where the client was answered although the provider failed.
  virtual bool on_failure(const FlightFailure& /*failure*/) { return false; }

  // Where memory has no answer: what the plan says.
  void go_on();
  struct LoneFlight {
    bool may_ask_l2 = false;
  };
  void fly_alone(LoneFlight how);
  // For who cannot have what a flight found: in one that others of the kind may join.
  void look_for_a_younger_one(LoneFlight otherwise);

  // There are some from start() on.
  [[nodiscard]] const RequestDirectives& directives() const { return *known_.directives; }
  [[nodiscard]] FlightKey flight_key() const { return {key(), wish(), directives().ttl_ms}; }
  [[nodiscard]] FlightOptions flight_options() const;
  // A flight that was just made: whoever asks after a purge must not join it.
  void watch_removals(Flight& flight, std::span<const std::string> tags) const;

  // A request that is for the provider alone; nothing is kept of its answer.
  void pass_on(http::SharedBytes body);
  void refuse(const ProxyError& error, LookupOutcome outcome);

  const ServicesPtr services_;
  const std::shared_ptr<http::Exchange> exchange_;
  const KnownHead& known_;
  const Dialect& dialect_;
  const PoliciesPtr policies_ = services_->policies();
  const CallerPtr caller_ = caller_of(*exchange_);  // null: nobody's limits hold

  FlightTable::Landings landings_ = 0;  // from before memory was looked up

 private:
  // Joins the flight that is under way, or makes one that others may join.
  void board_flight();
  void on_body(Result<std::string_view> body) override;
  [[nodiscard]] std::shared_ptr<FlightFollower> make_follower(LookupOutcome outcome);
  [[nodiscard]] FlightPayer payer() const;
  void ask_anew(const Flight& refused);
  void board_again();

  int boardings_ = 0;
};

}  // namespace llm_edge_cache::proxy
