#include "proxy/request_traits.hpp"

namespace llm_edge_cache::proxy {
namespace {

// Every API that is spoken here samples by default.
bool samples(JsonView request) {
  return request["temperature"].number().value_or(1) > 0;
}

bool has_tools(JsonView request) {
  return !request["tools"].is_empty() || !request["functions"].is_empty();
}

}  // namespace

RequestTraits read_request_traits(std::string_view path, AnswerWish wish, JsonView request) {
  RequestTraits traits;
  traits.path = path;
  traits.is_streamed = wish.form == AnswerForm::kStream;
  traits.model = request["model"].text();
  traits.samples = samples(request);
  traits.has_tools = has_tools(request);
  return traits;
}

}  // namespace llm_edge_cache::proxy
