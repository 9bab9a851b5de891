#include "proxy/pass_through.hpp"

#include <cstdint>
#include <optional>
#include <utility>

#include "base/parse_number.hpp"
#include "proxy/access_record.hpp"
#include "proxy/flight_follower.hpp"
#include "proxy/proxy_error.hpp"
#include "proxy/upstream_call.hpp"
#include "proxy/upstream_request.hpp"

namespace llm_edge_cache::proxy {
namespace {

// A body up to here is read whole before it goes up: the client can then repeat the request on a
// fresh connection if the pooled one proves dead.
constexpr std::uint64_t kMaxBufferedBytes = 1U << 20U;

std::optional<std::uint64_t> declared_length(const http::Headers& headers) {
  const auto text = headers.get("content-length");
  if (!text) {
    return headers.contains("transfer-encoding") ? std::nullopt : std::optional<std::uint64_t>(0);
  }
  return parse_number<std::uint64_t>(*text);
}

// RFC 9110, 9.2.2.
bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" ||
         method == "DELETE";
}

// One passing request. Kept alive by the call-backs of its body and by nothing after that.
class Passage : public std::enable_shared_from_this<Passage> {
 public:
  Passage(ServicesPtr services, std::shared_ptr<http::Exchange> exchange, const Dialect& dialect)
      : services_(std::move(services)), exchange_(std::move(exchange)), dialect_(dialect) {}

  void start() {
    const auto length = declared_length(exchange_->head().headers);
    if (!length || *length > kMaxBufferedBytes) {
      start_streaming();
      return;
    }
    exchange_->read_body(kMaxBufferedBytes, [self = shared_from_this()](Result<std::string> body) {
      if (body.ok()) {  // else the server has answered
        (void)self->call(upstream_head(self->exchange_->head(), self->cors()),
                         http::SharedBytes(std::move(*body)));
      }
    });
  }

  std::shared_ptr<http::ClientCall> call(http::RequestHead head,
                                         std::optional<http::SharedBytes> body) {
    const auto& request = exchange_->head();
    const auto group = services_->policies()->keyer.upstream_of(request, body ? body->view() : "");
    if (!group) {
      refuse(no_upstream_error());
      return nullptr;
    }
    FlightOptions options;
    options.max_recorded_bytes = 0;
    const auto flight = std::make_shared<Flight>(options);
    FollowerOptions following;
    following.dialect = &dialect_;
    following.outcome = LookupOutcome::kBypass;
    following.forward_reason = ForwardReason::kBypass;
    follower_ = std::make_shared<FlightFollower>(services_, exchange_, std::move(following));
    if (!follower_->lead(flight)) {
      return nullptr;
    }
    const auto upstream =
        std::make_shared<UpstreamCall>(services_, exchange_->io_thread(), flight, std::nullopt);
    return upstream->start({.group = *group,
                            .head = std::move(head),
                            .body = std::move(body),
                            .is_repeatable = is_idempotent(request.method),
                            .caller = caller_of(*exchange_)});
  }

 private:
  [[nodiscard]] const CorsPolicy& cors() const { return services_->policies()->cors; }

  void refuse(const ProxyError& error) {
    services_->metrics.count_request(LookupOutcome::kBypass);
    note_outcome(*exchange_, LookupOutcome::kBypass);
    services_->metrics.count_own_error();
    respond_error(*exchange_, dialect_, error, refusal_status(error.code));
  }

  void start_streaming() {
    upstream_ = call(upstream_head(exchange_->head(), cors()), std::nullopt);
    if (upstream_ == nullptr) {
      return;
    }
    upstream_->on_drain([weak = weak_from_this()] {
      if (const auto self = weak.lock()) {
        self->exchange_->resume_body();
      }
    });
    exchange_->stream_body(
        {.on_data = [self = shared_from_this()](std::string_view bytes) { self->pass(bytes); },
         .on_end = [self = shared_from_this()](const Status& status) { self->end_body(status); }});
  }

  void pass(std::string_view bytes) {
    if (upstream_->write(bytes) == http::WriteResult::kQueued) {
      exchange_->pause_body();
    }
  }

  void end_body(const Status& status) {
    if (status.ok()) {
      upstream_->finish();
    } else {
      follower_->leave();  // nobody is left: the call is given up
    }
  }

  const ServicesPtr services_;
  const std::shared_ptr<http::Exchange> exchange_;
  const Dialect& dialect_;
  std::shared_ptr<FlightFollower> follower_;
  std::shared_ptr<http::ClientCall> upstream_;
};

}  // namespace

void pass_through(ServicesPtr services, std::shared_ptr<http::Exchange> exchange,
                  const Dialect& dialect) {
  std::make_shared<Passage>(std::move(services), std::move(exchange), dialect)->start();
}

void pass_through_recorded_path(ServicesPtr services, std::shared_ptr<http::Exchange> exchange,
                                const Dialect& dialect, http::SharedBytes body) {
  auto head = recorded_upstream_head(exchange->head(), services->policies()->cors);
  std::make_shared<Passage>(std::move(services), std::move(exchange), dialect)
      ->call(std::move(head), std::move(body));
}

}  // namespace llm_edge_cache::proxy
