// The cache engine against a naive reference, step by step: value, cause, order, weight, listener.
#include <cstddef>
#include <cstdint>

#include "tests/unit/engine/model_run.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace llm_edge_cache::engine;
  const std::span<const std::uint8_t> bytes(data, size);
  if (size != 0 && data[0] % 2 == 0) {
    ModelRun<ModelLruTraits>(bytes.subspan(1)).run();
  } else {
    ModelRun<ModelTraits>(bytes).run();
  }
  return 0;
}
