// What the parts of the admin API answer with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/exchange.hpp"

namespace llm_edge_cache::app {

inline constexpr std::string_view kJson = "application/json";

// On the exchange's thread.
void answer(http::Exchange& exchange, std::uint16_t status, std::string_view content_type,
            std::string body);
void answer_error(http::Exchange& exchange, std::uint16_t status, std::string_view code,
                  std::string_view message = "");
// A status for what a tier or the caller did wrong.
void answer_error(http::Exchange& exchange, const Error& error);

}  // namespace llm_edge_cache::app
