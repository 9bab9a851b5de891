#include "proxy/dialects/embedding_parts.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <string>

namespace llm_edge_cache::proxy::embedding_parts_test {
namespace {

using Texts = std::vector<std::string>;

Texts elements_of(std::string_view input) {
  const auto request =
      read_embedding_request(R"({"model":"m","input":)" + std::string(input) + "}");
  return request.ok() ? request->elements : Texts{"no elements"};
}

constexpr std::string_view kTwo =
    R"({"object":"list","data":[{"object":"embedding","index":1,"embedding":[0.50,-1e-05]},)"
    R"({"object":"embedding","index":0,"embedding":"AAAA"}],"model":"m-1",)"
    R"("usage":{"prompt_tokens":8,"total_tokens":9}})";

TEST(EmbeddingRequestTest, text_and_tokens_are_elements_alone_and_in_a_list) {
  EXPECT_EQ(elements_of(R"("a")"), (Texts{R"("a")"}));
  EXPECT_EQ(elements_of(R"(["a"])"), (Texts{R"("a")"}));
  EXPECT_EQ(elements_of(R"(["a","b","a"])"), (Texts{R"("a")", R"("b")", R"("a")"}));
  EXPECT_EQ(elements_of("[1, 2]"), (Texts{"[1,2]"}));
  EXPECT_EQ(elements_of("[[1,2],[3]]"), (Texts{"[1,2]", "[3]"}));
}

TEST(EmbeddingRequestTest, equal_text_has_one_spelling) {
  EXPECT_EQ(elements_of(R"("\u0061\n")"), elements_of("\"a\\u000a\""));
}

TEST(EmbeddingRequestTest, leaves_other_inputs_to_the_provider) {
  for (const auto* input : {"[]", "null", "7", "{}", "[null]", "[[]]", "[1.5]", "[-1]", "[[1],2]",
                            R"([{"type":"text"}])", "[99999999999999999999]"}) {
    EXPECT_EQ(elements_of(input), Texts{"no elements"}) << input;
  }
  EXPECT_FALSE(read_embedding_request("[]").ok());
  EXPECT_FALSE(read_embedding_request(R"({"model":"m"})").ok());
}

TEST(EmbeddingRequestTest, has_as_many_elements_as_the_provider_takes) {
  const auto list_of = [](std::size_t count) {
    std::string list = "[\"0\"";
    for (std::size_t i = 1; i < count; ++i) {
      list += ",\"" + std::to_string(i) + "\"";
    }
    return list + "]";
  };
  EXPECT_EQ(elements_of(list_of(kMaxEmbeddingElements)).size(), kMaxEmbeddingElements);
  EXPECT_EQ(elements_of(list_of(kMaxEmbeddingElements + 1)), Texts{"no elements"});
}

TEST(EmbeddingRequestTest, asks_for_some_of_its_elements) {
  const auto request = read_embedding_request(
      R"({"input":["a","b","c"],"model":"m","dimensions":3,"encoding_format":"base64"})");
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(
      Json::parse(embedding_request_for(*request, {request->elements[2], request->elements[0]})),
      Json::parse(R"({"model":"m","dimensions":3,"encoding_format":"base64","input":["c","a"]})"));
  const auto bare = read_embedding_request(R"({"input":"a"})");
  EXPECT_EQ(embedding_request_for(*bare, {bare->elements[0]}), R"({"input":["a"]})");
}

TEST(EmbeddingRequestTest, elements_are_independent_unless_a_member_may_say_otherwise) {
  const auto are_independent = [](const std::string& members, const std::string& input) {
    const auto request = read_embedding_request(R"({"input":)" + input + members + "}");
    return are_elements_independent(*request, {"mine"});
  };
  const std::string two = R"(["a","b"])";
  EXPECT_TRUE(are_independent("", two));
  EXPECT_TRUE(are_independent(R"(,"model":"m","dimensions":8,"encoding_format":"float")", two));
  EXPECT_TRUE(are_independent(R"(,"input_type":"query","truncate":"END")", two));
  EXPECT_TRUE(are_independent(R"(,"late_chunking":false,"unknown":null,"mine":1)", two));
  EXPECT_FALSE(are_independent(R"(,"late_chunking":true)", two));
  EXPECT_FALSE(are_independent(R"(,"late_chunking":true)", R"(["a","a"])"));
  EXPECT_FALSE(are_independent(R"(,"unknown":0)", two));
  EXPECT_TRUE(are_independent(R"(,"late_chunking":true)", R"("a")"));
  EXPECT_TRUE(are_independent(R"(,"late_chunking":true)", R"(["a"])"));
}

TEST(EmbeddingRequestTest, the_default_encoding_is_as_good_as_none) {
  const auto members = [](const char* body) {
    return members_beside_key(*read_embedding_request(body));
  };
  EXPECT_EQ(members(R"({"input":"a"})"), Texts{"input"});
  EXPECT_EQ(members(R"({"input":"a","encoding_format":"float"})"),
            (Texts{"input", "encoding_format"}));
  EXPECT_EQ(members(R"({"input":"a","encoding_format":"base64"})"), Texts{"input"});
}

TEST(ReadEmbeddingsTest, keeps_vectors_as_the_provider_wrote_them_in_the_order_of_their_indices) {
  const auto embeddings = read_embeddings(kTwo);
  ASSERT_TRUE(embeddings);
  EXPECT_EQ(embeddings->vectors, (Texts{R"("AAAA")", "[0.50,-1e-05]"}));
  EXPECT_EQ(embeddings->model, "m-1");
  EXPECT_EQ(embeddings->usage, (TokenUsage{8, 0, 9}));
}

TEST(ReadEmbeddingsTest, what_names_the_call_may_be_there) {
  EXPECT_TRUE(read_embeddings(
      R"({"id":"e","created":1,"object":"list","model":"m","data":[],"usage":null})"));
}

TEST(ReadEmbeddingsTest, refuses_what_it_would_lose_or_not_understand) {
  const auto with = [](std::string_view element, std::string_view rest = "") {
    return R"({"object":"list","model":"m","data":[)" + std::string(element) + "]" +
           std::string(rest) + "}";
  };
  const std::string good = R"({"object":"embedding","index":0,"embedding":[1]})";
  EXPECT_TRUE(read_embeddings(with(good)));
  for (const auto& text :
       {with(good + "," + good),
        with(R"({"object":"embedding","index":1,"embedding":[1]})"),
        with(R"({"object":"embedding","index":-1,"embedding":[1]})"),
        with(R"({"object":"embedding","embedding":[1]})"),
        with(R"({"object":"embedding","index":0})"),
        with(R"({"object":"embedding","index":0,"embedding":[1],"embedding":[2]})"),
        with(R"({"object":"embedding","index":0,"index":0,"embedding":[1]})"),
        with(R"({"object":"embedding","index":0,"embedding":["1"]})"),
        with(R"({"object":"embedding","index":0,"embedding":{"int8":[1]}})"),
        with(R"({"object":"embedding","index":0,"embedding":[1],"novelty":1})"),
        with(R"({"object":"novelty","index":0,"embedding":[1]})"),
        with("7"),
        with(good, R"(,"novelty":1)"),
        with(good, R"(,"error":{"message":"m"})"),
        with(good, R"(,"model":"n")"),
        with(good, R"(,"data":[])"),
        std::string(R"({"object":"list","model":"m"})"),
        std::string(R"({"object":"list","data":[]})"),
        std::string(R"({"model":"m","data":[]})"),
        std::string("[]"),
        std::string()}) {
    const auto read = read_embeddings(text);
    EXPECT_TRUE(!read || read->vectors.empty()) << text;
  }
}

TEST(ReadEmbeddingsTest, refuses_an_answer_that_was_cut_anywhere) {
  for (std::size_t size = 0; size < kTwo.size(); ++size) {
    EXPECT_FALSE(read_embeddings(kTwo.substr(0, size))) << size;
  }
}

TEST(WriteEmbeddingsTest, is_what_reading_undoes) {
  const auto text = write_embeddings({"[0.50]", R"("AAAA")"}, "m\"", TokenUsage{1, 0, 2});
  const auto embeddings = read_embeddings(text);
  ASSERT_TRUE(embeddings);
  EXPECT_EQ(embeddings->vectors, (Texts{"[0.50]", R"("AAAA")"}));
  EXPECT_EQ(embeddings->model, "m\"");
  EXPECT_EQ(embeddings->usage, (TokenUsage{1, 0, 2}));
  EXPECT_FALSE(read_embeddings(write_embeddings({}, "m", std::nullopt))->usage);
}

TEST(ShareTokensTest, shares_add_up_and_follow_the_sizes) {
  const auto shares = share_tokens(10, {R"("aaaaaaaa")", R"("aaaaaaaa")", R"("a")"});
  EXPECT_EQ(std::accumulate(shares.begin(), shares.end(), 0U), 10U);
  EXPECT_LT(shares[2], shares[0]);
  EXPECT_EQ(share_tokens(7, {R"("a")"}), std::vector<std::uint32_t>{7});
  EXPECT_EQ(share_tokens(0, {R"("a")", R"("b")"}), (std::vector<std::uint32_t>{0, 0}));
}

TEST(ShareTokensTest, tokens_count_for_themselves) {
  EXPECT_EQ(share_tokens(6, {"[1,2,3]", "[4000000]", "[5,6]"}),
            (std::vector<std::uint32_t>{3, 1, 2}));
}

}  // namespace
}  // namespace llm_edge_cache::proxy::embedding_parts_test
