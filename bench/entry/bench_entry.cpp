// What an entry's way to the shared store and back costs, beside what the libraries alone do with
// the same bytes: zstd with a copy, and OpenSSL's AES-256-GCM.
//
//   bench_entry [--benchmark_filter=decode/json]
//
// Many answers in turn, as a cache has them: of one alone a processor learns every branch. Times
// are CPU; "ratio" is the answers' size over the stored one.
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
constexpr std::size_t kAnswers = 64;
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

// As a folder is written.
EntryFormat with_lz4(std::shared_ptr<const EntryDictionary> dictionary) {
  return {.lz4_up_to_bytes = kShortTableBytes, .dictionary = std::move(dictionary)};
}

struct Named {
  std::string name;
  EntryFormat format;
};

std::vector<Named> formats() {
  return {{"plain", {.compress_over_bytes = kMaxBytes}},
          {"zstd", {}},
          {"built-in", {.dictionary = built_in_dictionary()}},
          {"built-in+lz4", with_lz4(built_in_dictionary())},
          {"dictionary", {.dictionary = dictionary()}},
          {"dictionary+lz4", with_lz4(dictionary())},
          {"encrypted", {.compress_over_bytes = kMaxBytes, .cipher = cipher()}},
          {"encrypted+zstd", {.cipher = cipher()}},
          {"encrypted+dictionary", {.cipher = cipher(), .dictionary = dictionary()}}};
}

void set_ratio(benchmark::State& state, std::size_t from, std::size_t to) {
  state.counters["ratio"] = static_cast<double>(from) / static_cast<double>(to);
}

using Entries = std::shared_ptr<const std::vector<Entry>>;
using Texts = std::shared_ptr<const std::vector<std::string>>;

Entries answers(Shape shape, std::size_t bytes) {
  std::vector<Entry> made;
  for (std::uint64_t seed = 0; seed < kAnswers; ++seed) {
    made.push_back(writer().answer(Part::kMeasured, shape, bytes, seed));
  }
  return std::make_shared<const std::vector<Entry>>(std::move(made));
}

Texts tables(const Entries& entries) {
  std::vector<std::string> made;
  for (const auto& entry : *entries) made.push_back(*write_entry_table(entry, kMaxBytes));
  return std::make_shared<const std::vector<std::string>>(std::move(made));
}

std::size_t total_bytes(const std::vector<std::string>& texts) {
  std::size_t bytes = 0;
  for (const auto& text : texts) bytes += text.size();
  return bytes;
}

std::vector<std::string> encoded(const std::vector<Entry>& entries, const EntryFormat& format) {
  std::vector<std::string> frames;
  for (const auto& entry : entries) frames.push_back(*encode_entry(sha256("key"), entry, format));
  return frames;
}

void set_ratio(benchmark::State& state, const std::vector<Entry>& entries,
               const std::vector<std::string>& frames) {
  std::size_t bytes = 0;
  for (const auto& entry : entries) bytes += entry.response.content.size();
  set_ratio(state, bytes, total_bytes(frames));
}

void encode(benchmark::State& state, const Entries& entries, const EntryFormat& format) {
  const auto key = sha256("key");
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(encode_entry(key, (*entries)[i++ % kAnswers], format));
  }
  set_ratio(state, *entries, encoded(*entries, format));
}

void decode(benchmark::State& state, const Entries& entries, const EntryFormat& format) {
  const auto key = sha256("key");
  const auto frames = encoded(*entries, format);
  for (std::size_t i = 0; i < kAnswers; ++i) {
    const auto entry = decode_entry(key, frames[i], format);
    if (!entry.ok() || **entry != (*entries)[i]) return state.SkipWithError("another entry");
  }
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(decode_entry(key, frames[i++ % kAnswers], format));
  }
  set_ratio(state, *entries, frames);
}

// The peers work on the entries' tables: what the codec gives to them.
std::string compress(ZSTD_CCtx* context, const std::string& table) {
  std::string out(ZSTD_compressBound(table.size()), '\0');
  out.resize(ZSTD_compressCCtx(context, out.data(), out.size(), table.data(), table.size(),
                               kEntryZstdLevel));
  return out;
}

void zstd_compress(benchmark::State& state, const Texts& tables) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                     ZSTD_freeCCtx);
  std::string out(ZSTD_compressBound(kMaxBytes), '\0');
  std::size_t i = 0;
  for (auto _ : state) {
    const auto& table = (*tables)[i++ % kAnswers];
    const auto size = ZSTD_compressCCtx(context.get(), out.data(), out.size(), table.data(),
                                        table.size(), kEntryZstdLevel);
    benchmark::DoNotOptimize(std::string(out.data(), size));
  }
  std::vector<std::string> bodies;
  for (const auto& table : *tables) bodies.push_back(compress(context.get(), table));
  set_ratio(state, total_bytes(*tables), total_bytes(bodies));
}

void zstd_decompress(benchmark::State& state, const Texts& tables) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> compressor(ZSTD_createCCtx(),
                                                                        ZSTD_freeCCtx);
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(),
                                                                     ZSTD_freeDCtx);
  std::vector<std::string> bodies;
  for (const auto& table : *tables) bodies.push_back(compress(compressor.get(), table));
  std::string out(kMaxBytes, '\0');
  std::size_t i = 0;
  for (auto _ : state) {
    const auto& body = bodies[i++ % kAnswers];
    const auto size =
        ZSTD_decompressDCtx(context.get(), out.data(), out.size(), body.data(), body.size());
    benchmark::DoNotOptimize(std::string(out.data(), size));
  }
}

void gcm_encrypt(benchmark::State& state, const Texts& tables) {
  const auto& table = tables->front();
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
  const auto entries = answers(shape, bytes);
  const auto their_tables = tables(entries);
  const auto suffix = "/" + shape_name + "/" + std::to_string(bytes >> 10U) + "KB/";
  for (const auto& [name, format] : formats()) {
    add("encode" + suffix + name, encode, entries, format);
    add("decode" + suffix + name, decode, entries, format);
  }
  add("encode" + suffix + "peer:zstd+copy", zstd_compress, their_tables);
  add("decode" + suffix + "peer:zstd+copy", zstd_decompress, their_tables);
  add("encode" + suffix + "peer:openssl-gcm", gcm_encrypt, their_tables);
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
