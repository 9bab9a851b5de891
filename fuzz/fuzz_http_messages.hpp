// What the fuzzers of HTTP messages share: a stream must mean the same however reads cut it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/fuzz_check.hpp"
#include "http/message_parser.hpp"

namespace llm_edge_cache::http {

// The whole messages of a stream, as text, and whether it ended in an error.
struct Transcript {
  std::vector<std::string> messages;
  bool failed = false;
  friend bool operator==(const Transcript&, const Transcript&) = default;
};

// describe(parser) takes the head and gives it as text; restart(parser) begins a message.
template <class Parser, class Describe, class Restart>
Transcript transcribe(Parser& parser, std::string_view input, std::size_t piece, Describe describe,
                      Restart restart) {
  Transcript transcript;
  std::string message;
  while (!input.empty()) {
    std::string_view part = input.substr(0, piece);
    input.remove_prefix(part.size());
    for (;;) {
      const ParseStep step = parser.next(part);
      fuzz_check(step.consumed <= part.size(), "no more is consumed than there was");
      part.remove_prefix(step.consumed);
      if (step.event == ParseEvent::kError) {
        transcript.failed = true;
        return transcript;
      }
      for (const std::string_view bytes : parser.body()) message += bytes;
      if (step.event == ParseEvent::kHead) message = describe(parser) + "\n";
      if (step.event == ParseEvent::kEnd) {
        transcript.messages.push_back(message);
        restart(parser);
        if (!part.empty()) continue;
      }
      if (part.empty() && step.event != ParseEvent::kHead) break;
    }
  }
  return transcript;
}

inline void check_framing(const Headers& headers) {
  const std::size_t lengths = headers.count("content-length");
  const std::size_t encodings = headers.count("transfer-encoding");
  fuzz_check(lengths + encodings <= 1, "there is one framing at most");
  for (const HeaderField field : headers) {
    fuzz_check(!field.name.empty(), "every field has a name");
    fuzz_check(field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos,
               "no value has a line end or a NUL");
  }
}

inline std::string describe_fields(const Headers& headers) {
  std::string text;
  for (const HeaderField field : headers) {
    text.append(field.name).append(": ").append(field.value).append("\n");
  }
  return text;
}

}  // namespace llm_edge_cache::http
