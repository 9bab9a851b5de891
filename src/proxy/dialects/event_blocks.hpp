// A recorded event stream, cut into its events without copying
// (WHATWG HTML, section 9.2, server-sent events).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llm_edge_cache::proxy {

// The blocks of a stream, each with the blank line that ends it; put together they are the stream.
// The last block may lack its end.
[[nodiscard]] std::vector<std::string_view> event_blocks(std::string_view stream);

// Whether its last event has the blank line without which no client hears of it.
[[nodiscard]] bool ends_with_whole_event(std::string_view stream);

// The data of one block, its lines joined by line feeds. Empty for a comment or a ping.
[[nodiscard]] std::string event_data(std::string_view block);
// The event type that the block names; empty where it names none.
[[nodiscard]] std::string_view event_type(std::string_view block);

// Appends one event, its data in one line. type: empty for none.
void append_event(std::string& out, std::string_view type, std::string_view data);

}  // namespace llm_edge_cache::proxy
