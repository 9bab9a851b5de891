#include "serve/admin_purge.hpp"

#include <atomic>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "core/tag_stamp.hpp"
#include "proxy/dialects/answer_json.hpp"
#include "serve/admin_answer.hpp"
#include "serve/cache_walk.hpp"

namespace llm_edge_cache::app {

namespace {

using ExchangePtr = std::shared_ptr<http::Exchange>;

constexpr std::size_t kMaxOrderBytes = 64U << 10U;

struct PurgeOrder {
  std::string what;
  std::string value;
};

std::optional<PurgeOrder> read_order(const std::string& body) {
  // Refuses a member that is there twice: which of two tags was meant?
  const auto json = proxy::parse_answer_json(body);
  if (!json || !json->is_object() || json->size() != 1) return std::nullopt;
  const auto member = json->begin();
  if (member.key() == "all") {
    return member.value() == true ? std::optional(PurgeOrder{"all", ""}) : std::nullopt;
  }
  for (const char* what : {"key", "tag", "model", "namespace"}) {
    if (member.key() == what && member.value().is_string() && !member.value().empty()) {
      auto value = member.value().get<std::string>();
      if (!value.empty()) return PurgeOrder{what, std::move(value)};
    }
  }
  return std::nullopt;
}

void answer_purged(const ExchangePtr& exchange, nlohmann::ordered_json purged) {
  exchange->post([exchange, body = nlohmann::ordered_json({{"purged", std::move(purged)}}).dump()] {
    answer(*exchange, 200, kJson, body + "\n");
  });
}

void answer_status(const ExchangePtr& exchange, const Status& status) {
  if (status.ok()) return answer_purged(exchange, true);
  exchange->post([exchange, error = status.error()] { answer_error(*exchange, error); });
}

// Removes what the walk finds of a model, a page at a time.
class ModelPurge : public std::enable_shared_from_this<ModelPurge> {
 public:
  ModelPurge(TieredCache& cache, ExchangePtr exchange, std::string model)
      : cache_(cache),
        exchange_(std::move(exchange)),
        model_(std::move(model)),
        walk_(std::make_shared<CacheWalk>(cache)) {}

  void next_page() {
    if (exchange_->ended()) return;
    walk_->next([self = shared_from_this()](Result<std::vector<KeyedEntry>> page) {
      // Never deeper than one page, on whatever thread the tiers answer.
      self->exchange_->post([self, page = std::move(page)] { self->remove(page); });
    });
  }

 private:
  void remove(const Result<std::vector<KeyedEntry>>& page) {
    if (exchange_->ended()) return;
    if (!page.ok()) return answer_status(exchange_, page.error());
    if (page->empty()) return answer_purged(exchange_, removed_.load());
    left_ = page->size();
    for (const auto& one : *page) {
      if (one.entry->response.model != model_) {
        end_one();
        continue;
      }
      cache_.remove(one.key, [self = shared_from_this()](const Result<bool>& removed) {
        if (!removed.ok()) self->has_failed_ = true;
        if (removed.ok() && removed.value()) ++self->removed_;
        self->end_one();
      });
    }
  }

  void end_one() {
    if (left_.fetch_sub(1) > 1) return;
    exchange_->post([self = shared_from_this()] {
      if (!self->has_failed_) return self->next_page();
      answer_error(*self->exchange_, 503, "unavailable", "the second store did not answer");
    });
  }

  TieredCache& cache_;
  const ExchangePtr exchange_;
  const std::string model_;
  const std::shared_ptr<CacheWalk> walk_;
  std::atomic<std::size_t> left_{0};
  std::atomic<std::uint64_t> removed_{0};
  std::atomic<bool> has_failed_{false};
};

void purge(TieredCache& cache, const ExchangePtr& exchange, const PurgeOrder& order) {
  const auto done = [exchange](const Status& status) { answer_status(exchange, status); };
  if (order.what == "all") return cache.clear(done);
  if (order.what == "tag") return cache.purge_tag(order.value, done);
  if (order.what == "namespace") return cache.purge_tag(namespace_tag(order.value), done);
  if (order.what == "model") {
    return std::make_shared<ModelPurge>(cache, exchange, order.value)->next_page();
  }
  const auto key = key_digest_from_hex(order.value);
  if (!key) {
    return answer_error(*exchange, 400, "invalid_argument", "'key' is not 64 hex digits");
  }
  cache.remove(*key, [exchange](const Result<bool>& removed) {
    if (!removed.ok()) return answer_status(exchange, removed.error());
    answer_purged(exchange, removed.value() ? 1 : 0);
  });
}

}  // namespace

void start_purge(TieredCache& cache, std::shared_ptr<http::Exchange> exchange) {
  auto& reader = *exchange;
  reader.read_body(kMaxOrderBytes, [&cache, exchange = std::move(exchange)](
                                       const Result<std::string>& body) {
    if (!body.ok()) return;  // answered by the server
    const auto order = read_order(*body);
    if (order) return purge(cache, exchange, *order);
    answer_error(*exchange, 400, "invalid_argument",
                 R"(one of {"key": ".."}, {"tag": ".."}, {"model": ".."}, {"namespace": ".."} and )"
                 R"({"all": true})");
  });
}

}  // namespace llm_edge_cache::app
