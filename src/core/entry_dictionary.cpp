#include "core/entry_dictionary.hpp"

#include <zdict.h>
#include <zstd.h>

#include <fstream>
#include <utility>

#include "base/sha256.hpp"
#include "core/entry_compression.hpp"
#include "core/little_endian.hpp"

namespace llm_edge_cache {
namespace {

std::uint64_t id_of(std::string_view bytes) {
  const auto digest = sha256(bytes);
  return get_little_endian<std::uint64_t>(digest.bytes.data());
}

}  // namespace

EntryDictionary::EntryDictionary(std::string_view bytes)
    : id_(id_of(bytes)),
      to_compress_(ZSTD_createCDict(bytes.data(), bytes.size(), kEntryZstdLevel)),
      to_compress_short_(ZSTD_createCDict(bytes.data(), bytes.size(), kShortEntryZstdLevel)),
      to_decompress_(ZSTD_createDDict(bytes.data(), bytes.size())),
      lz4_(bytes) {}

const ZSTD_CDict_s* EntryDictionary::to_compress(std::size_t table_bytes) const {
  return entry_zstd_level(table_bytes) == kEntryZstdLevel ? to_compress_.get()
                                                          : to_compress_short_.get();
}

void EntryDictionary::Free::operator()(ZSTD_CDict_s* dictionary) const {
  ZSTD_freeCDict(dictionary);
}

void EntryDictionary::Free::operator()(ZSTD_DDict_s* dictionary) const {
  ZSTD_freeDDict(dictionary);
}

Result<std::shared_ptr<const EntryDictionary>> EntryDictionary::parse(std::string_view bytes) {
  if (bytes.size() > kMaxBytes) {
    return Error{ErrorCode::kTooLarge, "a dictionary has at most 8 MiB"};
  }
  // zstd would take any bytes for a dictionary "of raw content"; nobody means that.
  if (ZDICT_getDictID(bytes.data(), bytes.size()) == 0 ||
      ZDICT_isError(ZDICT_getDictHeaderSize(bytes.data(), bytes.size())) != 0) {
    return Error{ErrorCode::kInvalidArgument, "not a dictionary of zstd, or a damaged one"};
  }
  std::shared_ptr<const EntryDictionary> dictionary(new EntryDictionary(bytes));
  if (dictionary->to_compress_ == nullptr || dictionary->to_compress_short_ == nullptr ||
      dictionary->to_decompress_ == nullptr) {
    return Error{ErrorCode::kInvalidArgument, "not a dictionary that zstd can use"};
  }
  return dictionary;
}

Result<std::shared_ptr<const EntryDictionary>> EntryDictionary::load(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string bytes(kMaxBytes + 1, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!in.is_open() || in.bad()) {
    return Error{ErrorCode::kIo, file + ": cannot be read"};
  }
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  auto dictionary = parse(bytes);
  if (!dictionary.ok()) {
    return Error{dictionary.error().code, file + ": " + dictionary.error().message};
  }
  return dictionary;
}

}  // namespace llm_edge_cache
