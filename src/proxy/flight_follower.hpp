// Carries what a flight brings to one client, at the client's pace.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "http/exchange.hpp"
#include "proxy/cache_status.hpp"
#include "proxy/flight.hpp"
#include "proxy/proxy_services.hpp"

namespace llm_edge_cache::proxy {

// What became of a call that brought the client nothing yet.
struct FlightFailure {
  std::optional<std::uint16_t> upstream_status;  // empty: no answer came
  bool is_collapsed = false;                     // the call was somebody else's
  EntryPtr fallback;                             // Flight::fallback()
};

struct FollowerOptions {
  const Dialect* dialect = nullptr;  // of errors
  // kMiss, kCoalesced or kBypass: what the request counts as where the upstream answers.
  LookupOutcome outcome = LookupOutcome::kMiss;
  ForwardReason forward_reason = ForwardReason::kMiss;
  std::optional<KeyDigest> key;  // for x-llm-cache-key
  FlightPayer payer = {};        // of this request, were it asked alone
  // Called instead of answering where a tier had the answer.
  std::function<void(const ServedAnswer&)> on_found;
  // Called before the client is told that the provider failed, where it has been told nothing.
  // True: the client has its answer, and the request is counted. May be empty.
  std::function<bool(const FlightFailure&)> on_failure;
  // Called instead of answering where the call was refused on the account of another payer, which
  // says nothing about this one. The flight is left, and nothing is counted.
  std::function<void(const Flight&)> on_refused;
};

// On the exchange's thread, all of it. Lives until the answer is sent or the client is gone.
class FlightFollower final : public FlightListener,
                             public std::enable_shared_from_this<FlightFollower> {
 public:
  FlightFollower(ServicesPtr services, std::shared_ptr<http::Exchange> exchange,
                 FollowerOptions options);

  // False where the flight can be joined no more; the follower may then try another.
  [[nodiscard]] bool join(std::shared_ptr<Flight> flight);
  // The same for who is to ask: Flight::lead().
  [[nodiscard]] bool lead(std::shared_ptr<Flight> flight);
  // Sends what is there already. After join() or lead().
  void on_progress() override;
  // The client cannot be answered any more.
  void leave();

 private:
  enum class Sent { kAll, kWaiting, kLost };

  [[nodiscard]] bool board(std::shared_ptr<Flight> flight, std::optional<Flight::Ticket> ticket);
  void pump();
  // False where nothing more can be done now.
  bool pump_once();
  // Of what is there, in as few writes as may be.
  [[nodiscard]] Sent send(const Flight::Progress& progress);
  [[nodiscard]] http::ResponseHead make_head(const Flight::Progress& progress) const;
  [[nodiscard]] http::Headers forwarded_headers(const http::Headers& upstream) const;
  [[nodiscard]] ForwardReason forward_reason() const;
  void finish(const FlightEnding& ending);
  void fail(const ProxyError& error);
  [[nodiscard]] bool is_refused_for_another(const Flight::Progress& progress) const;
  void ask_anew();
  // True where the client was answered instead; the flight is left then.
  [[nodiscard]] bool fall_back(std::optional<std::uint16_t> upstream_status);
  void count(LookupOutcome outcome);

  const ServicesPtr services_;
  const std::shared_ptr<http::Exchange> exchange_;
  const FollowerOptions options_;

  std::shared_ptr<Flight> flight_;
  std::optional<Flight::Ticket> ticket_;
  std::deque<http::SharedBytes> pending_;  // read from the flight, not yet written
  bool is_head_sent_ = false;
  bool is_answered_ = false;  // to the end
  bool is_waiting_for_socket_ = false;
  bool is_pumping_ = false;
  bool has_news_ = false;
  bool is_counted_ = false;
  std::uint64_t drains_ = 0;
};

}  // namespace llm_edge_cache::proxy
