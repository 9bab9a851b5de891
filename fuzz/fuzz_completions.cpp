// Text completions as streams and as bodies: fuzz_dialect.hpp.
#include <cstddef>
#include <cstdint>

#include "fuzz/fuzz_dialect.hpp"
#include "proxy/dialects/openai_completions.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const llm_edge_cache::proxy::OpenAiCompletionsDialect kDialect;
  llm_edge_cache::fuzz_dialect(kDialect, data, size);
  return 0;
}
