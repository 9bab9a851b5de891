#include "proxy/embedding_fetch.hpp"

#include <chrono>
#include <string>
#include <utility>

#include "proxy/cache_decision.hpp"
#include "proxy/embedding_lookup.hpp"
#include "proxy/fleet_turns.hpp"
#include "proxy/proxy_error.hpp"

namespace llm_edge_cache::proxy {
namespace {

class EmbeddingFetch final : public http::ResponseHandler,
                             public FlightSource,
                             public std::enable_shared_from_this<EmbeddingFetch> {
 public:
  EmbeddingFetch(ServicesPtr services, http::IoThread& thread, EmbeddingOrder order)
      : services_(std::move(services)),
        thread_(thread),
        order_(std::move(order)),
        turns_(services_->cache, thread) {}

  void start() {
    if (order_.must_recheck_l1) {
      recheck_l1();
    }
    if (order_.may_ask_l2 && services_->cache.has_l2() && !batch().is_complete()) {
      ask_l2();
    } else {
      call_or_serve();
    }
  }

  void on_head(http::ResponseHead head) override {
    first_byte_ = Clock::now() - started_;
    services_->metrics.observe_first_byte(first_byte_);
    http::strip_hop_by_hop(head.headers);
    head_ = std::move(head);
    if (const auto refusal = judge_head(head_, AnswerForm::kJson)) {
      pass_on(*refusal);
    }
  }

  void on_data(std::string_view bytes) override {
    if (is_passing_) {
      order_.flight->append(bytes);
      return;
    }
    collected_ += bytes;
    if (collected_.size() > kMaxEmbeddingAnswerBytes) {
      pass_on(StoreRefusal::kTooLarge);
    }
  }

  void on_batch_end() override {
    if (is_passing_) {
      follow(order_.flight->tell());
    }
  }

  void on_end(http::ResponseEnd end) override {
    services_->metrics.observe_upstream_latency(Clock::now() - started_);
    call_.reset();
    services_->metrics.count_upstream(head_.status >= 500 ? UpstreamResult::kServerError
                                                          : UpstreamResult::kOk);
    if (is_passing_) {
      end_passing(end);
    } else if (const auto fetched =
                   is_for_all_ ? batch().read_all(collected_) : batch().read_missing(collected_)) {
      answer_with(*fetched);
    } else if (is_for_all_) {
      answer_unread(end);
    } else {
      call(Ask::kAll);
    }
  }

  void on_error(http::ClientError error) override {
    call_.reset();
    services_->metrics.count_upstream(to_upstream_result(error));
    if (error.at == http::FailedAt::kBody) {
      services_->metrics.count_refusal(StoreRefusal::kTruncated);
    }
    finish({.kind = is_passing_ ? FlightEnding::Kind::kBroken : FlightEnding::Kind::kFailed,
            .error = to_proxy_error(error)});
  }

  void resume() override {
    if (call_ != nullptr) {
      call_->resume();
    }
  }

  // A purged element alone is no reason: whoever waits finds the others.
  void give_way() override {
    if (tag_ticket_ != nullptr && tag_ticket_->is_void()) (void)turns_.release();
  }

  void abandon() override {
    if (call_ != nullptr) {
      std::exchange(call_, nullptr)->cancel();
      services_->metrics.count_upstream(UpstreamResult::kAbandoned);
      finish({.kind = FlightEnding::Kind::kBroken, .error = truncated_error()});
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Ask { kMissing, kAll };

  // As UpstreamCall's.
  void on_overdue() {
    const auto self = shared_from_this();
    (void)turns_.release();
    leave_table();
    follow(order_.flight->stop_recording());
  }

  [[nodiscard]] EmbeddingBatch& batch() { return *order_.batch; }

  void recheck_l1() {
    const auto now_ms = services_->clock->now_ms();
    for (const auto slot : batch().missing()) {
      batch().offer(slot, services_->cache.lookup_l1(batch().key_of(slot)), order_.directives,
                    now_ms);
    }
    batch().drop_disagreement();
  }

  void ask_l2() {
    look_up_missing(services_, thread_, order_.batch, order_.directives,
                    [self = shared_from_this()] { self->after_l2(); });
  }

  // One turn for the batch: processes that ask for the same elements at once make one call, those
  // whose batches overlap do not wait for each other (docs/decisions/0008).
  void after_l2() {
    if (batch().is_complete()) {
      turns_.note_found();
      call_or_serve();
    } else if (order_.shared_as && order_.may_store) {
      turns_.take(batch().key(), [self = shared_from_this()](FleetTurns::Next next) {
        if (next == FleetTurns::Next::kAskStore) {
          self->ask_l2();
        } else {
          self->call_or_serve();
        }
      });
    } else {
      call_or_serve();
    }
  }

  void call_or_serve() {
    batch().drop_too_old(order_.directives, services_->clock->now_ms());
    if (batch().is_complete()) {
      leave_table();
      order_.flight->end({.kind = FlightEnding::Kind::kFound, .found = batch().served()});
      return;
    }
    services_->metrics.flight_started();
    if (order_.caller != nullptr) {
      if (auto refusal = order_.caller->refuse_call(http::IoThread::now())) {
        finish({.kind = FlightEnding::Kind::kFailed,
                .error = *std::move(refusal),
                .is_payers_own = true});
        return;
      }
    }
    order_.flight->set_source(weak_from_this(), thread_);
    call(batch().is_all_missing_once() ? Ask::kAll : Ask::kMissing);
  }

  void call(Ask what) {
    if (services_->is_stopping.load(std::memory_order_acquire)) {
      services_->metrics.count_upstream(UpstreamResult::kAbandoned);
      finish({.kind = FlightEnding::Kind::kFailed, .error = shutting_down_error()});
      return;
    }
    is_for_all_ = what == Ask::kAll;
    collected_.clear();
    auto body = is_for_all_ ? order_.body : http::SharedBytes(batch().request_for_missing());
    if (order_.may_store) {
      tag_ticket_ = services_->cache.stamp(tags_to_store(order_.directives));
      watches_ = services_->cache.watch(batch().keys(), {});
    }
    started_ = Clock::now();
    thread_.set_timer(overdue_, services_->options.longest_shared_call());
    call_ = services_->client->request(thread_,
                                       {.group = batch().upstream(),
                                        .head = order_.upstream_head,
                                        .body = std::move(body),
                                        .is_repeatable = true,
                                        .caller = order_.caller},
                                       shared_from_this());
  }

  // From here on the answer goes to the clients as it comes. One to a part of the question says
  // nothing to them, unless it is an error.
  void pass_on(StoreRefusal refusal) {
    services_->metrics.count_refusal(refusal);
    if (!is_for_all_ && head_.status == 200) {
      std::exchange(call_, nullptr)->cancel();
      services_->metrics.count_upstream(UpstreamResult::kAbandoned);
      call(Ask::kAll);
      return;
    }
    is_passing_ = true;
    (void)turns_.release();
    leave_table();
    order_.flight->begin(flight_head());
    follow(order_.flight->stop_recording());
    if (call_ != nullptr && !collected_.empty()) {
      order_.flight->append(http::SharedBytes(std::exchange(collected_, {})));
    }
  }

  void follow(Flight::Pace pace) {
    if (pace == Flight::Pace::kPause && call_ != nullptr) {
      call_->pause();
    } else if (pace == Flight::Pace::kAbandon) {
      abandon();
    }
  }

  void answer_with(const EmbeddingBatch::Fetched& fetched) {
    const auto stored = order_.may_store ? store(fetched) : nullptr;
    if (!is_for_all_) {
      services_->metrics.count_tokens_saved(fetched.model, batch().usage_of_hits().total_tokens);
      collected_ = batch().combine(fetched);
      head_.headers.set("Content-Length", std::to_string(collected_.size()));
    }
    send_collected(is_for_all_ ? std::string() : batch().describe_hits());
    finish({.kind = FlightEnding::Kind::kWhole, .stored = stored});
  }

  // Without a length nobody can tell if a success is whole.
  void end_passing(http::ResponseEnd end) {
    if (!end.framed && head_.status == 200) {
      finish({.kind = FlightEnding::Kind::kBroken, .error = truncated_error()});
    } else {
      finish({.kind = FlightEnding::Kind::kWhole});
    }
  }

  // An answer that is not what was asked for: for the client to judge.
  void answer_unread(http::ResponseEnd end) {
    services_->metrics.count_refusal(StoreRefusal::kMalformed);
    if (!end.framed) {  // nobody can tell if it is whole
      finish({.kind = FlightEnding::Kind::kFailed, .error = truncated_error()});
      return;
    }
    send_collected({});
    finish({.kind = FlightEnding::Kind::kWhole});
  }

  [[nodiscard]] FlightHead flight_head() {
    return {.response = head_,
            .upstream = services_->upstreams.group(batch().upstream()).name,
            .first_byte = first_byte_};
  }

  void send_collected(std::string detail) {
    auto head = flight_head();
    head.is_held = true;
    head.detail = std::move(detail);
    order_.flight->begin(std::move(head));
    order_.flight->append(http::SharedBytes(std::exchange(collected_, {})));
  }

  // An entry for each element. What is returned stands for all of them.
  EntryPtr store(const EmbeddingBatch::Fetched& fetched) {
    const auto now_ms = services_->clock->now_ms();
    const auto entry_of = [&](const KeyDigest& key, std::string content,
                              const std::optional<TokenUsage>& usage) {
      AnswerReview review;
      review.model = fetched.model;
      review.usage = usage;
      return make_entry({.content = std::move(content),
                         .content_type = "application/json",
                         .review = std::move(review),
                         // Embeddings are never served stale: nobody would read what is kept.
                         .life = {lifetimes_for(order_.directives, order_.policy, key).ttl_ms, 0},
                         .tags = {}},
                        now_ms);
    };
    for (std::size_t i = 0; i < fetched.slots.size(); ++i) {
      auto content = write_embeddings({fetched.vectors[i]}, fetched.model, fetched.usages[i]);
      if (content.size() > services_->options.max_entry_bytes) {
        services_->metrics.count_refusal(StoreRefusal::kTooLarge);
        continue;
      }
      const auto& key = batch().key_of(fetched.slots[i]);
      const auto& watch = watches_[fetched.slots[i]];
      if (watch->is_over() || (tag_ticket_ != nullptr && tag_ticket_->is_void())) {
        services_->metrics.count_refusal(StoreRefusal::kPurged);
        continue;
      }
      services_->cache.store(key, entry_of(key, std::move(content), fetched.usages[i]), tag_ticket_,
                             key == batch().key() ? turns_.release() : nullptr, watch);
      services_->metrics.count_store();
    }
    tell_the_fleet();
    return entry_of(batch().key(), {}, fetched.usage);
  }

  // The lease of a batch is of no element: it ends when all of them are written.
  void tell_the_fleet() {
    if (auto lease = turns_.release()) {
      services_->cache.flush([lease = std::move(lease)](const Status& status) {
        if (status.ok()) lease->note_landed();
      });
    }
  }

  void leave_table() {
    if (order_.shared_as) {
      services_->flights.remove(*order_.shared_as, *order_.flight);
    }
  }

  void finish(FlightEnding ending) {
    overdue_.cancel();
    (void)turns_.release();
    services_->metrics.flight_ended();
    leave_table();
    order_.flight->end(std::move(ending));
  }

  const ServicesPtr services_;
  http::IoThread& thread_;
  EmbeddingOrder order_;

  FleetTurns turns_;
  std::shared_ptr<http::ClientCall> call_;
  Clock::time_point started_;
  Clock::duration first_byte_{0};
  TagTicketPtr tag_ticket_;               // from before the provider was asked, as the watches
  std::vector<RemovalWatchPtr> watches_;  // of the slots
  http::ResponseHead head_;
  std::string collected_;
  bool is_for_all_ = false;
  bool is_passing_ = false;
  http::MemberTimer<EmbeddingFetch, &EmbeddingFetch::on_overdue> overdue_{*this};
};

}  // namespace

void start_embedding_fetch(ServicesPtr services, http::IoThread& thread, EmbeddingOrder order) {
  std::make_shared<EmbeddingFetch>(std::move(services), thread, std::move(order))->start();
}

}  // namespace llm_edge_cache::proxy
