#include "proxy/dialects/openai_completions.hpp"

#include <utility>

#include "proxy/dialects/chunk_stream.hpp"
#include "proxy/dialects/delta_merge.hpp"
#include "proxy/dialects/openai_words.hpp"
#include "proxy/dialects/text_pieces.hpp"

namespace llm_edge_cache::proxy {
namespace {

constexpr std::string_view kObject = "text_completion";  // of bodies and chunks alike

class CompletionAssembler final : public ChunkAssembler {
 public:
  CompletionAssembler() : ChunkAssembler(kObject) {}

 protected:
  Added add_part(Json& choice, const Json& part) override {
    const Json& text = member_of(part, "text");
    if (!text.is_string() && !text.is_null()) {
      return Added::kNot;
    }
    bool is_exact = true;
    for (const auto& [name, value] : part.items()) {
      if (name == "text") {
        Json& whole = choice[name];
        whole = text_of(whole) + text_of(value);
      } else if (name == "logprobs") {
        is_exact = append_logprobs(choice[name], value) && is_exact;
      } else if (name != "index") {
        is_exact = merge_repeated(choice, name, value) && is_exact;
      }
    }
    return is_exact ? Added::kExactly : Added::kByGuess;
  }
  Json finish_choice(Json choice) override { return choice; }
};

// Log probabilities keep their text in one piece, as in a chat.
void split_choice(const Json& choice, ChunkWriter& writer) {
  Json head = {{"index", member_of(choice, "index")}, {"finish_reason", nullptr}};
  const auto& text = member_of(choice, "text").get_ref<const std::string&>();
  std::string_view rest = text;
  while (member_of(choice, "logprobs").is_null() && !rest.empty()) {
    head["text"] = take_piece(rest);
    head["logprobs"] = nullptr;
    writer.add(head);
  }
  Json last = choice;
  last["text"] = rest;
  writer.add(std::move(last));
}

}  // namespace

bool OpenAiCompletionsDialect::matches(std::string_view method, std::string_view path) const {
  return method == "POST" && path == "/v1/completions";
}

const std::vector<std::string>& OpenAiCompletionsDialect::default_keyless_members() const {
  static const std::vector<std::string> members = {"stream", "stream_options", "user"};
  return members;
}

Result<AnswerWish> OpenAiCompletionsDialect::wish_of(JsonView request) const {
  return openai_wish(request);
}

std::optional<StoreRefusal> OpenAiCompletionsDialect::judge(JsonView body) const {
  if (!body["error"].is_null()) {
    return StoreRefusal::kErrorInAnswer;
  }
  const auto choices = body["choices"];
  if (body["object"] != kObject || !choices.is_array() || choices.is_empty()) {
    return StoreRefusal::kMalformed;
  }
  for (const auto choice : choices) {
    if (!choice["text"].is_string()) {
      return StoreRefusal::kMalformed;
    }
    if (const auto refusal = judge_finish_reason(choice["finish_reason"])) {
      return refusal;
    }
  }
  return std::nullopt;
}

AnswerReview OpenAiCompletionsDialect::describe(JsonView body) const {
  AnswerReview review;
  review.model = body["model"].text();
  review.usage = chat_usage(body);
  review.finish_reason = (*body["choices"].begin())["finish_reason"].text();
  return review;
}

Assembled OpenAiCompletionsDialect::assemble(std::string_view stream) const {
  return CompletionAssembler().assemble(stream);
}

std::optional<std::string> OpenAiCompletionsDialect::split(const Json& body,
                                                           AnswerWish wish) const {
  if (wish.include_usage && !member_of(body, "usage").is_object()) {
    return std::nullopt;
  }
  ChunkWriter writer(body, kObject, wish.include_usage);
  for (const auto& choice : member_of(body, "choices")) {
    split_choice(choice, writer);
  }
  return std::move(writer).finish();
}

Json OpenAiCompletionsDialect::streamed_part(const Json& body, AnswerWish wish) const {
  auto part = chunked_part(body, wish);
  for (auto& choice : part["choices"]) {
    choice.emplace("logprobs", nullptr);
  }
  return part;
}

Result<std::optional<std::string>> OpenAiCompletionsDialect::adapt_stream(std::string_view stream,
                                                                          AnswerWish wish) const {
  return adapt_chunks(stream, wish);
}

std::string OpenAiCompletionsDialect::error_body(const ProxyError& error) const {
  return openai_error_body(error);
}

}  // namespace llm_edge_cache::proxy
