// One call to the upstream, which feeds a flight and, if all goes well, the cache.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/client.hpp"
#include "proxy/cache_decision.hpp"
#include "proxy/flight.hpp"
#include "proxy/proxy_services.hpp"

namespace llm_edge_cache::proxy {

// How an answer is to be recorded.
struct Recording {
  const Dialect* dialect = nullptr;
  AnswerForm form = AnswerForm::kJson;
  KeyDigest key;
  std::optional<FlightKey> shared_as;  // the flight's place in the table, if it has one
  Lifetimes life;
  std::vector<std::string> tags;
};

// On the thread it was made for, all of it. Keeps itself alive until the call is over.
class UpstreamCall final : public http::ResponseHandler,
                           public FlightSource,
                           public std::enable_shared_from_this<UpstreamCall> {
 public:
  // recording: empty for an answer that only passes.
  // lease: of a flight that is made for the fleet; null for none. Given back as soon as it is known
  // that the answer will not be stored, or with it.
  UpstreamCall(ServicesPtr services, http::IoThread& thread, std::shared_ptr<Flight> flight,
               std::optional<Recording> recording, FlightLeasePtr lease = nullptr);

  // A body that is streamed goes through the call that is returned. Null where the proxy is
  // stopping; the flight has failed then.
  std::shared_ptr<http::ClientCall> start(UpstreamOrder order);

  void on_head(http::ResponseHead head) override;
  void on_data(std::string_view bytes) override;
  void on_batch_end() override;
  void on_end(http::ResponseEnd end) override;
  void on_error(http::ClientError error) override;

  void resume() override;
  void abandon() override;
  void give_way() override;

 private:
  using Clock = std::chrono::steady_clock;

  // A provider that sends a little now and then, and never an answer, would keep all who ask the
  // same from asking again.
  void on_overdue();
  void refuse(StoreRefusal refusal);
  void follow(Flight::Pace pace);
  [[nodiscard]] EntryPtr store_answer();
  // Since the provider was asked.
  [[nodiscard]] bool is_purged() const;
  [[nodiscard]] UpstreamResult result_or(UpstreamResult result) const;
  void leave_table();
  void finish(FlightEnding ending, UpstreamResult result);

  const ServicesPtr services_;
  http::IoThread& thread_;
  const std::shared_ptr<Flight> flight_;
  const std::optional<Recording> recording_;

  std::shared_ptr<http::ClientCall> call_;
  std::string upstream_;
  Clock::time_point started_;
  std::uint16_t status_ = 0;
  std::string content_type_;
  bool is_held_ = false;   // as FlightHead's
  bool is_whole_ = false;  // as AnswerReview's
  std::optional<StoreRefusal> refusal_;
  FlightLeasePtr lease_;
  TagTicketPtr tag_ticket_;  // from before the provider was asked, as the watch
  RemovalWatchPtr watch_;
  http::MemberTimer<UpstreamCall, &UpstreamCall::on_overdue> overdue_{*this};
};

}  // namespace llm_edge_cache::proxy
