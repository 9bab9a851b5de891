// Answers with embeddings: what is read is JSON, and written again it is read as the same. Requests
// for some of the elements of a request have these elements.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "fuzz/fuzz_check.hpp"
#include "proxy/dialects/embedding_parts.hpp"

namespace {

// A number beyond a double is JSON (RFC 8259, 6), which the library that is asked here refuses.
bool is_json(std::string_view text) {
  using llm_edge_cache::proxy::Json;
  try {
    static_cast<void>(Json::parse(text));
  } catch (const Json::out_of_range&) {
    return true;
  } catch (const Json::exception&) {
    return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace llm_edge_cache;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto read = proxy::read_embeddings(text)) {
    fuzz_check(is_json(text), "what is read is JSON");
    const std::vector<std::string_view> vectors(read->vectors.begin(), read->vectors.end());
    const auto written = proxy::write_embeddings(vectors, read->model, read->usage);
    const auto again = proxy::read_embeddings(written);
    fuzz_check(again && again->vectors == read->vectors && again->model == read->model &&
                   again->usage == read->usage,
               "what is written is read as the same");
  }
  if (const auto request = proxy::read_embedding_request(text); request.ok()) {
    const std::vector<std::string_view> elements(request->elements.begin(),
                                                 request->elements.end());
    const auto again =
        proxy::read_embedding_request(proxy::embedding_request_for(*request, elements));
    fuzz_check(again.ok() && again->elements == request->elements, "a request has its elements");
  }
  return 0;
}
