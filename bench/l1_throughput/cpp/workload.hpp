// Keys, loops and the measurement of the C++ engines; the Rust and Java harnesses do the same.
// An engine is a class with Engine(capacity, ttl_ms), get(key) -> touched bytes, put(key, value),
// entries(), and kName.
#pragma once

#include <unistd.h>

#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace bench {

using Options = std::map<std::string, std::string>;

inline std::vector<char> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Eight bytes each.
struct Numbers {
  using Key = std::uint64_t;
  using Value = std::uint64_t;
  static Key key(std::uint64_t number, const std::vector<char>&) { return number; }
  static Value value(std::uint64_t number) { return number; }
  static std::uint64_t touch(Value value) { return value; }
  // Murmur3's finaliser: the identity would flatter tables that use the low bits.
  static std::uint64_t hash(Key key) {
    key = (key ^ (key >> 33U)) * 0xff51afd7ed558ccdULL;
    key = (key ^ (key >> 33U)) * 0xc4ceb9fe1a85ec53ULL;
    return key ^ (key >> 33U);
  }
};

// 2 KB behind a reference count, under a SHA-256 key.
struct Kilobytes {
  using Key = std::array<std::uint8_t, 32>;
  using Value = std::shared_ptr<const std::array<std::uint8_t, 2048>>;
  static Key key(std::uint64_t number, const std::vector<char>& digests) {
    Key key;
    std::memcpy(key.data(), digests.data() + number * key.size(), key.size());
    return key;
  }
  static Value value(std::uint64_t number) {
    auto bytes = std::make_shared<std::array<std::uint8_t, 2048>>();
    bytes->fill(static_cast<std::uint8_t>(number));
    return bytes;
  }
  static std::uint64_t touch(const Value& value) { return (*value)[0]; }
  static std::uint64_t hash(const Key& key) {
    std::uint64_t hash = 0;
    std::memcpy(&hash, key.data(), sizeof hash);
    return hash;
  }
};

template <class Payload>
struct Hash {
  std::size_t operator()(const typename Payload::Key& key) const { return Payload::hash(key); }
};

struct Totals {
  std::atomic<std::uint64_t> ops{0};
  std::atomic<std::uint64_t> hits{0};
  std::atomic<std::uint64_t> sum{0};
};

template <class Payload, class Engine>
class Workload {
 public:
  explicit Workload(const Options& options)
      : options_(options),
        digests_(options.contains("--digests") ? read_file(options.at("--digests"))
                                               : std::vector<char>()),
        mode_(options.at("--mode")),
        entries_(std::stoull(options.at("--entries"))),
        capacity_(std::stoull(options.at("--capacity"))) {}

  void run() {
    if (mode_ == "memory") return memory();
    if (mode_ == "expiry") return expiry();
    throughput();
  }

 private:
  static constexpr std::size_t kBatch = 1024;

  void fill(Engine& cache) {
    for (std::uint64_t number = 0; number < entries_; ++number) {
      cache.put(Payload::key(number, digests_), Payload::value(number));
    }
  }

  void work(Engine& cache, std::size_t at, const std::atomic<bool>& stop, Totals& totals) {
    const std::size_t mask = keys_.size() - 1;
    const bool writes = mode_ == "write";
    const bool mixed = mode_ == "mixed";
    std::uint64_t done = 0, found = 0, sum = 0;
    while (!stop.load(std::memory_order_relaxed)) {
      for (std::size_t i = 0; i < kBatch; ++i) {
        const std::size_t index = at++ & mask;
        if (writes || (mixed && (i & 3U) == 3U)) {
          cache.put(keys_[index], values_[index & (values_.size() - 1)]);
        } else {
          found += cache.get(keys_[index], sum);
        }
      }
      done += kBatch;
    }
    totals.ops += done;
    totals.hits += found;
    totals.sum += sum;
  }

  void throughput() {
    const auto threads = std::stoull(options_.at("--threads"));
    const std::chrono::duration<double> seconds(std::stod(options_.at("--seconds")));
    Engine cache(capacity_, 0);
    fill(cache);
    prepare();
    std::atomic<bool> stop{false};
    Totals totals;
    std::barrier start(static_cast<std::ptrdiff_t>(threads + 1));
    std::vector<std::jthread> workers;
    for (std::size_t thread = 0; thread < threads; ++thread) {
      workers.emplace_back([&, thread] {
        start.arrive_and_wait();
        work(cache, thread * (keys_.size() / threads), stop, totals);
      });
    }
    start.arrive_and_wait();
    const auto began = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(seconds);
    stop = true;
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - began;
    workers.clear();
    std::printf(
        "{\"engine\":\"%s\",\"set\":\"%s\",\"mode\":\"%s\",\"threads\":%zu,\"ops_per_s\":%.0f,"
        "\"hits\":%zu,\"ops\":%zu}\n",
        Engine::kName, options_.at("--set").c_str(), mode_.c_str(), static_cast<size_t>(threads),
        static_cast<double>(totals.ops) / elapsed.count(), static_cast<size_t>(totals.hits),
        static_cast<size_t>(totals.ops));
  }

  void prepare() {
    const auto bytes = read_file(options_.at("--sequence"));
    for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) {
      std::uint32_t number = 0;
      std::memcpy(&number, bytes.data() + at, sizeof number);
      keys_.push_back(Payload::key(number, digests_));
    }
    for (std::uint64_t number = 0; number < 64; ++number) values_.push_back(Payload::value(number));
  }

  static std::int64_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::int64_t total = 0, resident = 0;
    statm >> total >> resident;
    return resident * sysconf(_SC_PAGESIZE);
  }

  // Resident memory per entry beyond key and value.
  void memory() {
    const auto before = resident_bytes();
    Engine cache(capacity_, 0);
    fill(cache);
    const auto held = resident_bytes() - before;
    const double payload = sizeof(typename Payload::Key) + sizeof(typename Payload::Value);
    std::printf("{\"engine\":\"%s\",\"entries\":%zu,\"overhead_bytes\":%.1f}\n", Engine::kName,
                cache.entries(),
                static_cast<double>(held) / static_cast<double>(entries_) - payload);
  }

  // What is still held a second after everything has expired, with no traffic.
  void expiry() {
    constexpr std::uint64_t kTtlMs = 3000;
    const auto before = resident_bytes();
    Engine cache(capacity_, kTtlMs);
    fill(cache);
    const auto full = resident_bytes() - before;
    std::this_thread::sleep_for(std::chrono::milliseconds(kTtlMs + 1000));
    std::printf(
        "{\"engine\":\"%s\",\"entries_left\":%zu,\"bytes_full\":%lld,\"bytes_left\":%lld}\n",
        Engine::kName, cache.entries(), static_cast<long long>(full),
        static_cast<long long>(std::max<std::int64_t>(0, resident_bytes() - before)));
  }

  const Options& options_;
  std::vector<char> digests_;
  std::string mode_;
  std::uint64_t entries_;
  std::uint64_t capacity_;
  std::vector<typename Payload::Key> keys_;
  std::vector<typename Payload::Value> values_;
};

}  // namespace bench
