// A proxy before a provider of embeddings.
#pragma once

#include <gtest/gtest.h>

#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "proxy_fixture.hpp"

namespace llm_edge_cache::proxy::test {
using nlohmann::json;

// Answers as a provider does: a vector that depends on the element alone, a token for each byte.
inline json embeddings_for(const json& request) {
  auto input = request["input"];
  const bool is_one = input.is_string() || (!input.empty() && input[0].is_number());
  if (is_one) {
    input = json::array({input});
  }
  json data = json::array();
  std::size_t tokens = 0;
  for (const auto& element : input) {
    const auto text = element.dump();
    data.push_back({{"object", "embedding"},
                    {"index", data.size()},
                    {"embedding", {static_cast<double>(text.size()) / 4, text[1] / 2.0}}});
    tokens += element.size() == 1 && element.is_string() ? text.size() - 2 : element.size();
  }
  return {{"object", "list"},
          {"data", data},
          {"model", "e-1"},
          {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}};
}

class EmbeddingTest : public ProxyTest {
 protected:
  explicit EmbeddingTest(ProxyTestOptions options = {}) : ProxyTest(options) {
    upstream_.answer_with([this](const UpstreamExchange& exchange) {
      const auto request = json::parse(exchange.body());
      const std::lock_guard lock(mutex_);
      asked_.push_back(request["input"]);
      exchange.respond_json(embeddings_for(request).dump());
    });
  }

  Answer embed(const json& input, const http::Headers& headers = {}, json more = json::object()) {
    more["model"] = "e";
    more["input"] = input;
    auto head = http::request_head("POST", "/v1/embeddings");
    head.headers = headers;
    return settled([&] { return start(head, more.dump()).wait(); });
  }
  std::vector<json> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

  static json vectors_of(const Answer& answer) {
    json vectors = json::array();
    const auto body = json::parse(answer.body());
    for (std::size_t i = 0; i < body["data"].size(); ++i) {
      EXPECT_EQ(body["data"][i]["index"], i);
      EXPECT_EQ(body["data"][i]["object"], "embedding");
      vectors.push_back(body["data"][i]["embedding"]);
    }
    return vectors;
  }
  static json expected(const json& input) {
    json vectors = json::array();
    const auto answer = embeddings_for({{"input", input}});
    for (const auto& element : answer["data"]) {
      vectors.push_back(element["embedding"]);
    }
    return vectors;
  }

 private:
  std::mutex mutex_;
  std::vector<json> asked_;
};

}  // namespace llm_edge_cache::proxy::test
