#include "llm_edge_cache/cacheable_request.hpp"

#include <cmath>

#include "core/json_text.hpp"

namespace llm_edge_cache {

CacheableRequest& CacheableRequest::with_parameter(std::string name, std::string_view value) & {
  std::string json;
  append_json_string(json, value);
  return with_parameter(std::move(name), JsonText{std::move(json)});
}

CacheableRequest& CacheableRequest::with_parameter(std::string name, double value) & {
  std::string json;
  if (std::isfinite(value)) {
    append_json_number(json, value);
  } else {
    json = "not finite";  // no JSON: reported when the key is made
  }
  return with_parameter(std::move(name), JsonText{std::move(json)});
}

}  // namespace llm_edge_cache
