#include "proxy/upstream_call.hpp"

#include <utility>

#include "base/parse_number.hpp"
#include "proxy/cache_decision.hpp"
#include "proxy/proxy_error.hpp"

namespace llm_edge_cache::proxy {
namespace {

// Whether the provider knew all of the answer when it sent the head. Nothing is then won by handing
// on its pieces; by waiting, a broken answer becomes a clean error.
bool is_bound_to_come_at_once(const http::ResponseHead& head, AnswerForm form,
                              std::size_t max_bytes) {
  const auto text = head.headers.get("content-length").value_or("");
  const auto length = parse_number<std::uint64_t>(text);
  return form == AnswerForm::kJson && length && *length <= max_bytes;
}

}  // namespace

UpstreamCall::UpstreamCall(ServicesPtr services, http::IoThread& thread,
                           std::shared_ptr<Flight> flight, std::optional<Recording> recording,
                           FlightLeasePtr lease)
    : services_(std::move(services)),
      thread_(thread),
      flight_(std::move(flight)),
      recording_(std::move(recording)),
      lease_(std::move(lease)) {}

std::shared_ptr<http::ClientCall> UpstreamCall::start(UpstreamOrder order) {
  services_->metrics.flight_started();
  if (services_->is_stopping.load(std::memory_order_acquire)) {
    finish({.kind = FlightEnding::Kind::kFailed, .error = shutting_down_error()},
           UpstreamResult::kAbandoned);
    return nullptr;
  }
  if (order.caller != nullptr) {
    if (auto refusal = order.caller->refuse_call(http::IoThread::now())) {
      finish({.kind = FlightEnding::Kind::kFailed,
              .error = *std::move(refusal),
              .is_payers_own = true},
             UpstreamResult::kAbandoned);
      return nullptr;
    }
  }
  flight_->set_source(weak_from_this(), thread_);
  upstream_ = services_->upstreams.group(order.group).name;
  if (recording_) {
    tag_ticket_ = services_->cache.stamp(recording_->tags);
    watch_ = services_->cache.watch(recording_->key);
    thread_.set_timer(overdue_, services_->options.longest_shared_call());
  }
  started_ = Clock::now();
  call_ = services_->client->request(thread_, std::move(order), shared_from_this());
  return call_;
}

void UpstreamCall::on_head(http::ResponseHead head) {
  const auto first_byte = Clock::now() - started_;
  services_->metrics.observe_first_byte(first_byte);
  http::strip_hop_by_hop(head.headers);
  status_ = head.status;
  content_type_ = head.headers.get("content-type").value_or("");
  const auto refusal = recording_ ? judge_head(head, recording_->form) : StoreRefusal::kNotAsked;
  is_held_ = recording_ &&
             is_bound_to_come_at_once(head, recording_->form, services_->options.max_entry_bytes);
  flight_->begin({.response = std::move(head),
                  .is_held = is_held_,
                  .upstream = upstream_,
                  .first_byte = first_byte});
  if (refusal && !refusal_) {
    refuse(*refusal);
  }
}

void UpstreamCall::on_overdue() {
  const auto self = shared_from_this();  // it may be given up
  if (!refusal_) {
    refuse(StoreRefusal::kTookTooLong);
  }
}

void UpstreamCall::refuse(StoreRefusal refusal) {
  refusal_ = refusal;
  lease_.reset();
  leave_table();
  follow(flight_->stop_recording());
}

void UpstreamCall::on_data(std::string_view bytes) {
  flight_->append(bytes);
  if (!refusal_ && !flight_->is_recording()) {
    refusal_ = StoreRefusal::kTooLarge;
    lease_.reset();
    leave_table();
  }
}

bool UpstreamCall::is_purged() const {
  return (watch_ != nullptr && watch_->is_over()) ||
         (tag_ticket_ != nullptr && tag_ticket_->is_void());
}

// Where it was purged the answer goes on to those who joined, and whoever comes asks for another.
void UpstreamCall::give_way() {
  if (is_purged()) {
    lease_.reset();
    leave_table();
  }
}

void UpstreamCall::on_batch_end() {
  give_way();
  follow(flight_->tell());
}

void UpstreamCall::follow(Flight::Pace pace) {
  if (pace == Flight::Pace::kPause && call_ != nullptr) {
    call_->pause();
  } else if (pace == Flight::Pace::kAbandon) {
    abandon();
  }
}

void UpstreamCall::on_end(http::ResponseEnd end) {
  services_->metrics.observe_upstream_latency(Clock::now() - started_);
  FlightEnding ending;
  if (!refusal_) {
    // What is not held waits for nothing; its end waits, so that who has it all finds it stored.
    if (!is_held_) (void)flight_->tell();
    ending.stored = store_answer();
  }
  // Without a length only the message itself can tell that it is whole.
  if (!end.framed && recording_ && status_ == 200 && !is_whole_) {
    ending.kind = FlightEnding::Kind::kBroken;
    ending.error = truncated_error();
  }
  finish(std::move(ending), result_or(UpstreamResult::kOk));
}

// Null where the answer is not to be kept.
EntryPtr UpstreamCall::store_answer() {
  auto content = flight_->recorded();
  auto review = recording_->dialect->review(recording_->form, content);
  is_whole_ = review.is_whole;
  if (review.refusal) {
    refusal_ = review.refusal;
    return nullptr;
  }
  if (is_purged()) {
    refusal_ = StoreRefusal::kPurged;
    return nullptr;
  }
  const auto entry = make_entry({.content = std::move(content),
                                 .content_type = content_type_,
                                 .review = std::move(review),
                                 .life = recording_->life,
                                 .tags = recording_->tags},
                                services_->clock->now_ms());
  services_->cache.store(recording_->key, entry, tag_ticket_, std::move(lease_), watch_);
  services_->metrics.count_store();
  return entry;
}

void UpstreamCall::on_error(http::ClientError error) {
  FlightEnding ending;
  const bool has_begun = error.at == http::FailedAt::kBody;
  ending.kind = has_begun ? FlightEnding::Kind::kBroken : FlightEnding::Kind::kFailed;
  ending.error = to_proxy_error(error);
  if (has_begun && !refusal_) {
    refusal_ = StoreRefusal::kTruncated;
  }
  finish(std::move(ending), to_upstream_result(error));
}

void UpstreamCall::resume() {
  if (call_ != nullptr) {
    call_->resume();
  }
}

void UpstreamCall::abandon() {
  if (call_ == nullptr) {
    return;
  }
  std::exchange(call_, nullptr)->cancel();
  finish({.kind = FlightEnding::Kind::kBroken, .error = truncated_error()},
         result_or(UpstreamResult::kAbandoned));
}

// Nobody may have waited for the rest of an error.
UpstreamResult UpstreamCall::result_or(UpstreamResult result) const {
  return status_ >= 500 ? UpstreamResult::kServerError : result;
}

void UpstreamCall::leave_table() {
  if (recording_ && recording_->shared_as) {
    services_->flights.remove(*recording_->shared_as, *flight_);
  }
}

void UpstreamCall::finish(FlightEnding ending, UpstreamResult result) {
  overdue_.cancel();
  call_.reset();
  lease_.reset();
  if (refusal_) {
    services_->metrics.count_refusal(*refusal_);
  }
  services_->metrics.count_upstream(result);
  services_->metrics.flight_ended();
  leave_table();
  flight_->end(std::move(ending));
}

}  // namespace llm_edge_cache::proxy
