#include "proxy/request_traits.hpp"

#include "proxy/dialects/answer_json.hpp"

namespace llm_edge_cache::proxy {
namespace {

// Every API that is spoken here samples by default.
bool samples(const Json& request) {
  const Json& temperature = member_of(request, "temperature");
  return !temperature.is_number() || temperature.get<double>() > 0;
}

bool has_tools(const Json& request) {
  for (const auto* name : {"tools", "functions"}) {
    const Json& tools = member_of(request, name);
    if (!tools.is_null() && !tools.empty()) {
      return true;
    }
  }
  return false;
}

}  // namespace

RequestTraits read_request_traits(std::string_view path, AnswerWish wish, std::string_view body) {
  RequestTraits traits;
  traits.path = path;
  traits.is_streamed = wish.form == AnswerForm::kStream;
  if (const auto request = parse_request_json(body)) {
    traits.model = text_of(member_of(*request, "model"));
    traits.samples = samples(*request);
    traits.has_tools = has_tools(*request);
  }
  return traits;
}

std::string read_model(std::string_view body) {
  const auto request = parse_request_json(body);
  return request ? text_of(member_of(*request, "model")) : std::string();
}

}  // namespace llm_edge_cache::proxy
