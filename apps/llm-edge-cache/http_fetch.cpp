#include "http_fetch.hpp"

#include <fmt/format.h>

#include <future>
#include <memory>
#include <utility>

#include "http/client.hpp"
#include "http/io_threads.hpp"
#include "http/url.hpp"

namespace llm_edge_cache::app {

namespace {

constexpr std::int64_t kTimeoutMs = 10'000;
constexpr std::size_t kMaxFetchedBytes = 64U << 20U;

class Collector final : public http::ResponseHandler {
 public:
  std::future<Result<FetchedAnswer>> answer() { return promise_.get_future(); }

  void on_head(http::ResponseHead head) override { answer_.status = head.status; }
  void on_data(std::string_view bytes) override {
    too_large_ = too_large_ || answer_.body.size() + bytes.size() > kMaxFetchedBytes;
    if (!too_large_) answer_.body += bytes;
  }
  void on_end(http::ResponseEnd) override {
    if (too_large_) return promise_.set_value(Error{ErrorCode::kTooLarge, "answer over 64 MiB"});
    promise_.set_value(std::move(answer_));
  }
  void on_error(http::ClientError error) override { promise_.set_value(std::move(error.error)); }

 private:
  std::promise<Result<FetchedAnswer>> promise_;
  FetchedAnswer answer_;
  bool too_large_ = false;
};

}  // namespace

Result<FetchedAnswer> fetch(const std::string& url, const std::string& path) {
  const auto parsed = http::parse_url(url);
  if (!parsed) return parsed.error();
  http::IoThreads threads({.threads = 1});
  http::ClientOptions options;
  options.connect_timeout_ms = kTimeoutMs;
  options.first_byte_timeout_ms = kTimeoutMs;
  options.idle_read_timeout_ms = kTimeoutMs;
  http::Client client(threads, options);
  auto collector = std::make_shared<Collector>();
  auto answer = collector->answer();
  http::RequestHead head;
  head.target = parsed->path + path;
  threads.at(0).post([&, head = std::move(head)]() mutable {
    client.request(threads.at(0), parsed->origin, std::move(head), http::SharedBytes(),
                   std::move(collector));
  });
  return answer.get();
}

}  // namespace llm_edge_cache::app
