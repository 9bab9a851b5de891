#include "core/entry_compression.hpp"

#include <zstd.h>

#include <memory>

#include "core/entry_dictionary.hpp"

namespace llm_edge_cache {
namespace {

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

std::size_t compress_table(std::string_view table, std::span<char> out,
                           const EntryDictionary* dictionary) {
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  if (context == nullptr) {
    return 0;
  }
  const auto size =
      dictionary == nullptr
          ? ZSTD_compressCCtx(context.get(), out.data(), out.size(), table.data(), table.size(),
                              entry_zstd_level(table.size()))
          : ZSTD_compress_usingCDict(context.get(), out.data(), out.size(), table.data(),
                                     table.size(), dictionary->to_compress(table.size()));
  return ZSTD_isError(size) != 0 ? 0 : size;
}

bool decompress_table(std::string_view body, std::span<char> out,
                      const EntryDictionary* dictionary) {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  if (context == nullptr) {
    return false;
  }
  const auto size =
      dictionary == nullptr
          ? ZSTD_decompressDCtx(context.get(), out.data(), out.size(), body.data(), body.size())
          : ZSTD_decompress_usingDDict(context.get(), out.data(), out.size(), body.data(),
                                       body.size(), dictionary->to_decompress());
  return size == out.size();
}

}  // namespace llm_edge_cache
