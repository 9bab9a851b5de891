// What the disk tier adds to RocksDB: a hit against a bare Get of the same value in the same
// database, by turns; puts a second through the tier; and how long a folder takes to open.
//
//   bench_disk [ENTRIES] [CONTENT_BYTES] [ROUNDS] [json|sse|words]
//
// By default once for each kind of answer: chat completions in JSON, streamed ones, and random
// words, in which nothing repeats. The tier's numbers include verifying, decompressing and decoding
// the entry. "cached" asks for blocks that RocksDB has in its memory; "page cache" for random ones
// among more than that holds.
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/entry/answers.hpp"
#include "tests/support/entries.hpp"
#include "tests/support/temp_dir.hpp"
#include "tiers/disk/disk_tier.hpp"

namespace llm_edge_cache::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kRequests = 20'000;
constexpr std::size_t kCachedKeys = 500;
constexpr std::uint64_t kCacheBytes = 64U << 20U;
constexpr std::uint64_t kWriteBufferBytes = (4ULL << 30U) / 100;  // as the tier has it
constexpr std::uint64_t kDifferentEntries = 1'000;

struct Options {
  std::size_t entries = 100'000;
  std::size_t content_bytes = 2'048;
  int rounds = 5;
  std::string kind;
};

struct Percentiles {
  double p50 = 0;
  double p99 = 0;
};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string random_words(std::mt19937_64& random, std::size_t bytes) {
  std::string content;
  while (content.size() < bytes) {
    for (std::uint64_t letters = random() % 6 + 2; letters > 0; --letters) {
      content += static_cast<char>('a' + random() % 26);
    }
    content += ' ';
  }
  return content;
}

std::vector<EntryPtr> make_entries(const Options& options) {
  const Writer writer;
  std::mt19937_64 random(1);
  std::vector<EntryPtr> entries;
  for (std::uint64_t seed = 1; seed <= kDifferentEntries; ++seed) {
    const auto shape = options.kind == "sse" ? Shape::kSse : Shape::kJson;
    auto entry = writer.answer(Part::kMeasured, shape, options.content_bytes, seed);
    if (options.kind == "words") {
      entry.response.content = random_words(random, options.content_bytes);
    }
    entry.expires_ms = SystemClock().now_ms() + 86'400'000;
    entries.push_back(std::make_shared<const Entry>(std::move(entry)));
  }
  return entries;
}

L2Config config_of(const std::filesystem::path& folder) {
  // Nothing here is about deadlines: a busy machine must not turn a sample into an error.
  return {.url = "disk:" + folder.string(),
          .ttl_ms = 86'400'000,
          .connect_timeout_ms = 60'000,
          .operation_timeout_ms = 60'000,
          .max_pending_writes = 1'000'000,
          .max_pending_bytes = 4ULL << 30U,
          .shutdown_flush_ms = 60'000,
          .disk_max_bytes = 4ULL << 30U,
          .disk_cache_bytes = kCacheBytes};
}

std::unique_ptr<disk::DiskTier> open_tier(const std::filesystem::path& folder) {
  auto tier = disk::DiskTier::create(config_of(folder), std::make_shared<SystemClock>());
  if (!tier.ok()) throw std::runtime_error(tier.error().message);
  return std::move(tier).value();
}

double puts_per_second(disk::DiskTier& tier, const Options& options) {
  const auto entries = make_entries(options);
  const auto start = Clock::now();
  for (std::size_t i = 0; i < options.entries; ++i) {
    tier.put(test::key_of(i), entries[i % entries.size()]);
  }
  std::binary_semaphore flushed(0);
  tier.flush([&](const Status&) { flushed.release(); });
  flushed.acquire();
  const double seconds = seconds_since(start);
  if (tier.counters().writes != options.entries) throw std::runtime_error("puts were dropped");
  return static_cast<double>(options.entries) / seconds;
}

// The same files, read with the same settings by nothing but RocksDB.
class Bare {
 public:
  explicit Bare(const std::filesystem::path& folder) {
    rocksdb::BlockBasedTableOptions blocks;
    blocks.block_cache = rocksdb::NewLRUCache(kCacheBytes);
    blocks.cache_index_and_filter_blocks = true;
    blocks.pin_l0_filter_and_index_blocks_in_cache = true;
    blocks.filter_policy.reset(rocksdb::NewBloomFilterPolicy(16));
    rocksdb::ColumnFamilyOptions table;
    table.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
    table.compaction_style = rocksdb::kCompactionStyleFIFO;
    table.write_buffer_size = kWriteBufferBytes;
    table.memtable_whole_key_filtering = true;
    table.memtable_prefix_bloom_size_ratio = 0.02;
    rocksdb::DB* database = nullptr;
    const auto status = rocksdb::DB::OpenForReadOnly(
        rocksdb::DBOptions(), (folder / "entries").string(),
        {{rocksdb::kDefaultColumnFamilyName, {}}, {"entries", table}}, &handles_, &database);
    if (!status.ok()) throw std::runtime_error(status.ToString());
    database_.reset(database);
  }
  ~Bare() {
    for (auto* handle : handles_) (void)database_->DestroyColumnFamilyHandle(handle);
  }
  Bare(const Bare&) = delete;
  Bare& operator=(const Bare&) = delete;

  void get(const KeyDigest& key) {
    rocksdb::PinnableSlice value;
    const rocksdb::Slice name(key.view().data(), key.view().size());
    const auto status = database_->Get(rocksdb::ReadOptions(), handles_[1], name, &value);
    if (!status.ok()) throw std::runtime_error(status.ToString());
  }

 private:
  std::unique_ptr<rocksdb::DB> database_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

class Reader {
 public:
  explicit Reader(disk::DiskTier& tier) : tier_(tier) {}

  // An answer inside of the call, as nearly all are, wakes nobody up.
  void get(const KeyDigest& key) {
    bool is_here = false;
    tier_.get(key, [this, &is_here](const Result<EntryPtr>& entry) {
      if (!entry.ok() || *entry == nullptr) std::abort();
      if (std::this_thread::get_id() != owner_) return answered_.release();
      is_here = true;
    });
    if (!is_here) answered_.acquire();
  }

 private:
  disk::DiskTier& tier_;
  const std::thread::id owner_ = std::this_thread::get_id();
  std::binary_semaphore answered_{0};
};

// Microseconds of one call after the other, among `keys` keys.
template <class Store>
Percentiles latency(Store& store, std::size_t keys, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> samples;
  samples.reserve(kRequests);
  for (std::size_t i = 0; i < kRequests; ++i) {
    const KeyDigest key = test::key_of(random() % keys);
    const auto start = Clock::now();
    store.get(key);
    samples.push_back(seconds_since(start) * 1e6);
  }
  std::sort(samples.begin(), samples.end());
  return {samples[samples.size() / 2], samples[samples.size() * 99 / 100]};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Series {
  std::vector<double> p50;
  std::vector<double> p99;

  void add(const Percentiles& sample) {
    p50.push_back(sample.p50);
    p99.push_back(sample.p99);
  }
};

void print(const char* name, const Series& tier, const Series& bare) {
  const auto row = [&](const char* what, double ours, double theirs) {
    std::printf("%-14s %-4s %10.1f %10.1f %8.2f\n", name, what, ours, theirs, ours / theirs);
  };
  row("p50", median(tier.p50), median(bare.p50));
  row("p99", median(tier.p99), median(bare.p99));
}

// A log of what is in the write buffer has as much as the file that it becomes.
std::uint64_t folder_bytes(const std::filesystem::path& folder) {
  std::uint64_t bytes = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    const auto kind = file.path().extension();
    if (kind == ".sst" || kind == ".log") bytes += file.file_size();
  }
  return bytes;
}

void compare(const std::filesystem::path& folder, disk::DiskTier& tier, const Options& options) {
  Bare bare(folder);
  Reader reader(tier);
  Series tier_cached, bare_cached, tier_cold, bare_cold;
  for (int round = 0; round < options.rounds; ++round) {
    const auto seed = static_cast<std::uint64_t>(round);
    tier_cold.add(latency(reader, options.entries, seed));
    bare_cold.add(latency(bare, options.entries, seed));
    // Once before, so that both have the blocks.
    latency(reader, kCachedKeys, seed);
    tier_cached.add(latency(reader, kCachedKeys, seed));
    latency(bare, kCachedKeys, seed);
    bare_cached.add(latency(bare, kCachedKeys, seed));
  }
  std::printf("%-14s %-4s %10s %10s %8s\n", "one get, us", "", "tier", "bare", "ratio");
  print("cached", tier_cached, bare_cached);
  print("page cache", tier_cold, bare_cold);
}

void run(const Options& options) {
  const test::TempDir dir;
  const auto folder = dir.path() / "cache";
  {
    const auto tier = open_tier(folder);
    std::printf("%zu answers of %zu bytes, %s: %.0f puts/s through the tier, to the kernel\n",
                options.entries, options.content_bytes, options.kind.c_str(),
                puts_per_second(*tier, options));
  }
  const auto start = Clock::now();
  const auto tier = open_tier(folder);
  std::printf("reopened in %.0f ms, with a write buffer to replay\n", seconds_since(start) * 1e3);
  std::printf("%.0f bytes of the folder for each\n",
              static_cast<double>(folder_bytes(folder)) / static_cast<double>(options.entries));
  compare(folder, *tier, options);
}

}  // namespace
}  // namespace llm_edge_cache::bench

int main(int argc, char** argv) {
  llm_edge_cache::bench::Options options;
  if (argc > 1) options.entries = std::strtoul(argv[1], nullptr, 10);
  if (argc > 2) options.content_bytes = std::strtoul(argv[2], nullptr, 10);
  if (argc > 3) options.rounds = std::atoi(argv[3]);
  std::vector<std::string> kinds = {"json", "sse", "words"};
  const bool known = argc <= 4 || std::find(kinds.begin(), kinds.end(), argv[4]) != kinds.end();
  if (!known || options.entries < 1'000 || options.content_bytes == 0 || options.rounds < 1) {
    std::fprintf(stderr,
                 "usage: bench_disk [ENTRIES >= 1000] [CONTENT_BYTES] [ROUNDS] [json|sse|words]\n");
    return 2;
  }
  if (argc > 4) kinds = {argv[4]};
  for (const auto& kind : kinds) {
    options.kind = kind;
    llm_edge_cache::bench::run(options);
  }
  return 0;
}
