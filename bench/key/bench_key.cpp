// What a lookup pays before it asks any tier, and what the shared store's bytes cost.
//
//   bench_key --benchmark_filter=cache_key
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/sha256.hpp"
#include "core/cache_key.hpp"
#include "core/canonical_json.hpp"
#include "core/entry_codec.hpp"
#include "core/key_builder.hpp"

namespace llm_edge_cache {
namespace {

// Words of English, so that neither hashing nor compression meets one repeated byte.
std::string prose(std::size_t bytes) {
  constexpr const char* kWords[] = {"the ",  "cache ",   "answers ", "a ",       "question ",
                                    "that ", "was ",     "asked ",   "before, ", "and ",
                                    "pays ", "nothing ", "twice. "};
  std::string text;
  std::uint32_t state = 1;
  while (text.size() < bytes) {
    state = state * 1664525U + 1013904223U;
    text += kWords[(state >> 16U) % std::size(kWords)];
  }
  text.resize(bytes);
  return text;
}

std::string chat_body(std::size_t bytes) {
  const std::string head =
      R"({"model":"gpt-4o","messages":[{"role":"system","content":"You are terse."},)"
      R"({"role":"user","content":")";
  const std::string tail =
      R"("}],"temperature":0.7,"max_tokens":256,"top_p":0.9,"stream":true,"user":"someone"})";
  return head + prose(bytes - head.size() - tail.size()) + tail;
}

CacheableRequest usual_request() {
  return CacheableRequest("gpt-4o", prose(500))
      .with_temperature(0.7)
      .with_max_tokens(256)
      .with_parameter("top_p", 0.9)
      .with_parameter("seed", 42);
}

Entry answer(std::size_t bytes) {
  Entry entry;
  entry.response.content = prose(bytes);
  entry.response.model = "gpt-4o-2024-08-06";
  entry.response.tokens = TokenUsage{100, 200, 300};
  entry.content_type = "application/json";
  entry.finish_reason = "stop";
  return entry;
}

void cache_key_500_bytes(benchmark::State& state) {
  const auto request = usual_request();
  for (auto _ : state) {
    benchmark::DoNotOptimize(cache_key(request, ""));
  }
}
BENCHMARK(cache_key_500_bytes);

void cache_key_with_structured_parameter(benchmark::State& state) {
  const auto request = usual_request().with_parameter("stop", JsonText{R"(["\n", "END"])"});
  for (auto _ : state) {
    benchmark::DoNotOptimize(cache_key(request, ""));
  }
}
BENCHMARK(cache_key_with_structured_parameter);

void sha256_one_shot(benchmark::State& state) {
  const auto text = prose(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(sha256(text));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(sha256_one_shot)->Arg(64)->Arg(691)->Arg(4'096)->Arg(65'536);

void hmac_of_a_credential(benchmark::State& state) {
  const auto secret = prose(32);
  const auto credential = prose(60);
  for (auto _ : state) {
    benchmark::DoNotOptimize(hmac_sha256(secret, credential));
  }
}
BENCHMARK(hmac_of_a_credential);

void canonicalise_body(benchmark::State& state) {
  const auto body = chat_body(static_cast<std::size_t>(state.range(0)));
  const std::vector<std::string> dropped = {
      "stream",          "stream_options", "user", "metadata", "store", "safety_identifier",
      "prompt_cache_key"};
  const CanonicalJsonOptions options{.dropped_members = dropped, .require_object = true};
  std::string out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(append_canonical_json(out, body, options));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(canonicalise_body)->Arg(691)->Arg(4'096)->Arg(65'536);

void encode(benchmark::State& state) {
  const auto entry = answer(static_cast<std::size_t>(state.range(0)));
  const KeyDigest key;
  for (auto _ : state) {
    benchmark::DoNotOptimize(encode_entry(key, entry));
  }
  state.counters["stored_bytes"] = static_cast<double>(encode_entry(key, entry)->size());
}
BENCHMARK(encode)->Arg(512)->Arg(4'096)->Arg(65'536);

void decode(benchmark::State& state) {
  const KeyDigest key;
  const auto encoded = *encode_entry(key, answer(static_cast<std::size_t>(state.range(0))));
  for (auto _ : state) {
    benchmark::DoNotOptimize(decode_entry(key, encoded));
  }
}
BENCHMARK(decode)->Arg(512)->Arg(4'096)->Arg(65'536);

}  // namespace
}  // namespace llm_edge_cache
