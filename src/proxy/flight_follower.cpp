#include "proxy/flight_follower.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "proxy/access_record.hpp"
#include "proxy/cache_decision.hpp"
#include "proxy/flight_payer.hpp"
#include "proxy/proxy_error.hpp"

namespace llm_edge_cache::proxy {
namespace {

// Bytes that a follower takes from its flight before it has written them.
constexpr std::size_t kReadBytes = 128U << 10U;

// What an answer to somebody else's call may tell: nothing that names the call, its account or its
// limits.
constexpr std::array<std::string_view, 6> kSharedHeaders = {"content-type",     "content-length",
                                                            "content-encoding", "retry-after",
                                                            "retry-after-ms",   "x-should-retry"};

bool is_shared_header(std::string_view name) {
  return std::any_of(kSharedHeaders.begin(), kSharedHeaders.end(), [name](std::string_view shared) {
    return http::equals_ignore_case(name, shared);
  });
}

}  // namespace

FlightFollower::FlightFollower(ServicesPtr services, std::shared_ptr<http::Exchange> exchange,
                               FollowerOptions options)
    : services_(std::move(services)),
      exchange_(std::move(exchange)),
      options_(std::move(options)) {}

bool FlightFollower::join(std::shared_ptr<Flight> flight) {
  const auto ticket = flight->join(shared_from_this(), exchange_->io_thread());
  return board(std::move(flight), ticket);
}

bool FlightFollower::lead(std::shared_ptr<Flight> flight) {
  const auto ticket = flight->lead(shared_from_this(), exchange_->io_thread());
  return board(std::move(flight), ticket);
}

bool FlightFollower::board(std::shared_ptr<Flight> flight, std::optional<Flight::Ticket> ticket) {
  if (!ticket) {
    return false;
  }
  flight_ = std::move(flight);
  ticket_ = *ticket;
  exchange_->on_disconnect([weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->leave();
    }
  });
  exchange_->on_drain([weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      ++self->drains_;
      self->is_waiting_for_socket_ = false;
      self->pump();
    }
  });
  return true;
}

void FlightFollower::on_progress() {
  pump();
}

void FlightFollower::leave() {
  if (!ticket_) {
    return;
  }
  count(options_.outcome);
  const auto self = shared_from_this();  // the flight may hold the last reference
  flight_->leave(*std::exchange(ticket_, std::nullopt));
}

// Writing can call back into here; what comes of that waits for the round under way.
void FlightFollower::pump() {
  has_news_ = true;
  if (is_pumping_) {
    return;
  }
  const auto self = shared_from_this();
  is_pumping_ = true;
  while (std::exchange(has_news_, false)) {
    while (pump_once()) {
    }
  }
  is_pumping_ = false;
}

bool FlightFollower::pump_once() {
  if (!ticket_ || is_waiting_for_socket_) {
    return false;
  }
  auto progress = flight_->read(*ticket_, kReadBytes);
  if (progress.is_cut_off) {
    services_->metrics.count_cut_follower();
    exchange_->abort();
    leave();
    return false;
  }
  const bool has_read = !progress.pieces.empty();
  std::move(progress.pieces.begin(), progress.pieces.end(), std::back_inserter(pending_));
  const FlightEnding* const ending = progress.ending.get();
  if (!is_head_sent_) {
    if (progress.head == nullptr && ending == nullptr) {
      return false;
    }
    if (is_refused_for_another(progress)) {
      ask_anew();
      return false;
    }
    if (progress.head != nullptr && progress.head->is_held && ending == nullptr) {
      return has_read;
    }
    if (ending != nullptr &&
        (progress.head == nullptr ||
         (progress.head->is_held && ending->kind == FlightEnding::Kind::kBroken))) {
      finish(*ending);
      return false;
    }
    const auto status = progress.head->response.status;
    if (is_provider_failure(status) && fall_back(status)) {
      return false;
    }
  }
  switch (send(progress)) {
    case Sent::kLost:
      leave();
      return false;
    case Sent::kWaiting:
      flight_->wait_for_socket(*ticket_);
      return false;
    case Sent::kAll:
      break;
  }
  if (ending != nullptr) {
    finish(*ending);
    return false;
  }
  return has_read;
}

FlightFollower::Sent FlightFollower::send(const Flight::Progress& progress) {
  std::optional<http::ResponseHead> head;
  if (!std::exchange(is_head_sent_, true)) {
    head = make_head(progress);
    count(options_.outcome);
  }
  const bool ends =
      progress.ending != nullptr && progress.ending->kind == FlightEnding::Kind::kWhole;
  while (head || !pending_.empty() || (ends && !is_answered_)) {
    const auto drains_before = drains_;
    std::array<http::SharedBytes, http::Exchange::kMaxPieces> pieces;
    std::size_t taken = 0;
    for (; taken < pieces.size() && !pending_.empty(); ++taken) {
      pieces[taken] = std::move(pending_.front());
      pending_.pop_front();
    }
    is_answered_ = ends && pending_.empty();
    const auto result = exchange_->write({.head = head ? &*head : nullptr,
                                          .pieces = {pieces.data(), taken},
                                          .is_last = is_answered_});
    head.reset();
    if (result == http::WriteResult::kClosed) {
      return Sent::kLost;
    }
    if (result == http::WriteResult::kQueued && !is_answered_ && drains_ == drains_before) {
      is_waiting_for_socket_ = true;
      return Sent::kWaiting;
    }
  }
  return Sent::kAll;
}

http::ResponseHead FlightFollower::make_head(const Flight::Progress& progress) const {
  const FlightHead& head = *progress.head;
  http::ResponseHead response;
  response.status = head.response.status;
  response.headers = forwarded_headers(head.response.headers);
  const bool is_coalesced = options_.outcome == LookupOutcome::kCoalesced;
  ForwardStatus status;
  status.reason = forward_reason();
  status.upstream_status = response.status;
  status.is_stored = progress.ending != nullptr && progress.ending->stored != nullptr;
  status.is_collapsed = is_coalesced;
  status.detail = head.detail;
  add_cache_status(response.headers, forward_status(status));
  note_upstream(*exchange_, head.upstream, head.first_byte);
  if (options_.key) {
    response.headers.set("x-llm-cache-key", ShortHex(*options_.key));
  }
  return response;
}

http::Headers FlightFollower::forwarded_headers(const http::Headers& upstream) const {
  if (options_.outcome != LookupOutcome::kCoalesced) {
    return upstream;
  }
  http::Headers shared;
  for (const auto& field : upstream) {
    if (is_shared_header(field.name)) {
      shared.add(field.name, field.value);
    }
  }
  return shared;
}

// The pieces are written, or there are none.
void FlightFollower::finish(const FlightEnding& ending) {
  const auto self = shared_from_this();
  switch (ending.kind) {
    case FlightEnding::Kind::kFound:
      is_counted_ = true;  // whoever answers counts
      leave();
      options_.on_found(*ending.found);
      return;
    case FlightEnding::Kind::kWhole:
      if (ending.stored != nullptr) {
        note_answer(*exchange_, *ending.stored);
      }
      if (options_.outcome == LookupOutcome::kCoalesced && ending.stored != nullptr) {
        const auto& answer = ending.stored->response;
        services_->metrics.count_tokens_saved(answer.model,
                                              answer.tokens ? answer.tokens->total_tokens : 0);
      }
      break;
    case FlightEnding::Kind::kBroken:
    case FlightEnding::Kind::kFailed:
      if (!is_head_sent_ && fall_back(std::nullopt)) {
        return;
      }
      fail(ending.error);
      break;
  }
  leave();
}

bool FlightFollower::fall_back(std::optional<std::uint16_t> upstream_status) {
  if (!options_.on_failure) {
    return false;
  }
  is_counted_ = true;  // by whoever answers; the client may hang up meanwhile
  const bool is_collapsed = options_.outcome == LookupOutcome::kCoalesced;
  if (!options_.on_failure({upstream_status, is_collapsed, flight_->fallback()})) {
    is_counted_ = false;
    return false;
  }
  leave();
  return true;
}

bool FlightFollower::is_refused_for_another(const Flight::Progress& progress) const {
  if (!options_.on_refused) {
    return false;
  }
  const auto& payer = flight_->payer();
  if (progress.head != nullptr) {
    return payer.credential != options_.payer.credential &&
           is_about_the_credential(progress.head->response.status);
  }
  return payer.limits != options_.payer.limits && progress.ending->is_payers_own;
}

void FlightFollower::ask_anew() {
  const auto refused = flight_;
  is_counted_ = true;  // by whoever answers
  leave();
  options_.on_refused(*refused);
}

void FlightFollower::fail(const ProxyError& error) {
  if (is_head_sent_) {
    exchange_->abort();  // never let a truncated answer look whole
    return;
  }
  services_->metrics.count_own_error();
  ForwardStatus status;
  status.reason = forward_reason();
  status.is_collapsed = options_.outcome == LookupOutcome::kCoalesced;
  status.detail = error.code;
  respond_error(*exchange_, *options_.dialect, error, forward_status(status));
}

// Memory may have had nothing where the shared store had something.
ForwardReason FlightFollower::forward_reason() const {
  if (options_.forward_reason != ForwardReason::kMiss || flight_ == nullptr) {
    return options_.forward_reason;
  }
  return reason_to_forward(flight_->fallback().get(), services_->clock->now_ms());
}

void FlightFollower::count(LookupOutcome outcome) {
  if (!std::exchange(is_counted_, true)) {
    note_outcome(*exchange_, outcome);
    if (options_.key) {
      note_key(*exchange_, *options_.key);
    }
    services_->metrics.count_request(outcome);
  }
}

}  // namespace llm_edge_cache::proxy
