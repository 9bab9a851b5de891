#include "proxy/embedding_flow.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/cache_decision.hpp"
#include "proxy/embedding_batch.hpp"
#include "proxy/embedding_fetch.hpp"
#include "proxy/embedding_lookup.hpp"
#include "proxy/proxy_error.hpp"
#include "proxy/recorded_flow.hpp"
#include "proxy/upstream_request.hpp"

namespace llm_edge_cache::proxy {
namespace {

class EmbeddingFlow final : public RecordedFlow {
 public:
  using RecordedFlow::RecordedFlow;

 private:
  void decide(std::string_view body) override {
    auto batch = EmbeddingBatch::read(policies_->keyer, dialect_, exchange_->head(),
                                      KeySpace(directives()), body);
    body_ = http::SharedBytes(std::string(body));
    if (!batch.ok()) {
      pass_on(body_);
      return;
    }
    batch_ = std::make_shared<EmbeddingBatch>(std::move(*batch));
    const auto rule = policies_->keyer.rule_of(exchange_->head(), {}, batch_->request_body());
    policy_ = &policies_->keyer.rules().policy(rule);
    plan_ = plan_request(directives(), *policy_);
    removals_ = services_->cache.removals();
    if (plan_.may_look_up) {
      landings_ = services_->flights.landings(batch_->key());
      look_up_l1();
      if (batch_->is_complete()) {
        send(batch_->served());
        return;
      }
    }
    go_on();
  }

  [[nodiscard]] const KeyDigest& key() const override { return batch_->key(); }
  [[nodiscard]] std::span<const KeyDigest> entry_keys() const override { return batch_->keys(); }
  [[nodiscard]] const RequestPlan& plan() const override { return plan_; }
  [[nodiscard]] UpstreamTable::Index upstream() const override { return batch_->upstream(); }
  [[nodiscard]] std::size_t max_recorded_bytes() const override { return kMaxEmbeddingAnswerBytes; }

  void look_up_l1() {
    const auto now_ms = services_->clock->now_ms();
    for (const auto slot : batch_->missing()) {
      batch_->offer(slot, services_->cache.lookup_l1(batch_->key_of(slot)), directives(), now_ms);
    }
    batch_->drop_disagreement();
  }

  void look_up_l2_only() override {
    look_up_missing(services_, exchange_->io_thread(), batch_, directives(), [self = self()] {
      if (self->batch_->is_complete()) {
        self->send(self->batch_->served());
      } else {
        self->refuse(not_cached_error(), LookupOutcome::kMiss);
      }
    });
  }

  [[nodiscard]] std::shared_ptr<EmbeddingFlow> self() {
    return std::static_pointer_cast<EmbeddingFlow>(shared_from_this());
  }

  void fetch(Boarded boarded) override {
    // What memory had may have been purged before the flight was watched: for this request alone.
    if (boarded.shared_as && services_->cache.removals() != removals_) {
      services_->flights.remove(*boarded.shared_as, *boarded.flight);
    }
    EmbeddingOrder order;
    order.flight = std::move(boarded.flight);
    order.batch = batch_;
    order.directives = directives();
    order.policy = *policy_;
    order.shared_as = boarded.shared_as;
    order.caller = caller_;
    order.upstream_head = recorded_upstream_head(exchange_->head(), policies_->cors);
    order.body = body_;
    order.must_recheck_l1 = boarded.must_recheck_l1;
    order.may_ask_l2 = boarded.may_ask_l2;
    order.may_store = plan_.may_store;
    start_embedding_fetch(services_, exchange_->io_thread(), std::move(order));
  }

  void on_found(const ServedAnswer& answer) override {
    if (is_acceptable(*answer.entry, directives(), services_->clock->now_ms())) {
      send(answer);
    } else {
      look_for_a_younger_one({.may_ask_l2 = plan_.may_look_up});
    }
  }

  void send(const ServedAnswer& answer) {
    count_served(*services_, answer);
    respond_served(*exchange_, answer, batch_->key(), services_->clock->now_ms());
  }

  const CachePolicy* policy_ = nullptr;  // the keyer's
  RequestPlan plan_;
  http::SharedBytes body_;
  std::shared_ptr<EmbeddingBatch> batch_;
  std::uint64_t removals_ = 0;  // from before memory was looked up
};

}  // namespace

void start_embedding_flow(ServicesPtr services, std::shared_ptr<http::Exchange> exchange,
                          const KnownHead& known) {
  std::make_shared<EmbeddingFlow>(std::move(services), std::move(exchange), known)->start();
}

}  // namespace llm_edge_cache::proxy
