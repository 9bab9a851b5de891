#include "serve/admin_answer.hpp"

#include <nlohmann/json.hpp>
#include <utility>

namespace llm_edge_cache::app {

void answer(http::Exchange& exchange, std::uint16_t status, std::string_view content_type,
            std::string body) {
  http::ResponseHead head;
  head.status = status;
  head.headers.add("Content-Type", content_type);
  head.headers.add("Cache-Control", "no-store");
  if (status == 401) head.headers.add("WWW-Authenticate", "Bearer");
  exchange.respond(std::move(head), http::SharedBytes(std::move(body)));
}

void answer_error(http::Exchange& exchange, std::uint16_t status, std::string_view code,
                  std::string_view message) {
  nlohmann::ordered_json error = {{"code", code}};
  if (!message.empty()) error["message"] = message;
  answer(exchange, status, kJson,
         nlohmann::ordered_json({{"error", error}})
                 .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
             "\n");
}

void answer_error(http::Exchange& exchange, const Error& error) {
  const bool is_callers = error.code == ErrorCode::kInvalidArgument;
  answer_error(exchange, is_callers ? 400 : 503, to_string(error.code), error.message);
}

}  // namespace llm_edge_cache::app
