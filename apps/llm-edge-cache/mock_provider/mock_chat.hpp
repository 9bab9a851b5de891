// What the simulated provider says to POST /v1/chat/completions.
//
// The answer is a function of the request: the same bytes for the same request, in every process.
// What only says how to deliver it (stream, stream_options, user, metadata, store,
// safety_identifier, prompt_cache_key) changes neither text nor id.
//
// Models that misbehave on purpose: "mock-status-429" answers that status always, "mock-cut" closes
// the connection in the middle of its answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llm_edge_cache::app {

struct MockReply {
  unsigned status = 200;
  std::string content_type = "application/json";
  // An event each, or the whole body in one. Delivered in order, the first after the time to first
  // token, each other a token's time later.
  std::vector<std::string> pieces;
  std::uint64_t tokens = 0;  // of the longest choice: what the answer takes to write
  bool is_stream = false;
  bool cut_in_the_middle = false;
  std::uint64_t digest = 0;  // of the request; what errors by chance depend on

  [[nodiscard]] std::string body() const;
};

[[nodiscard]] MockReply mock_chat(std::string_view request_body);

[[nodiscard]] MockReply mock_models();

// An error in OpenAI's shape.
[[nodiscard]] MockReply mock_error(unsigned status, std::string_view message,
                                   std::string_view param = {});

// Whether the sequence-th request fails at that rate: the same for the same three, and close to the
// rate over many.
[[nodiscard]] bool mock_fails(double error_rate, std::uint64_t request_digest,
                              std::uint64_t sequence);

}  // namespace llm_edge_cache::app
