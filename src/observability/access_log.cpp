#include "observability/access_log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <chrono>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "observability/log_file_sink.hpp"
#include "observability/logging.hpp"

namespace llm_edge_cache::observability {

namespace {

class Line {
 public:
  void add(std::string_view name, std::string_view text) {
    start(name);
    line_ += '"';
    append_json_escaped(line_, text);
    line_ += '"';
  }
  void add_if_any(std::string_view name, std::string_view text) {
    if (!text.empty()) add(name, text);
  }
  void add(std::string_view name, std::uint64_t number) {
    start(name);
    line_ += std::to_string(number);
  }
  void add_ms(std::string_view name, std::chrono::microseconds time) {
    start(name);
    line_ += fmt::format("{:.3f}", static_cast<double>(time.count()) / 1'000);
  }
  std::string take() && { return std::move(line_) + "}"; }

 private:
  void start(std::string_view name) {
    line_ += line_.empty() ? "{\"" : ",\"";
    line_ += name;
    line_ += "\":";
  }
  std::string line_;
};

std::string time_text(UnixMillis time_ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(time_ms)};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (time - seconds).count());
}

std::string_view tier_of(LookupOutcome outcome) {
  switch (outcome) {
    case LookupOutcome::kL1Hit:
      return "l1";
    case LookupOutcome::kL2Hit:
      return "l2";
    case LookupOutcome::kL3Hit:
      return "l3";
    default:
      return "";
  }
}

// Null where the target is standard output.
std::shared_ptr<FileSink> open_file(const std::string& target) {
  if (target == "-") return nullptr;
  auto file = LogFile::open(target);
  if (!file) throw std::runtime_error(fmt::format("--access-log: {}", file.error().message));
  return std::make_shared<FileSink>(*std::move(file));
}

spdlog::sink_ptr sink_of(const std::shared_ptr<FileSink>& file) {
  if (file == nullptr) return std::make_shared<spdlog::sinks::stdout_sink_mt>();
  return file;
}

}  // namespace

std::string access_line(const proxy::AccessRecord& record) {
  Line line;
  line.add("time", time_text(record.time_ms));
  line.add("method", record.method);
  line.add("path", record.path);
  line.add("status", std::uint64_t{record.status});
  if (record.outcome) {
    line.add("outcome", to_string(*record.outcome));
    line.add_if_any("tier", tier_of(*record.outcome));
  }
  if (record.key) line.add("key", std::string_view(to_hex(*record.key)).substr(0, 16));
  line.add_if_any("model", record.model);
  if (record.tokens) line.add("tokens", *record.tokens);
  line.add("bytes", record.answer_bytes);
  line.add_ms("total_ms", record.total);
  line.add_if_any("tenant", record.tenant);
  line.add_if_any("upstream", record.upstream);
  if (record.upstream_first_byte) {
    line.add_ms("upstream_first_byte_ms", *record.upstream_first_byte);
  }
  line.add_if_any("trace_id", record.trace_id);
  return std::move(line).take();
}

struct AccessLog::Writer {
  explicit Writer(const std::string& target)
      : file(open_file(target)),
        pool(std::make_shared<spdlog::details::thread_pool>(kMaxWaitingLines, 1)),
        logger(std::make_shared<spdlog::async_logger>(
            "access", sink_of(file), pool, spdlog::async_overflow_policy::overrun_oldest)) {
    logger->set_pattern("%v");
    logger->flush_on(spdlog::level::info);
  }

  const std::shared_ptr<FileSink> file;  // null: standard output
  // The pool's destructor writes what waits; messages hold the logger.
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
};

AccessLog::AccessLog(const std::string& target) : writer_(std::make_unique<Writer>(target)) {}

AccessLog::~AccessLog() = default;

void AccessLog::write(const proxy::AccessRecord& record) {
  writer_->logger->info(access_line(record));
}

bool AccessLog::has_file() const {
  return writer_->file != nullptr;
}

Status AccessLog::reopen() {
  return has_file() ? writer_->file->reopen() : Status();
}

std::uint64_t AccessLog::dropped() const {
  return writer_->pool->overrun_counter() + (has_file() ? writer_->file->lost() : 0);
}

}  // namespace llm_edge_cache::observability
