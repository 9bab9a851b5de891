// What the tier adds to a GET: against hiredis on the same keys, and against redis-benchmark on
// values of the same size. The tier's numbers include decoding and verifying the entry.
//
//   bench_redis [ROUNDS] [CONTENT_BYTES]
//
// One server, one machine; the three take turns in every round, and the medians are compared.
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <semaphore>
#include <string>
#include <vector>

#include "base/key_digest.hpp"
#include "bench/redis/hiredis_client.hpp"
#include "bench/redis/redis_benchmark.hpp"
#include "bench/redis/report.hpp"
#include "core/entry_codec.hpp"
#include "llm_edge_cache/clock.hpp"
#include "tests/support/redis_server.hpp"
#include "tiers/redis/redis_tier.hpp"

namespace llm_edge_cache::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kKeys = 1'000;
constexpr std::size_t kLatencyRequests = 20'000;
constexpr std::size_t kThroughputRequests = 200'000;
constexpr std::size_t kWindow = 64;

// Of this process, all threads: what a machine that is busy with other things does not change.
double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

KeyDigest random_key(std::mt19937_64& random) {
  KeyDigest key;
  for (std::size_t i = 0; i < key.bytes.size(); i += 8) {
    const std::uint64_t bits = random();
    std::memcpy(key.bytes.data() + i, &bits, sizeof bits);
  }
  return key;
}

// A chat answer of random words: it compresses like text, about two to one.
EntryPtr random_entry(std::mt19937_64& random, std::size_t content_bytes) {
  auto entry = std::make_shared<Entry>();
  std::string& content = entry->response.content;
  content = R"({"id":"chatcmpl-1","object":"chat.completion","choices":[{"message":{"content":")";
  while (content.size() + 4 < content_bytes) {
    for (std::uint64_t bits = random() % 3 + 2; bits > 0; --bits) {
      content += static_cast<char>('a' + random() % 26);
    }
    content += ' ';
  }
  content += "\"}}]}";
  entry->response.model = "gpt-4o";
  entry->content_type = "application/json";
  entry->finish_reason = "stop";
  entry->expires_ms = SystemClock().now_ms() + 3'600'000;
  return entry;
}

struct Data {
  std::vector<KeyDigest> keys;
  std::vector<std::string> stored_keys;
  std::size_t value_bytes = 0;  // the median of what is stored
};

Data fill(redis::RedisTier& tier, test::RedisServer& server, std::size_t content_bytes) {
  std::mt19937_64 random(1);
  Data data;
  std::vector<double> sizes;
  for (std::size_t i = 0; i < kKeys; ++i) {
    const KeyDigest key = random_key(random);
    const EntryPtr entry = random_entry(random, content_bytes);
    data.keys.push_back(key);
    data.stored_keys.push_back("llm_cache:" + to_hex(key));
    tier.put(key, entry);
  }
  std::binary_semaphore flushed(0);
  tier.flush([&](const Status&) { flushed.release(); });
  flushed.acquire();
  if (tier.counters().writes != kKeys) throw std::runtime_error("the keys were not written");
  for (std::size_t i = 0; i < kKeys; i += 10) {
    sizes.push_back(std::stod(server.command({"STRLEN", data.stored_keys[i]})));
  }
  data.value_bytes = static_cast<std::size_t>(median(std::move(sizes)));
  return data;
}

struct Throughput {
  double gets_per_second = 0;
  double cpu_us_per_get = 0;
};

template <class Work>
Throughput throughput(Work&& work) {
  const double cpu_before = cpu_seconds();
  const auto start = Clock::now();
  work();
  const double seconds = seconds_since(start);
  constexpr auto kRequests = static_cast<double>(kThroughputRequests);
  return {kRequests / seconds, (cpu_seconds() - cpu_before) * 1e6 / kRequests};
}

// Microseconds of one call after the other.
template <class Get>
Percentiles latency(Get&& get) {
  std::vector<double> samples;
  samples.reserve(kLatencyRequests);
  for (std::size_t i = 0; i < kLatencyRequests; ++i) {
    const auto start = Clock::now();
    get(i % kKeys);
    samples.push_back(seconds_since(start) * 1e6);
  }
  return percentiles(samples);
}

using Get = void (redis::RedisTier::*)(const KeyDigest&, Tier::Handler<Result<EntryPtr>>);

// Of a caller who waits for each answer.
Percentiles tier_latency(redis::RedisTier& tier, const Data& data, Get get) {
  std::binary_semaphore answered(0);
  return latency([&](std::size_t i) {
    (tier.*get)(data.keys[i], [&](const Result<EntryPtr>& entry) {
      if (!entry.ok() || *entry == nullptr) std::abort();
      answered.release();
    });
    answered.acquire();
  });
}

// Keeps `kWindow` callers busy, each asking again as soon as it has its answer.
class Callers {
 public:
  Callers(redis::RedisTier& tier, const Data& data) : tier_(tier), data_(data) {}

  void run() {
    for (std::size_t i = 0; i < kWindow; ++i) ask();
    done_.acquire();
  }

 private:
  void ask() {
    const std::size_t number = asked_.fetch_add(1);
    if (number >= kThroughputRequests) return;
    tier_.get(data_.keys[number % kKeys], [this](const Result<EntryPtr>& entry) {
      if (!entry.ok() || *entry == nullptr) std::abort();
      if (answered_.fetch_add(1) + 1 == kThroughputRequests) return done_.release();
      ask();
    });
  }

  redis::RedisTier& tier_;
  const Data& data_;
  std::atomic<std::size_t> asked_{0};
  std::atomic<std::size_t> answered_{0};
  std::binary_semaphore done_{0};
};

// Of an entry as it is stored.
double decode_ns(test::RedisServer& server, const Data& data) {
  const KeyDigest& key = data.keys.front();
  const std::string bytes = server.command({"GET", data.stored_keys.front()});
  constexpr int kTimes = 20'000;
  const double before = cpu_seconds();
  for (int i = 0; i < kTimes; ++i) {
    if (!decode_entry(key, bytes).ok()) std::abort();
  }
  return (cpu_seconds() - before) * 1e9 / kTimes;
}

struct Rounds {
  std::vector<double> waiting_p50, waiting_p99, tier_p50, tier_p99, hiredis_p50, hiredis_p99;
  std::vector<double> tier_gets, hiredis_gets, benchmark_one, benchmark_default;
  std::vector<double> tier_cpu, hiredis_cpu;
};

void print(const Rounds& rounds) {
  const auto row = [](const char* name, const std::vector<double>& ours,
                      const std::vector<double>& theirs) {
    std::printf("%-52s %12.1f %12.1f %8.2f\n", name, median(ours), median(theirs),
                median(ours) / median(theirs));
  };
  std::printf("%-52s %12s %12s %8s\n", "", "tier", "other", "ratio");
  row("one blocking GET, p50, us, beside hiredis", rounds.waiting_p50, rounds.hiredis_p50);
  row("one blocking GET, p99, us, beside hiredis", rounds.waiting_p99, rounds.hiredis_p99);
  row("one asynchronous GET, p50, us, beside hiredis", rounds.tier_p50, rounds.hiredis_p50);
  row("one asynchronous GET, p99, us, beside hiredis", rounds.tier_p99, rounds.hiredis_p99);
  row("GET/s, 64 outstanding, beside hiredis", rounds.tier_gets, rounds.hiredis_gets);
  row("CPU us of the client per GET, beside hiredis", rounds.tier_cpu, rounds.hiredis_cpu);
  row("GET/s, beside redis-benchmark -P 64 -c 1", rounds.tier_gets, rounds.benchmark_one);
  // Without -c: 50 connections, 3,200 commands on their way.
  row("GET/s, beside redis-benchmark -P 64", rounds.tier_gets, rounds.benchmark_default);
}

void run(int round_count, std::size_t content_bytes) {
  test::RedisServer server;
  // Nothing here is about deadlines: a busy machine must not turn a sample into an error.
  const L2Config config{.url = server.url(), .operation_timeout_ms = 30'000};
  const auto tier = redis::RedisTier::create(config, std::make_shared<SystemClock>()).value();
  const Data data = fill(*tier, server, content_bytes);
  HiredisClient hiredis(server.port());
  std::printf("%zu keys, values of %zu bytes (%zu of content), decoding one takes %.0f ns\n", kKeys,
              data.value_bytes, content_bytes, decode_ns(server, data));

  const auto benchmark = [&](std::size_t connections) {
    return redis_benchmark_gets({.port = server.port(),
                                 .value_bytes = data.value_bytes,
                                 .requests = kThroughputRequests,
                                 .connections = connections,
                                 .pipeline = kWindow});
  };
  Rounds rounds;
  for (int round = 0; round < round_count; ++round) {
    const Percentiles waiting = tier_latency(*tier, data, &redis::RedisTier::get_and_wait);
    rounds.waiting_p50.push_back(waiting.p50);
    rounds.waiting_p99.push_back(waiting.p99);
    const Percentiles ours = tier_latency(*tier, data, &redis::RedisTier::get);
    const Percentiles theirs = latency([&](std::size_t i) { hiredis.get(data.stored_keys[i]); });
    rounds.tier_p50.push_back(ours.p50);
    rounds.tier_p99.push_back(ours.p99);
    rounds.hiredis_p50.push_back(theirs.p50);
    rounds.hiredis_p99.push_back(theirs.p99);
    const Throughput pipelined = throughput([&] { Callers(*tier, data).run(); });
    const Throughput pipelined_by_hiredis =
        throughput([&] { hiredis.get_pipelined(data.stored_keys, kThroughputRequests, kWindow); });
    rounds.tier_gets.push_back(pipelined.gets_per_second);
    rounds.tier_cpu.push_back(pipelined.cpu_us_per_get);
    rounds.hiredis_gets.push_back(pipelined_by_hiredis.gets_per_second);
    rounds.hiredis_cpu.push_back(pipelined_by_hiredis.cpu_us_per_get);
    rounds.benchmark_one.push_back(benchmark(1));
    rounds.benchmark_default.push_back(benchmark(50));
  }
  print(rounds);
}

}  // namespace
}  // namespace llm_edge_cache::bench

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
  const int content_bytes = argc > 2 ? std::atoi(argv[2]) : 2'048;
  if (rounds < 1 || content_bytes < 200) {
    std::fprintf(stderr, "usage: bench_redis [ROUNDS >= 1] [CONTENT_BYTES >= 200]\n");
    return 2;
  }
  llm_edge_cache::bench::run(rounds, static_cast<std::size_t>(content_bytes));
  return 0;
}
