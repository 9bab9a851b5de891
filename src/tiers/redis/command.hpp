// Redis commands as RESP arrays of bulk strings, appended to a buffer that the caller reuses.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace llm_edge_cache::redis {

void append_command(std::string& out, std::initializer_list<std::string_view> arguments);

// For commands with a variable number of arguments: a header, then exactly that many arguments.
void append_header(std::string& out, std::size_t arguments);
void append_argument(std::string& out, std::string_view argument);

void append_get(std::string& out, std::string_view key);
// px_ms is at least 1.
void append_set(std::string& out, std::string_view key, std::string_view value,
                std::uint64_t px_ms);
void append_unlink(std::string& out, std::string_view key);
// One page of the keys that start with the prefix; `count` is how many keys the server looks at.
void append_scan(std::string& out, std::string_view cursor, std::string_view prefix,
                 std::uint64_t count);

// A glob pattern that matches the text and nothing else: SCAN's MATCH knows * ? [ ] and a
// backslash.
[[nodiscard]] std::string escape_glob(std::string_view text);

}  // namespace llm_edge_cache::redis
