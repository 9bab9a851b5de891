#include "admin_client.hpp"

#include <fmt/format.h>

#include <cctype>
#include <cstdlib>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "http/client.hpp"
#include "http/io_threads.hpp"
#include "http/url.hpp"
#include "serve/admin_access.hpp"

namespace llm_edge_cache::app {

namespace {

constexpr std::int64_t kConnectTimeoutMs = 10'000;
constexpr std::int64_t kSilenceMs = 60'000;
constexpr std::size_t kMaxBodyBytes = 64U << 20U;

// All but construction and answer() on the I/O thread.
class AdminCall final : public http::ResponseHandler,
                        public std::enable_shared_from_this<AdminCall> {
 public:
  explicit AdminCall(AdminRequest request) : request_(std::move(request)) {}

  std::future<Result<AdminAnswer>> answer() { return promise_.get_future(); }

  void start(http::Client& client, http::IoThread& thread, const http::Url& url,
             const std::string& token) {
    http::RequestHead head;
    head.method = request_.method;
    head.target = url.path + request_.target;
    if (!token.empty()) head.headers.add("Authorization", "Bearer " + token);
    if (request_.method == "POST") head.headers.add("Content-Type", request_.content_type);
    std::optional<http::SharedBytes> body;
    if (request_.next_piece == nullptr) body = http::SharedBytes(request_.body);
    call_ =
        client.request(thread, url.origin, std::move(head), std::move(body), shared_from_this());
    if (request_.next_piece == nullptr) return;
    call_->on_drain([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->send();
    });
    send();
  }

  void on_head(http::ResponseHead head) override { answer_.status = head.status; }
  void on_data(std::string_view bytes) override {
    if (request_.on_data != nullptr && answer_.status == 200) {
      if (!request_.on_data(bytes)) stop({ErrorCode::kIo, "the output cannot be written"});
    } else if (answer_.body.size() + bytes.size() > kMaxBodyBytes) {
      stop({ErrorCode::kTooLarge, "answer over 64 MiB"});
    } else {
      answer_.body += bytes;
    }
  }
  void on_end(http::ResponseEnd end) override {
    if (!end.framed) return finish(Error{ErrorCode::kProtocol, "the answer was cut"});
    finish(std::move(answer_));
  }
  void on_error(http::ClientError error) override { finish(std::move(error.error)); }

 private:
  void send() {
    if (is_sending_ || is_over_ || has_sent_all_) return;
    is_sending_ = true;
    auto written = http::WriteResult::kSent;
    while (written == http::WriteResult::kSent && !is_over_) {
      auto piece = request_.next_piece();
      if (!piece) {
        stop(piece.error());
      } else if (piece->empty()) {
        has_sent_all_ = true;
        call_->finish();
        break;
      } else {
        written = call_->write(*piece);
      }
    }
    is_sending_ = false;
  }
  void stop(Error error) {
    if (is_over_) return;
    call_->cancel();
    finish(std::move(error));
  }
  void finish(Result<AdminAnswer> outcome) {
    if (std::exchange(is_over_, true)) return;
    promise_.set_value(std::move(outcome));
  }

  const AdminRequest request_;
  std::promise<Result<AdminAnswer>> promise_;
  std::shared_ptr<http::ClientCall> call_;
  AdminAnswer answer_;
  bool is_sending_ = false;
  bool has_sent_all_ = false;
  bool is_over_ = false;
};

}  // namespace

void AdminServer::add_options(CLI::App& command) {
  command.add_option("--admin", url, "URL of its admin listener")->capture_default_str();
  command.add_option("--token-file", token_file,
                     "File with the admin listener's token [LLM_EDGE_CACHE_ADMIN_TOKEN has it "
                     "itself]");
  command.add_option("--admin-ca-file", ca_file,
                     "PEM file of authorities to trust beside the system's, for an https URL");
}

Result<std::string> AdminServer::token() const {
  if (!token_file.empty()) return AdminAccess::load_token(token_file);
  const char* token = std::getenv("LLM_EDGE_CACHE_ADMIN_TOKEN");
  return std::string(token == nullptr ? "" : token);
}

Result<AdminAnswer> ask_admin(const AdminServer& server, AdminRequest request) {
  const auto url = http::parse_url(server.url);
  if (!url) return url.error();
  const auto token = server.token();
  if (!token) return token.error();
  http::IoThreads threads({.threads = 1});
  http::ClientOptions options;
  options.tls.extra_ca_file = server.ca_file;
  options.connect_timeout_ms = kConnectTimeoutMs;
  options.first_byte_timeout_ms = kSilenceMs;
  options.idle_read_timeout_ms = kSilenceMs;
  http::Client client(threads, options);
  const auto call = std::make_shared<AdminCall>(std::move(request));
  auto answer = call->answer();
  threads.at(0).post([&, call] { call->start(client, threads.at(0), *url, *token); });
  return answer.get();
}

Result<std::string> body_of(const Result<AdminAnswer>& answer) {
  if (!answer) return answer.error();
  if (answer->status == 200) return answer->body;
  const auto json = nlohmann::json::parse(answer->body, nullptr, /*allow_exceptions=*/false);
  std::string why = fmt::format("answered status {}", answer->status);
  if (json.is_object() && json.contains("error") && json["error"].is_object()) {
    const auto& error = json["error"];
    why += ", " + error.value("code", "") + (error.contains("message") ? ": " : "") +
           error.value("message", "");
  }
  return Error{ErrorCode::kProtocol, std::move(why)};
}

void EntryChoice::add_options(CLI::App& command) {
  command.add_option("--model", model, "Only entries of this model");
  command.add_option("--tag", tag, "Only entries with this tag");
  command.add_option("--max-age-seconds", max_age_seconds, "Only entries that are no older");
}

std::string EntryChoice::query() const {
  std::string query;
  const auto add = [&query](std::string_view name, std::string_view value) {
    query += fmt::format("{}{}={}", query.empty() ? '?' : '&', name, percent_encoded(value));
  };
  if (!model.empty()) add("model", model);
  if (!tag.empty()) add("tag", tag);
  if (max_age_seconds) add("max_age_seconds", std::to_string(*max_age_seconds));
  return query;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.')) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

}  // namespace llm_edge_cache::app
