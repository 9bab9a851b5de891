#include "mock_provider/mock_embeddings.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/sha256.hpp"

namespace llm_edge_cache::app {

namespace {

constexpr std::uint64_t kDimensions = 16;
constexpr std::uint64_t kMostDimensions = 4'096;

bool is_element(const Json& value) {
  return value.is_string() ||
         (value.is_array() && !value.empty() && value.front().is_number_unsigned());
}

std::vector<float> vector_of(const std::string& model, const Json& element,
                             std::uint64_t dimensions) {
  MockRandom random(sha256(model + '\n' + element.dump()).hash());
  std::vector<float> vector(dimensions);
  double square = 0;
  for (auto& number : vector) {
    number = static_cast<float>(random.below(2'000'001)) / 1'000'000.0F - 1.0F;
    square += static_cast<double>(number) * static_cast<double>(number);
  }
  const auto length = square > 0 ? std::sqrt(square) : 1.0;
  for (auto& number : vector) number = static_cast<float>(static_cast<double>(number) / length);
  return vector;
}

// The bytes of the numbers, least significant first.
std::string base64_of(const std::vector<float>& vector) {
  std::string bytes;
  for (const auto number : vector) {
    const auto bits = std::bit_cast<std::uint32_t>(number);
    for (unsigned shift = 0; shift < 32; shift += 8) {
      bytes.push_back(static_cast<char>((bits >> shift) & 0xFFU));
    }
  }
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // and the zero that OpenSSL adds
  const auto size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                    reinterpret_cast<const unsigned char*>(bytes.data()),
                                    static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

}  // namespace

MockReply mock_embeddings(std::string_view request_body) {
  auto read = read_mock_request(MockApi::kOpenAi, request_body, {"user"});
  if (auto* fault = std::get_if<MockReply>(&read)) return std::move(*fault);
  const auto& request = std::get<MockRequest>(read);
  const auto& input = mock_member(request.json, "input");
  const auto elements = is_element(input) ? Json::array({input}) : input;
  if (!elements.is_array() || elements.empty() ||
      !std::ranges::all_of(elements, [](const Json& element) { return is_element(element); })) {
    return mock_error(MockApi::kOpenAi, 400, "An input is required.", "input");
  }
  const auto& wanted = mock_member(request.json, "dimensions");
  const auto dimensions = std::clamp<std::uint64_t>(
      wanted.is_number_unsigned() ? wanted.get<std::uint64_t>() : kDimensions, 1, kMostDimensions);
  const bool is_base64 = mock_member(request.json, "encoding_format") == "base64";
  auto data = Json::array();
  std::uint64_t tokens = 0;
  for (const auto& element : elements) {
    const auto vector = vector_of(request.model, element, dimensions);
    data.push_back({{"object", "embedding"},
                    {"index", data.size()},
                    {"embedding", is_base64 ? Json(base64_of(vector)) : Json(vector)}});
    tokens += element.is_array() ? element.size() : element.dump().size() / 4 + 1;
  }
  if (request.model == "mock-miscount") data.erase(data.size() - 1);
  auto reply = request.reply();
  reply.is_stream = false;
  reply.content_type = "application/json";
  reply.pieces = {Json{{"object", "list"},
                       {"data", std::move(data)},
                       {"model", request.model},
                       {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}}
                      .dump()};
  return reply;
}

}  // namespace llm_edge_cache::app
