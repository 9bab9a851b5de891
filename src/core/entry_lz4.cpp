#include "core/entry_lz4.hpp"

#include <lz4.h>

#include <algorithm>
#include <cstring>

namespace llm_edge_cache {
namespace {

constexpr std::size_t kAlignment = sizeof(std::uint64_t);
constexpr int kAcceleration = 1;

std::string_view last_of(std::string_view bytes, std::size_t count) {
  return bytes.substr(bytes.size() - std::min(bytes.size(), count));
}

bool is_too_long(std::size_t bytes) {
  return bytes > LZ4_MAX_INPUT_SIZE;
}

}  // namespace

Lz4Dictionary::Lz4Dictionary(std::string_view bytes)
    : bytes_(last_of(bytes, kMaxBytes)), loaded_(LZ4_createStream()) {
  if (loaded_ != nullptr) {
    LZ4_loadDict(loaded_.get(), bytes_.data(), static_cast<int>(bytes_.size()));
  }
}

void Lz4Dictionary::Free::operator()(LZ4_stream_u* stream) const {
  LZ4_freeStream(stream);
}

std::size_t Lz4Dictionary::compress(std::string_view table, std::span<char> out) const {
  if (loaded_ == nullptr || is_too_long(table.size()) || is_too_long(out.size())) {
    return 0;
  }
  // A copy of 16 KiB is a tenth of what loading the dictionary anew would take.
  thread_local LZ4_stream_t stream;
  stream = *loaded_;
  const int size =
      LZ4_compress_fast_continue(&stream, table.data(), out.data(), static_cast<int>(table.size()),
                                 static_cast<int>(out.size()), kAcceleration);
  return static_cast<std::size_t>(std::max(size, 0));
}

std::optional<std::string_view> Lz4Window::decompress(std::string_view body,
                                                      std::size_t table_bytes,
                                                      const Lz4Dictionary& dictionary,
                                                      std::uint64_t dictionary_id) {
  if (is_too_long(body.size()) || is_too_long(table_bytes)) {
    return std::nullopt;
  }
  const auto front = dictionary.bytes();
  const auto table_at = (front.size() + kAlignment - 1) / kAlignment * kAlignment;
  char* const memory = memory_.reserve(table_at + table_bytes);
  char* const table = memory + table_at;
  char* const dictionary_at = table - front.size();
  if (dictionary_id_ != dictionary_id) {
    std::memcpy(dictionary_at, front.data(), front.size());
    dictionary_id_ = dictionary_id;
  }
  const int size = LZ4_decompress_safe_usingDict(body.data(), table, static_cast<int>(body.size()),
                                                 static_cast<int>(table_bytes), dictionary_at,
                                                 static_cast<int>(front.size()));
  if (size < 0 || static_cast<std::size_t>(size) != table_bytes) {
    return std::nullopt;
  }
  return std::string_view(table, table_bytes);
}

void Lz4Window::trim(std::size_t max_bytes) {
  if (memory_.trim(max_bytes)) {
    dictionary_id_.reset();
  }
}

}  // namespace llm_edge_cache
