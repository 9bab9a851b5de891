// Streams of chunks, each of which carries a part of some choices: chat completions and text
// completions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/dialects/streamed_dialect.hpp"

namespace llm_edge_cache::proxy {

inline constexpr std::string_view kStreamDone = "[DONE]";

// Puts the chunks of a stream together. Usage is there where the stream carried it; what pads a
// stream (`obfuscation`) is not. For one stream.
class ChunkAssembler {
 public:
  // object: of the body that results.
  explicit ChunkAssembler(std::string_view object) : object_(object) {}
  virtual ~ChunkAssembler() = default;

  [[nodiscard]] Assembled assemble(std::string_view stream);

 protected:
  enum class Added { kExactly, kByGuess, kNot };
  // Adds what a chunk says of a choice; kNot where that is no part of a choice.
  [[nodiscard]] virtual Added add_part(Json& choice, const Json& part) = 0;
  // The choice as a body has it.
  [[nodiscard]] virtual Json finish_choice(Json choice) = 0;

  void note_guess() { is_exact_ = false; }

 private:
  void add_block(std::string_view block);
  void add_chunk(const std::optional<Json>& chunk);
  void add_choice(const Json& part);

  const std::string_view object_;
  Json body_ = Json::object();
  std::map<std::int64_t, Json> choices_;
  std::optional<StoreRefusal> refusal_;
  bool is_done_ = false;
  bool is_exact_ = true;
};

// Writes the chunks of a body. For one stream.
class ChunkWriter {
 public:
  // object: of the chunks. The body is read while this lives.
  ChunkWriter(const Json& body, std::string_view object, bool include_usage);

  void add(Json choice);
  // The usage chunk, where it is asked for, and [DONE].
  [[nodiscard]] std::string finish() &&;

 private:
  void emit();

  const Json& body_;
  const bool include_usage_;
  Json frame_;
  std::string out_;
};

// As StreamedDialect::streamed_part() and adapt_stream() of both dialects:
//   recorded with usage, asked for       byte for byte
//   recorded with usage, not asked for   without that chunk: clients that did not ask index its
//                                        empty list of choices
//   usage within a chunk of choices      byte for byte, asked for or not: such providers always say
//                                        it (Mistral and OpenRouter, for example)
//   recorded without, asked for          cannot be known: a miss, whose answer replaces it
[[nodiscard]] Json chunked_part(const Json& body, AnswerWish wish);
[[nodiscard]] Result<std::optional<std::string>> adapt_chunks(std::string_view stream,
                                                              AnswerWish wish);

// The last chunk of a recorded stream, where that says what the whole answer used. Chunks with
// neither choices nor usage may follow it: moderation comes so.
struct UsageChunk {
  std::string_view block;       // empty: there is none
  bool has_only_usage = false;  // no choices: it can be left out
};
[[nodiscard]] UsageChunk find_usage_chunk(std::string_view stream);

}  // namespace llm_edge_cache::proxy
