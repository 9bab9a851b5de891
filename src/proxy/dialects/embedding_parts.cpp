#include "proxy/dialects/embedding_parts.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "proxy/dialects/openai_words.hpp"
#include "proxy/dialects/raw_json.hpp"

namespace llm_edge_cache::proxy {
namespace {

// Members of OpenAI's requests and of those of compatible servers (vLLM, Text Embeddings Inference,
// Ollama, Jina, Voyage, Cohere, NVIDIA, Mistral) that say something of each element alone.
constexpr std::array<std::string_view, 26> kOfEachElement = {"model",
                                                             "input",
                                                             "encoding_format",
                                                             "dimensions",
                                                             "user",
                                                             "input_type",
                                                             "task",
                                                             "task_type",
                                                             "truncate",
                                                             "truncation",
                                                             "output_dimension",
                                                             "output_dtype",
                                                             "normalize",
                                                             "normalized",
                                                             "embedding_type",
                                                             "embed_dtype",
                                                             "endianness",
                                                             "prompt_name",
                                                             "prompt",
                                                             "instruction",
                                                             "priority",
                                                             "request_id",
                                                             "add_special_tokens",
                                                             "truncate_prompt_tokens",
                                                             "truncation_direction",
                                                             "keep_alive"};

Error not_in_parts(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

bool is_token_array(const Json& value) {
  return value.is_array() && !value.empty() &&
         std::all_of(value.begin(), value.end(),
                     [](const Json& token) { return token.is_number_unsigned(); });
}

bool is_element(const Json& value) {
  return value.is_string() || is_token_array(value);
}

std::optional<TokenUsage> usage_of(JsonView usage) {
  const auto prompt = usage["prompt_tokens"].count();
  const auto total = usage["total_tokens"].count();
  if (!prompt || !total) {
    return std::nullopt;
  }
  return TokenUsage{*prompt, 0, *total};
}

// Reads one answer. What is not a vector is small, and parsed as usual.
class EmbeddingsReader {
 public:
  std::optional<Embeddings> read(std::string_view answer) {
    const bool is_list =
        for_each_raw_member(answer, [this](std::string_view name, std::string_view value) {
          return name == "data" ? read_data(value) : read_rest(name, value);
        });
    if (!is_list || member_of(rest_, "object") != "list" || !has_model()) {
      return std::nullopt;
    }
    result_.model = text_of(member_of(rest_, "model"));
    result_.usage = usage_of(member_of(rest_, "usage"));
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool has_model() const { return member_of(rest_, "model").is_string(); }

  // `id` and `created` name the call and mean nothing to its parts.
  bool read_rest(std::string_view name, std::string_view value) {
    constexpr std::string_view kKnown[] = {"object", "model", "usage", "id", "created"};
    auto parsed = parse_answer_json(value);
    return std::find(std::begin(kKnown), std::end(kKnown), name) != std::end(kKnown) && parsed &&
           rest_.emplace(std::string(name), std::move(*parsed)).second;
  }

  bool read_data(std::string_view data) {
    return !std::exchange(has_data_, true) &&
           for_each_raw_element(
               data, [this](std::string_view element) { return read_element(element); }) &&
           place_vectors();
  }

  bool read_element(std::string_view element) {
    std::string_view vector;
    Json rest = Json::object();
    const bool is_object =
        for_each_raw_member(element, [&](std::string_view name, std::string_view value) {
          if (name == "embedding") {
            return std::exchange(vector, value).empty();
          }
          auto parsed = parse_answer_json(value);
          return parsed && rest.emplace(std::string(name), std::move(*parsed)).second;
        });
    const Json& index = member_of(rest, "index");
    if (!is_object || !has_only(rest, {"object", "index"}) ||
        member_of(rest, "object") != "embedding" || !index.is_number_unsigned() ||
        (!is_raw_number_array(vector) && !is_raw_base64(vector))) {
      return false;
    }
    found_.emplace_back(index.get<std::uint64_t>(), vector);
    return found_.size() <= kMaxEmbeddingElements;
  }

  bool place_vectors() {
    std::sort(found_.begin(), found_.end());
    for (const auto& [index, vector] : found_) {
      if (index != result_.vectors.size()) {
        return false;
      }
      result_.vectors.emplace_back(vector);
    }
    return true;
  }

  Json rest_ = Json::object();
  bool has_data_ = false;
  std::vector<std::pair<std::uint64_t, std::string_view>> found_;
  Embeddings result_;
};

// What an element weighs in the usage: its tokens where they are given, else its bytes.
std::uint64_t weight_of(std::string_view element) {
  if (!element.starts_with('[')) {
    return element.size();
  }
  return static_cast<std::uint64_t>(std::count(element.begin(), element.end(), ',')) + 1;
}

}  // namespace

Result<EmbeddingRequest> read_embedding_request(std::string_view body) {
  auto request = parse_answer_json(body);
  if (!request) {
    return not_in_parts("the request is not a JSON object");
  }
  if (const auto is_streamed = asks_for_stream(*request); !is_streamed.ok()) {
    return is_streamed.error();
  }
  const Json& input = member_of(*request, "input");
  EmbeddingRequest result;
  if (is_element(input)) {
    result.elements.push_back(input.dump());
  } else if (input.is_array() && std::all_of(input.begin(), input.end(), is_element)) {
    for (const auto& element : input) {
      result.elements.push_back(element.dump());
    }
  }
  if (result.elements.empty() || result.elements.size() > kMaxEmbeddingElements) {
    return not_in_parts("the input has no elements that are cached");
  }
  result.body = std::move(*request);
  return result;
}

std::string embedding_request_for(const EmbeddingRequest& request,
                                  const std::vector<std::string_view>& elements) {
  auto rest = request.body;
  rest.erase("input");
  auto text = rest.dump();
  text.pop_back();
  if (!rest.empty()) {
    text += ',';
  }
  text += R"("input":[)";
  for (std::size_t i = 0; i < elements.size(); ++i) {
    text.append(i == 0 ? "" : ",").append(elements[i]);
  }
  return text += "]}";
}

std::vector<std::string> members_beside_key(const EmbeddingRequest& request) {
  std::vector<std::string> members = {"input"};
  if (member_of(request.body, "encoding_format") == "float") {
    members.emplace_back("encoding_format");
  }
  return members;
}

bool are_elements_independent(const EmbeddingRequest& request,
                              const std::vector<std::string>& keyless) {
  const auto is_harmless = [&](const auto& member) {
    const auto& [name, value] = member;
    return value.is_null() || value == Json(false) ||
           std::find(kOfEachElement.begin(), kOfEachElement.end(), name) != kOfEachElement.end() ||
           std::find(keyless.begin(), keyless.end(), name) != keyless.end();
  };
  const auto& members = request.body.get_ref<const Json::object_t&>();
  return request.elements.size() == 1 || std::all_of(members.begin(), members.end(), is_harmless);
}

std::optional<Embeddings> read_embeddings(std::string_view answer) {
  return EmbeddingsReader().read(answer);
}

std::string write_embeddings(const std::vector<std::string_view>& vectors, std::string_view model,
                             const std::optional<TokenUsage>& usage) {
  std::string text = R"({"object":"list","data":[)";
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    text.append(i == 0 ? "" : ",")
        .append(R"({"object":"embedding","index":)")
        .append(std::to_string(i))
        .append(R"(,"embedding":)")
        .append(vectors[i])
        .append("}");
  }
  text.append(R"(],"model":)").append(Json(model).dump());
  if (usage) {
    text.append(R"(,"usage":{"prompt_tokens":)")
        .append(std::to_string(usage->prompt_tokens))
        .append(R"(,"total_tokens":)")
        .append(std::to_string(usage->total_tokens))
        .append("}");
  }
  return text += "}";
}

std::vector<std::uint32_t> share_tokens(std::uint32_t total,
                                        const std::vector<std::string_view>& elements) {
  std::vector<std::uint64_t> weights;
  weights.reserve(elements.size());
  for (const auto element : elements) {
    weights.push_back(weight_of(element));
  }
  const auto all =
      std::max<std::uint64_t>(1, std::accumulate(weights.begin(), weights.end(), std::uint64_t{0}));
  // Each gets what is due to all up to it, less what those before it got: no rounding is lost.
  std::vector<std::uint32_t> shares;
  shares.reserve(elements.size());
  std::uint64_t weight_so_far = 0;
  std::uint64_t given = 0;
  for (const auto weight : weights) {
    weight_so_far += weight;
    const auto due = total * weight_so_far / all;
    shares.push_back(static_cast<std::uint32_t>(due - given));
    given = due;
  }
  return shares;
}

}  // namespace llm_edge_cache::proxy
