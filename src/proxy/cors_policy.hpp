// Which pages in a browser may read what the proxy answers (CORS, https://fetch.spec.whatwg.org/).
// A provider's word about that is neither stored nor shared: where there is a policy, it stands in
// its place on every answer, hits and errors included.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.hpp"
#include "http/extra_fields.hpp"
#include "http/message.hpp"
#include "llm_edge_cache/result.hpp"

namespace llm_edge_cache::proxy {

// Immutable.
class CorsPolicy {
 public:
  // What holds where no origin is named.
  enum class Unnamed {
    kProvidersWord,  // nothing is ever said, and the providers' words pass
    kNobody,         // no page may read anything
  };

  // Origins as browsers write them, or "*" alone for every page. They must be valid.
  explicit CorsPolicy(const std::vector<std::string>& origins,
                      Unnamed unnamed = Unnamed::kProvidersWord);

  // kInvalidArgument names the first that is no origin, and says why.
  [[nodiscard]] static Status validate(const std::vector<std::string>& origins);

  [[nodiscard]] bool is_on() const { return anybody_ != nullptr; }
  [[nodiscard]] bool allows(std::string_view origin) const;
  // What every answer to such a request says; null where the policy is off. head: null where the
  // request was too broken to have one.
  [[nodiscard]] std::shared_ptr<const http::ExtraFields> fields_for(
      const http::RequestHead* head) const;
  // The operator has vouched for the origins of the policy. A provider that judged them too would
  // refuse misses where hits work, and whoever shares the call of such a page.
  void strip_vouched(http::Headers& request) const;

 private:
  using FieldsPtr = std::shared_ptr<const http::ExtraFields>;

  FieldsPtr anybody_;  // for whoever is not named; null: the policy is off
  bool allows_all_ = false;
  std::map<std::string, FieldsPtr, std::less<>> by_origin_;
};

// Whether a browser asks if a page may send a request.
[[nodiscard]] bool is_preflight(const http::RequestHead& head);

// Yes: any method, and the fields that are asked for. To an origin that the policy allows; the
// policy's own fields are the exchange's extra ones.
void allow_preflight(http::Exchange& exchange);

}  // namespace llm_edge_cache::proxy
