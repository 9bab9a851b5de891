// Chat completions as providers send them, written by hand for these tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llm_edge_cache::proxy::test {

inline std::string sse(const std::vector<std::string_view>& data) {
  std::string stream;
  for (const auto line : data) {
    stream.append("data: ").append(line).append("\n\n");
  }
  return stream;
}

inline constexpr std::string_view kRoleChunk =
    R"({"id":"c1","object":"chat.completion.chunk","created":7,"model":"m-1","system_fingerprint":"fp",)"
    R"("choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]})";
inline constexpr std::string_view kHelloChunk =
    R"({"id":"c1","object":"chat.completion.chunk","created":7,"model":"m-1","system_fingerprint":"fp",)"
    R"("choices":[{"index":0,"delta":{"content":"Hello"},"logprobs":null,"finish_reason":null}]})";
inline constexpr std::string_view kWorldChunk =
    R"({"id":"c1","object":"chat.completion.chunk","created":7,"model":"m-1","system_fingerprint":"fp",)"
    R"("choices":[{"index":0,"delta":{"content":" wörld"},"logprobs":null,"finish_reason":null}]})";
inline constexpr std::string_view kStopChunk =
    R"({"id":"c1","object":"chat.completion.chunk","created":7,"model":"m-1","system_fingerprint":"fp",)"
    R"("choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]})";
inline constexpr std::string_view kUsageChunk =
    R"({"id":"c1","object":"chat.completion.chunk","created":7,"model":"m-1","system_fingerprint":"fp",)"
    R"("choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}})";
inline constexpr std::string_view kDone = "[DONE]";

inline std::string hello_stream() {
  return sse({kRoleChunk, kHelloChunk, kWorldChunk, kStopChunk, kDone});
}
inline std::string hello_stream_with_usage() {
  return sse({kRoleChunk, kHelloChunk, kWorldChunk, kStopChunk, kUsageChunk, kDone});
}

inline constexpr std::string_view kHelloBody =
    R"({"id":"c1","object":"chat.completion","created":7,"model":"m-1","system_fingerprint":"fp",)"
    R"("choices":[{"index":0,"message":{"role":"assistant","content":"Hello wörld","refusal":null},)"
    R"("logprobs":null,"finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}})";

}  // namespace llm_edge_cache::proxy::test
