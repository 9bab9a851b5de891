#include "proxy/dialects/dialect.hpp"

#include "core/parsed_json.hpp"
#include "proxy/dialects/answer_json.hpp"

namespace llm_edge_cache::proxy {

Result<AnswerWish> Dialect::read_wish(std::string_view request_body) const {
  const auto request = ParsedJson::parse(request_body);
  if (!request.ok()) {
    return request.error();
  }
  if (!has_unique_names(*request)) {
    return Error{ErrorCode::kInvalidArgument, "the request has a name twice in an object"};
  }
  return wish_of(JsonView::of(*request));
}

}  // namespace llm_edge_cache::proxy
