// A call that somebody waits for until its deadline.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "core/tier.hpp"
#include "llm_edge_cache/result.hpp"
#include "tiers/disk/disk_context.hpp"

namespace llm_edge_cache::disk {

// T is a Result. The handler is called once, by whoever comes first: complete() or the deadline.
// Errors are counted. Thread-safe.
template <class T>
class TimedCall final : public Deadlines::Waiter {
 public:
  using Handler = Tier::Handler<T>;

  [[nodiscard]] static std::shared_ptr<TimedCall> start(DiskContext& context, TimePoint deadline,
                                                        Handler handler) {
    auto call = std::make_shared<TimedCall>(context, deadline, std::move(handler));
    context.deadlines.watch(call, deadline);
    return call;
  }
  TimedCall(DiskContext& context, TimePoint deadline, Handler handler)
      : context_(context), deadline_(deadline), handler_(std::move(handler)) {}

  void complete(T outcome) {
    if (over_.exchange(true, std::memory_order_acq_rel)) return;
    context_.deadlines.forget(*this, deadline_);
    finish(std::move(outcome));
  }
  void on_deadline() override {
    if (over_.exchange(true, std::memory_order_acq_rel)) return;
    finish(Error{ErrorCode::kDeadlineExceeded, "disk: no answer in time"});
  }

 private:
  void finish(T outcome) {
    if (!outcome.ok()) context_.counters.add_error(outcome.error().code);
    std::exchange(handler_, nullptr)(std::move(outcome));
  }

  DiskContext& context_;
  const TimePoint deadline_;
  std::atomic<bool> over_{false};
  Handler handler_;
};

using RemovalCall = std::shared_ptr<TimedCall<Result<bool>>>;
using StatusCall = std::shared_ptr<TimedCall<Status>>;

}  // namespace llm_edge_cache::disk
