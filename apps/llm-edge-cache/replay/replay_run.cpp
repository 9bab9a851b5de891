#include "replay/replay_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <future>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "base/sha256.hpp"
#include "replay/answer_usage.hpp"
#include "replay/cache_outcome.hpp"

namespace llm_edge_cache::app {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kProgressEvery{200};

http::SharedBytes chat_body(const std::string& prompt, const ReplayOptions& options) {
  nlohmann::ordered_json body = {
      {"model", options.model},
      {"messages", nlohmann::ordered_json::array({{{"role", "user"}, {"content", prompt}}})}};
  if (options.stream) {
    body["stream"] = true;
    body["stream_options"] = {{"include_usage", true}};
  }
  return http::SharedBytes(body.dump());
}

std::string error_kind(const http::ClientError& error) {
  if (error.error.code == ErrorCode::kDeadlineExceeded) return "timeout";
  return error.at == http::FailedAt::kConnect ? "connect" : "broken_answer";
}

http::ClientOptions client_options(const ReplayOptions& options) {
  http::ClientOptions client;
  client.max_connections_per_origin = options.concurrency;
  client.max_idle_per_origin = options.concurrency;
  client.first_byte_timeout_ms = 600'000;
  return client;
}

// Lives on one I/O thread; nothing of it is locked.
class Run {
 public:
  Run(const PromptStream& prompts, const ReplayOptions& options, http::Url target,
      std::function<void(const ReplayProgress&)> on_progress)
      : prompts_(prompts),
        options_(options),
        target_(std::move(target)),
        on_progress_(std::move(on_progress)),
        client_(threads_, client_options(options)),
        timer_(thread().context()),
        tokens_(prompts.distinct.size()) {
    for (const auto& prompt : prompts.distinct) bodies_.push_back(chat_body(prompt, options));
    if (options.verify) result_.answers.resize(prompts.distinct.size());
  }

  ReplayResult run() {
    const auto started = Clock::now();
    thread().post([this] {
      for (std::size_t i = 0; i < std::min(options_.concurrency, total()); ++i) send_next();
      report_progress();
    });
    finished_.get_future().wait();
    // What still runs on the thread must be over before the members go.
    threads_.run_on_each([](http::IoThread&) {});
    result_.duration_ms = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started).count());
    return std::move(result_);
  }

 private:
  class Answer;

  http::IoThread& thread() { return threads_.at(0); }
  [[nodiscard]] std::size_t total() const { return prompts_.order.size() * options_.repeat; }

  void send_next();

  void on_answered(std::uint32_t prompt, std::optional<LookupOutcome> outcome,
                   std::string_view body, std::uint32_t latency_us) {
    result_.stats.add_answer(outcome, latency_us);
    if (outcome && is_hit(*outcome)) {
      if (!tokens_[prompt]) tokens_[prompt] = total_tokens_of(body);
      result_.stats.add_tokens_saved(*tokens_[prompt]);
    }
    if (options_.verify) compare(prompt, body);
    on_done();
  }

  void compare(std::uint32_t prompt, std::string_view body) {
    const auto digest = sha256(body);
    auto& first = result_.answers[prompt];
    if (!first) {
      first = digest;
    } else if (*first != digest) {
      result_.stats.add_mismatch();
    }
  }

  void on_failed(const std::string& kind) {
    result_.stats.add_error(kind);
    on_done();
  }

  void on_done() {
    if (result_.stats.requests() == total()) {
      timer_.cancel();
      finished_.set_value();
      return;
    }
    // Not from inside the call-back: the connection is free only after it.
    thread().post([this] { send_next(); });
  }

  void report_progress() {
    if (!on_progress_) return;
    timer_.expires_after(kProgressEvery);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error || result_.stats.requests() == total()) return;
      on_progress_({.answered = result_.stats.requests(),
                    .total = total(),
                    .hits = result_.stats.hits(),
                    .errors = result_.stats.errors()});
      report_progress();
    });
  }

  const PromptStream& prompts_;
  const ReplayOptions& options_;
  const http::Url target_;
  const std::function<void(const ReplayProgress&)> on_progress_;
  std::promise<void> finished_;
  http::IoThreads threads_{{.threads = 1}};
  http::Client client_;
  boost::asio::steady_timer timer_;
  std::vector<http::SharedBytes> bodies_;             // by distinct prompt
  std::vector<std::optional<std::uint64_t>> tokens_;  // of its answer, once known
  ReplayResult result_;
  std::size_t sent_ = 0;
};

class Run::Answer final : public http::ResponseHandler {
 public:
  Answer(Run& run, std::uint32_t prompt) : run_(run), prompt_(prompt) {}

  void on_head(http::ResponseHead head) override {
    status_ = head.status;
    for (const auto field : head.headers.all("cache-status")) {
      if (const auto outcome = parse_cache_outcome(field)) outcome_ = outcome;
    }
  }
  void on_data(std::string_view bytes) override { body_ += bytes; }
  void on_end(http::ResponseEnd end) override {
    if (status_ != 200) return run_.on_failed(fmt::format("status_{}", status_));
    if (!end.framed) return run_.on_failed("broken_answer");
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - sent_);
    run_.on_answered(prompt_, outcome_, body_, static_cast<std::uint32_t>(took.count()));
  }
  void on_error(http::ClientError error) override { run_.on_failed(error_kind(error)); }

 private:
  Run& run_;
  const std::uint32_t prompt_;
  const Clock::time_point sent_ = Clock::now();
  std::uint16_t status_ = 0;
  std::optional<LookupOutcome> outcome_;
  std::string body_;
};

void Run::send_next() {
  if (sent_ == total()) return;
  const auto prompt = prompts_.order[sent_++ % prompts_.order.size()];
  http::RequestHead head;
  head.method = "POST";
  head.target = target_.path + "/v1/chat/completions";
  head.headers.add("Content-Type", "application/json");
  head.headers.add("Authorization", "Bearer " + options_.api_key);
  client_.request(thread(), target_.origin, std::move(head), bodies_[prompt],
                  std::make_shared<Answer>(*this, prompt));
}

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

}  // namespace

Status ReplayOptions::validate() const {
  if (const auto url = http::parse_url(target); !url) {
    return invalid(fmt::format("--target: '{}': {}", target, url.error().message));
  }
  if (concurrency == 0 || concurrency > 10'000) {
    return invalid("--concurrency must be from 1 to 10000");
  }
  if (repeat == 0) return invalid("--repeat must be at least 1");
  return {};
}

ReplayResult replay(const PromptStream& prompts, const ReplayOptions& options,
                    const std::function<void(const ReplayProgress&)>& on_progress) {
  return Run(prompts, options, *http::parse_url(options.target), on_progress).run();
}

std::size_t compare_with_provider(const PromptStream& prompts, ReplayOptions options,
                                  const std::string& provider_url, const ReplayResult& result) {
  PromptStream each_once;
  each_once.distinct = prompts.distinct;
  each_once.order.resize(prompts.distinct.size());
  std::iota(each_once.order.begin(), each_once.order.end(), 0U);
  options.target = provider_url;
  options.repeat = 1;
  options.verify = true;
  const auto own = replay(each_once, options, nullptr);
  std::size_t different = 0;
  for (std::size_t i = 0; i < own.answers.size(); ++i) {
    if (!own.answers[i] || own.answers[i] != result.answers[i]) ++different;
  }
  return different;
}

}  // namespace llm_edge_cache::app
