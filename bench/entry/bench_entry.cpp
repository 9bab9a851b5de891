// What an entry's way to the shared store and back costs, beside what the libraries alone do with
// the same bytes: zstd with a copy, and OpenSSL's AES-256-GCM.
//
//   bench_entry [--benchmark_filter=decode/json]
//
// Times are CPU; "ratio" is the answer's size over the stored one.
#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <zstd.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/sha256.hpp"
#include "bench/entry/answers.hpp"
#include "core/built_in_dictionary.hpp"
#include "core/entry_codec.hpp"
#include "core/entry_compression.hpp"
#include "core/entry_table.hpp"
#include "dict/dictionary_training.hpp"

namespace llm_edge_cache::bench {
namespace {

constexpr std::size_t kMaxBytes = 1U << 20U;
constexpr std::uint64_t kTrainingAnswers = 4'000;
constexpr std::size_t kDictionaryBytes = 110U << 10U;

const Writer& writer() {
  static const Writer instance;
  return instance;
}

// On answers of both shapes and of 1 to 4 KB, none of which is measured.
std::shared_ptr<const EntryDictionary> dictionary() {
  static const auto trained = [] {
    app::AnswerSamples samples;
    for (std::uint64_t seed = 1; seed <= kTrainingAnswers; ++seed) {
      const auto shape = seed % 2 == 0 ? Shape::kJson : Shape::kSse;
      if (!samples.add(writer().answer(Part::kTraining, shape, 1'024 * (1 + seed % 4), seed)))
        std::abort();
    }
    const auto made = app::train_dictionary(samples, kDictionaryBytes);
    return EntryDictionary::parse(made.value().bytes).value();
  }();
  return trained;
}

std::shared_ptr<const EntryCipher> cipher() {
  std::array<std::uint8_t, EncryptionKey::kBytes> bytes;
  bytes.fill(7);
  return std::make_shared<const EntryCipher>(EncryptionKey(bytes));
}

struct Named {
  std::string name;
  EntryFormat format;
};

std::vector<Named> formats() {
  return {{"plain", {.compress_over_bytes = kMaxBytes}},
          {"zstd", {}},
          {"built-in", {.dictionary = built_in_dictionary()}},
          {"dictionary", {.dictionary = dictionary()}},
          {"encrypted", {.compress_over_bytes = kMaxBytes, .cipher = cipher()}},
          {"encrypted+zstd", {.cipher = cipher()}},
          {"encrypted+dictionary", {.cipher = cipher(), .dictionary = dictionary()}}};
}

void set_ratio(benchmark::State& state, std::size_t from, std::size_t to) {
  state.counters["ratio"] = static_cast<double>(from) / static_cast<double>(to);
}

void encode(benchmark::State& state, const Entry& entry, const EntryFormat& format) {
  const auto key = sha256("key");
  for (auto _ : state) benchmark::DoNotOptimize(encode_entry(key, entry, format));
  set_ratio(state, entry.response.content.size(), encode_entry(key, entry, format)->size());
}

void decode(benchmark::State& state, const Entry& entry, const EntryFormat& format) {
  const auto key = sha256("key");
  const auto bytes = *encode_entry(key, entry, format);
  if (**decode_entry(key, bytes, format) != entry) return state.SkipWithError("another entry");
  for (auto _ : state) benchmark::DoNotOptimize(decode_entry(key, bytes, format));
  set_ratio(state, entry.response.content.size(), bytes.size());
}

// The peers work on the entry's table: what the codec gives to them.
void zstd_compress(benchmark::State& state, const std::string& table) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                     ZSTD_freeCCtx);
  std::string out(ZSTD_compressBound(table.size()), '\0');
  std::size_t size = 0;
  for (auto _ : state) {
    size = ZSTD_compressCCtx(context.get(), out.data(), out.size(), table.data(), table.size(),
                             kEntryZstdLevel);
    benchmark::DoNotOptimize(std::string(out.data(), size));
  }
  set_ratio(state, table.size(), size);
}

void zstd_decompress(benchmark::State& state, const std::string& table) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(),
                                                                     ZSTD_freeDCtx);
  std::string body(ZSTD_compressBound(table.size()), '\0');
  body.resize(ZSTD_compress(body.data(), body.size(), table.data(), table.size(), kEntryZstdLevel));
  std::string out(table.size(), '\0');
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        ZSTD_decompressDCtx(context.get(), out.data(), out.size(), body.data(), body.size()));
    benchmark::DoNotOptimize(std::string(out));
  }
}

void gcm_encrypt(benchmark::State& state, const std::string& table) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  const std::unique_ptr<EVP_CIPHER, decltype(&EVP_CIPHER_free)> algorithm(
      EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr), EVP_CIPHER_free);
  const std::array<unsigned char, 32> key{1};
  std::array<unsigned char, 12> nonce{};
  std::array<unsigned char, 16> tag{};
  std::string out(table.size(), '\0');
  auto* const bytes = reinterpret_cast<unsigned char*>(out.data());
  for (auto _ : state) {
    int written = 0;
    ++nonce[0];
    EVP_EncryptInit_ex2(context.get(), algorithm.get(), key.data(), nonce.data(), nullptr);
    EVP_EncryptUpdate(context.get(), bytes, &written,
                      reinterpret_cast<const unsigned char*>(table.data()),
                      static_cast<int>(table.size()));
    EVP_EncryptFinal_ex(context.get(), tag.data(), &written);
    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, tag.data());
    benchmark::DoNotOptimize(tag);
  }
}

template <class Function, class... Arguments>
void add(const std::string& name, Function function, Arguments... arguments) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [=](benchmark::State& state) { function(state, arguments...); });
}

void add_all(const std::string& shape_name, Shape shape, std::size_t bytes) {
  const auto entry = writer().answer(Part::kMeasured, shape, bytes, 0);
  const auto table = *write_entry_table(entry, kMaxBytes);
  const auto suffix = "/" + shape_name + "/" + std::to_string(bytes >> 10U) + "KB/";
  for (const auto& [name, format] : formats()) {
    add("encode" + suffix + name, encode, entry, format);
    add("decode" + suffix + name, decode, entry, format);
  }
  add("encode" + suffix + "peer:zstd+copy", zstd_compress, table);
  add("decode" + suffix + "peer:zstd+copy", zstd_decompress, table);
  add("encode" + suffix + "peer:openssl-gcm", gcm_encrypt, table);
}

}  // namespace
}  // namespace llm_edge_cache::bench

int main(int argc, char** argv) {
  using namespace llm_edge_cache::bench;
  std::string short_runs = "--benchmark_min_time=0.1";  // one that is given comes later, and wins
  std::vector<char*> arguments(argv, argv + argc);
  arguments.insert(arguments.begin() + 1, short_runs.data());
  argc = static_cast<int>(arguments.size());
  argv = arguments.data();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::AddCustomContext("text", writer().has_prompts() ? "prompts of LEC_DATA" : "mock");
  for (const std::size_t kilobytes : {1U, 2U, 4U, 32U, 256U}) {
    add_all("json", Shape::kJson, kilobytes << 10U);
    add_all("sse", Shape::kSse, kilobytes << 10U);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
