#include "proxy/upstream_attempts.hpp"

#include <utility>

#include "proxy/retry_after.hpp"

namespace llm_edge_cache::proxy {
namespace {

AttemptResult result_of(const http::ClientError& error) {
  if (error.error.code == ErrorCode::kDeadlineExceeded) {
    return AttemptResult::kTimeout;
  }
  return error.at == http::FailedAt::kConnect ? AttemptResult::kConnectFailed
                                              : AttemptResult::kBroken;
}

AttemptEnd end_of(const http::ClientError& error) {
  if (error.at != http::FailedAt::kConnect) {
    return AttemptEnd::kNoAnswer;
  }
  return error.error.code == ErrorCode::kDeadlineExceeded ? AttemptEnd::kUnreachable
                                                          : AttemptEnd::kNoConnection;
}

}  // namespace

UpstreamAttempts::UpstreamAttempts(std::shared_ptr<UpstreamShared> shared, http::IoThread& thread,
                                   UpstreamOrder order,
                                   std::shared_ptr<http::ResponseHandler> handler)
    : shared_(std::move(shared)),
      thread_(thread),
      order_(std::move(order)),
      handler_(std::move(handler)),
      plan_(shared_->retries,
            {.members = shared_->members[order_.group].size(),
             .is_repeatable = order_.is_repeatable,
             .seed = shared_->next_seed.fetch_add(1, std::memory_order_relaxed)}) {}

void UpstreamAttempts::start() {
  if (const auto attempt = plan_.first(*this, http::IoThread::now())) {
    go_to(*attempt);
  } else {
    thread_.post([self = shared_from_this()] { self->fail_unreachable(); });
  }
}

void UpstreamAttempts::cancel() {
  const auto self = shared_from_this();
  handler_.reset();
  timer_.cancel();
  on_this_thread().waiting.erase(self);
  if (call_ != nullptr) {
    std::exchange(call_, nullptr)->cancel();
    if (!has_begun_) {
      member_at(member_).state.record_nothing(http::IoThread::now());
    }
  }
}

// Who waits to learn whether there are connections again need not wait for an answer.
void UpstreamAttempts::on_connected() {
  member_at(member_).is_unreachable.store(false, std::memory_order_relaxed);
}

void UpstreamAttempts::on_head(http::ResponseHead head) {
  const auto handler = handler_;
  auto& member = member_at(member_);
  member.is_unreachable.store(false, std::memory_order_relaxed);
  member.state.record_status(head.status, started_, http::IoThread::now());
  if (const auto failure = failure_of(head); failure && try_again(*failure)) {
    return;
  }
  has_begun_ = true;
  handler->on_head(std::move(head));
}

void UpstreamAttempts::on_data(std::string_view bytes) {
  const auto handler = handler_;
  handler->on_data(bytes);
}

void UpstreamAttempts::on_batch_end() {
  const auto handler = handler_;
  handler->on_batch_end();
}

void UpstreamAttempts::on_end(http::ResponseEnd end) {
  release()->on_end(end);
}

void UpstreamAttempts::on_error(http::ClientError error) {
  if (!has_begun_) {
    if (const auto failure = record(error); failure && try_again(*failure)) {
      return;
    }
  }
  release()->on_error(std::move(error));
}

bool UpstreamAttempts::admits(std::size_t member) {
  return member_at(member).state.admits(http::IoThread::now());
}

bool UpstreamAttempts::is_unreachable(std::size_t member) {
  return member_at(member).is_unreachable.load(std::memory_order_relaxed);
}

UpstreamShared::PerThread& UpstreamAttempts::on_this_thread() const {
  return shared_->threads[thread_.index()];
}

UpstreamShared::Member& UpstreamAttempts::member_at(std::size_t index) const {
  return *shared_->members[order_.group][index];
}

void UpstreamAttempts::go_to(RetryPlan::Attempt attempt) {
  member_ = attempt.member;
  if (attempt.delay.count() == 0) {
    send();
    return;
  }
  on_this_thread().waiting.insert(shared_from_this());
  thread_.set_timer(timer_, attempt.delay);
}

void UpstreamAttempts::on_waited() {
  const auto self = shared_from_this();
  on_this_thread().waiting.erase(self);
  send();
}

void UpstreamAttempts::fail_unreachable() {
  if (handler_ != nullptr) {
    release()->on_error({.error = {ErrorCode::kDeadlineExceeded,
                                   "no connection in time a moment ago, and none was tried now"},
                         .at = http::FailedAt::kConnect});
  }
}

void UpstreamAttempts::send() {
  const auto& group = shared_->table.group(order_.group);
  const auto& member = group.members[member_];
  auto head = order_.head;
  const auto* const tenant = tenant_of(order_.caller);
  shared_->table.address(head, member, tenant == nullptr ? "" : tenant->credential_for(group.name));
  started_ = http::IoThread::now();
  call_ = shared_->http->request(thread_, member.url.origin, std::move(head), order_.body,
                                 shared_from_this());
}

bool UpstreamAttempts::try_again(const AttemptFailure& failure) {
  if (!order_.body || on_this_thread().is_closed) {
    return false;
  }
  const auto next = plan_.after(failure, *this, http::IoThread::now());
  if (!next) {
    return false;
  }
  const auto self = shared_from_this();  // the attempt may hold the last reference
  std::exchange(call_, nullptr)->cancel();
  go_to(*next);
  return true;
}

std::optional<AttemptFailure> UpstreamAttempts::failure_of(const http::ResponseHead& head) const {
  if (head.status < 500 && head.status != 429) {
    return std::nullopt;
  }
  AttemptFailure failure;
  failure.end = head.status == 429   ? AttemptEnd::kRateLimited
                : head.status == 503 ? AttemptEnd::kBusy
                                     : AttemptEnd::kServerError;
  failure.retry_after = retry_after(head.headers, shared_->clock->now_ms());
  return failure;
}

// Empty where the request itself is at fault.
std::optional<AttemptFailure> UpstreamAttempts::record(const http::ClientError& error) {
  const auto now = http::IoThread::now();
  auto& member = member_at(member_);
  const auto code = error.error.code;
  if (code == ErrorCode::kInvalidArgument) {
    member.state.record_nothing(now);
    return std::nullopt;
  }
  const auto end = end_of(error);
  if (code == ErrorCode::kOverloaded) {  // our own bound
    member.state.record_nothing(now);
  } else {
    member.is_unreachable.store(end == AttemptEnd::kUnreachable, std::memory_order_relaxed);
    member.state.record_failure(result_of(error), now);
  }
  return AttemptFailure{end};
}

std::shared_ptr<http::ResponseHandler> UpstreamAttempts::release() {
  call_.reset();
  return std::exchange(handler_, nullptr);
}

}  // namespace llm_edge_cache::proxy
