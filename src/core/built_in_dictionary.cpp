#include "core/built_in_dictionary.hpp"

#include <array>
#include <string_view>

namespace llm_edge_cache {
namespace {

constexpr auto kBytes = std::to_array<unsigned char>({
#include "core/built_in_dictionary.inc"
});

}  // namespace

const std::shared_ptr<const EntryDictionary>& built_in_dictionary() {
  static const auto dictionary =
      EntryDictionary::parse({reinterpret_cast<const char*>(kBytes.data()), kBytes.size()}).value();
  return dictionary;
}

}  // namespace llm_edge_cache
