#include "tiers/disk/disk_tier.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <utility>

#include "core/entry_compression.hpp"
#include "tiers/common/wait.hpp"
#include "tiers/disk/database.hpp"
#include "tiers/disk/disk_context.hpp"
#include "tiers/disk/disk_path.hpp"
#include "tiers/disk/read_gate.hpp"
#include "tiers/disk/read_pool.hpp"
#include "tiers/disk/writer.hpp"

namespace llm_edge_cache::disk {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

CircuitBreaker::Options breaker_options(const L2Config& config) {
  return {config.breaker_failures, wait_of(config.breaker_open_ms)};
}

DatabaseOptions database_options(const L2Config& config, const EntryFormat& format,
                                 DiskTierOptions& options) {
  return {.max_bytes = config.disk_max_bytes,
          .cache_bytes = config.disk_cache_bytes,
          .ttl_ms = config.ttl_ms,
          .format = format,
          .file_system = std::move(options.file_system)};
}

Error unavailable() {
  return {ErrorCode::kUnavailable, "disk: not available"};
}

Error overloaded(std::string_view what) {
  return {ErrorCode::kOverloaded, "disk: too many " + std::string(what) + " are pending"};
}

}  // namespace

struct DiskTier::Impl {
  Impl(const L2Config& config, EntryFormat format, ClockPtr clock, std::filesystem::path path,
       DiskTierOptions options)
      : context(config, std::move(format), std::move(clock), std::move(options.on_event)),
        operation_timeout(wait_of(config.operation_timeout_ms)),
        flush_timeout(std::max(operation_timeout, wait_of(config.shutdown_flush_ms))),
        gate(breaker_options(config)),
        scan_gate(breaker_options(config)),
        writer(context, std::move(path), database_options(config, context.format, options)),
        readers({.threads = config.io_threads,
                 .max_queued = kMaxQueuedReads,
                 .timeout = operation_timeout},
                context.deadlines, gate),
        scanner({.threads = 1,
                 .max_queued = kMaxQueuedScans,
                 .timeout = wait_of(options.scan_timeout_ms)},
                context.deadlines, scan_gate) {}

  void finish(const KeyDigest& key, Found found, const Handler<Result<EntryPtr>>& handler) {
    AtomicCounters& counters = context.counters;
    switch (found.kind) {
      case Found::Kind::kEntry:
        // What was removed while it was read is gone.
        if (context.mask.hides(key)) break;
        AtomicCounters::add(counters.hits);
        return handler(std::move(found.entry));
      case Found::Kind::kFailed:
      case Found::Kind::kWouldWait:
        counters.add_error(found.error.code);
        return handler(std::move(found.error));
      case Found::Kind::kCorrupt:
        counters.add_error(ErrorCode::kCorruptData);
        context.tell(TierEventKind::kCorruptEntry,
                     "entry " + to_hex(key).substr(0, 16) + " deleted: " + found.error.message);
        discard(key);
        break;
      case Found::Kind::kExpired:
        discard(key);
        break;
      case Found::Kind::kNothing:
        break;
    }
    AtomicCounters::add(counters.misses);
    handler(EntryPtr());
  }

  // As soon as it is its turn, and only where it is still unwanted then.
  void discard(const KeyDigest& key) {
    if (auto ticket = Ticket::acquire(context.budget)) {
      writer.push({.kind = WriteOp::Kind::kDiscard, .key = key, .ticket = std::move(ticket)});
    }
  }

  // A removal or clear() whose outcome nobody can tell soon is done later all the same.
  template <class Call>
  void push(WriteOp op, const Call& call) {
    const bool open = writer.table() != nullptr;
    writer.push(std::move(op));
    if (!open) call->complete(unavailable());
  }

  DiskContext context;
  const milliseconds operation_timeout;
  const milliseconds flush_timeout;
  Budget flushes{{.max_count = kMaxFlushes}};
  ReadGate gate;
  ReadGate scan_gate;
  std::atomic<bool> closing{false};
  Writer writer;
  // These two end before the writer does: they hold its table.
  ReadPool readers;
  ReadPool scanner;
};

Result<std::unique_ptr<DiskTier>> DiskTier::create(const L2Config& config, ClockPtr clock,
                                                   DiskTierOptions options) {
  if (Status status = config.validate(); !status) return status.error();
  if (options.scan_timeout_ms == 0 || options.scan_timeout_ms > kMaxWaitMs) {
    return Error{ErrorCode::kInvalidArgument, "l2.scan_timeout_ms must be 1 to a day"};
  }
  auto path = parse_disk_url(config.url);
  if (!path.ok()) return path.error();
  if (Status status = check_folder(*path); !status) return status.error();
  auto format = EntryFormat::of(config);
  if (!format.ok()) return format.error();
  // What the disk has room for; behind a network the time to read would not be seen.
  format->lz4_up_to_bytes = kShortTableBytes;
  auto impl = std::make_unique<Impl>(config, std::move(format).value(), std::move(clock),
                                     std::move(path).value(), std::move(options));
  impl->writer.wait_for_first_attempt(steady_clock::now() + wait_of(config.connect_timeout_ms));
  return std::unique_ptr<DiskTier>(new DiskTier(std::move(impl)));
}

DiskTier::DiskTier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

DiskTier::~DiskTier() {
  impl_->closing = true;
  impl_->readers.close();
  impl_->scanner.close();
  if (impl_->context.config.shutdown_flush_ms == 0) return;
  std::promise<void> flushed;
  flush(
      [&flushed](const Status& /*what is left is dropped, and counted*/) { flushed.set_value(); });
  flushed.get_future().wait();
}

void DiskTier::get(const KeyDigest& key, Handler<Result<EntryPtr>> handler) {
  Impl& impl = *impl_;
  const TablePtr table = impl.gate.is_frozen() ? nullptr : impl.writer.table();
  if (table == nullptr) {
    impl.context.counters.add_error(ErrorCode::kUnavailable);
    return handler(unavailable());
  }
  if (impl.context.mask.hides(key)) return impl.finish(key, {}, handler);
  Found found = table->find(key, impl.context.clock->now_ms(), Wait::kNever);
  if (found.kind != Found::Kind::kWouldWait) return impl.finish(key, std::move(found), handler);
  impl.readers.submit<Result<Found>>(
      [&impl, key, table]() -> Result<Found> {
        Found read = table->find(key, impl.context.clock->now_ms(), Wait::kAsNeeded);
        if (read.kind == Found::Kind::kFailed) return std::move(read.error);
        return read;
      },
      [&impl, key, handler = std::move(handler)](Result<Found> read) {
        if (read.ok()) return impl.finish(key, std::move(read).value(), handler);
        impl.finish(key, {Found::Kind::kFailed, nullptr, read.error()}, handler);
      });
}

void DiskTier::put(const KeyDigest& key, EntryPtr entry) {
  DiskContext& context = impl_->context;
  if (entry->end_ms() <= context.clock->now_ms()) return;
  if (entry->response.content.size() > context.config.max_entry_bytes) {
    if (auto ticket = Ticket::acquire(context.budget)) {
      impl_->writer.push(
          {.kind = WriteOp::Kind::kReplace, .key = key, .ticket = std::move(ticket)});
    }
    return context.count_dropped_write("an entry was not written: it is over max_entry_bytes");
  }
  auto ticket = Ticket::acquire(context.budget, entry->memory_bytes());
  if (!ticket) return context.count_dropped_write("writes are dropped: the queue is full");
  impl_->writer.push({.kind = WriteOp::Kind::kPut,
                      .key = key,
                      .entry = std::move(entry),
                      .ticket = std::move(ticket)});
}

void DiskTier::remove(const KeyDigest& key, Handler<Result<bool>> handler) {
  DiskContext& context = impl_->context;
  auto ticket = Ticket::acquire(context.budget);
  if (!ticket) return handler(overloaded("writes"));
  context.mask.hide(key);
  const auto call = TimedCall<Result<bool>>::start(
      context, steady_clock::now() + impl_->operation_timeout, std::move(handler));
  impl_->push(
      {.kind = WriteOp::Kind::kRemove, .key = key, .ticket = std::move(ticket), .removal = call},
      call);
}

void DiskTier::clear(Handler<Status> handler) {
  auto ticket = Ticket::acquire(impl_->flushes);
  if (!ticket) return handler(overloaded("calls of clear"));
  impl_->context.mask.hide_all();
  const auto call = TimedCall<Status>::start(
      impl_->context, steady_clock::now() + impl_->flush_timeout, std::move(handler));
  impl_->push({.kind = WriteOp::Kind::kClear, .ticket = std::move(ticket), .call = call}, call);
}

void DiskTier::flush(Handler<Status> handler) {
  if (impl_->context.budget.count() == 0) return handler(Status());
  auto ticket = Ticket::acquire(impl_->flushes);
  if (!ticket) return handler(overloaded("flushes"));
  const auto call = TimedCall<Status>::start(
      impl_->context, steady_clock::now() + impl_->flush_timeout, std::move(handler));
  impl_->push({.kind = WriteOp::Kind::kFlush, .ticket = std::move(ticket), .call = call}, call);
}

void DiskTier::size(Handler<Result<std::uint64_t>> handler) {
  Impl& impl = *impl_;
  impl.scanner.submit<Result<std::uint64_t>>(
      [&impl]() -> Result<std::uint64_t> {
        const TablePtr table = impl.writer.table();
        if (table == nullptr) return unavailable();
        return table->count(impl.context.clock->now_ms(), [&impl] { return !impl.closing; });
      },
      [&impl, handler = std::move(handler)](Result<std::uint64_t> entries) {
        if (!entries.ok()) impl.context.counters.add_error(entries.error().code);
        handler(std::move(entries));
      });
}

void DiskTier::check(Handler<Status> handler) {
  Impl& impl = *impl_;
  // That a reader answers is all there is to it: a write that failed is no fault of reading.
  impl.readers.submit<Status>([]() -> Status { return {}; },
                              [&impl, handler = std::move(handler)](const Status& answered) {
                                Status status = answered.ok() ? impl.writer.check() : answered;
                                if (!status.ok()) {
                                  impl.context.counters.add_error(status.error().code);
                                }
                                handler(std::move(status));
                              });
}

// In the order of the keys, each page with a look at the table of its own: a walk that nobody goes
// on with holds nothing open.
class DiskTier::Walk final : public TierWalk, public std::enable_shared_from_this<Walk> {
 public:
  explicit Walk(Impl& impl) : impl_(impl) {}

  void next(Handler handler) override {
    impl_.scanner.submit<Result<Page>>(
        [self = shared_from_this()]() -> Result<Page> {
          const TablePtr table = self->impl_.writer.table();
          if (table == nullptr) return unavailable();
          return table->page(self->after_, kPageEntries, self->impl_.context.clock->now_ms(),
                             [&impl = self->impl_] { return !impl.closing; });
        },
        [self = shared_from_this(), handler = std::move(handler)](Result<Page> page) {
          self->hand_over(std::move(page), handler);
        });
  }

 private:
  void hand_over(Result<Page> page, const Handler& handler) {
    if (!page.ok()) {
      impl_.context.counters.add_error(page.error().code);
      return handler(page.error());
    }
    after_ = page->last;
    const bool is_end = page->entries.empty();
    std::erase_if(page->entries,
                  [this](const KeyedEntry& one) { return impl_.context.mask.hides(one.key); });
    if (page->entries.empty() && !is_end) return next(handler);
    handler(std::move(page->entries));
  }

  Impl& impl_;
  std::optional<KeyDigest> after_;
};

std::shared_ptr<TierWalk> DiskTier::walk() {
  return std::make_shared<Walk>(*impl_);
}

TierCounters DiskTier::counters() const {
  return impl_->context.counters.snapshot();
}

TierGauges DiskTier::gauges() const {
  TierGauges gauges;
  gauges.pending_writes = impl_->context.budget.count();
  gauges.pending_bytes = impl_->context.budget.bytes();
  gauges.breaker = impl_->gate.state();
  const TablePtr table = impl_->writer.table();
  if (table == nullptr) {
    gauges.breaker = BreakerState::kOpen;
    return gauges;
  }
  gauges.entries = table->approximate_count();
  gauges.memory_bytes = table->memory_bytes() + gauges.pending_bytes;
  gauges.disk_bytes = table->disk_bytes();
  return gauges;
}

bool DiskTier::runs_on_this_thread() const {
  return impl_->writer.runs_on_this_thread() || impl_->readers.runs_on_this_thread() ||
         impl_->scanner.runs_on_this_thread() ||
         impl_->context.deadlines.thread_id() == std::this_thread::get_id();
}

}  // namespace llm_edge_cache::disk
