// What holds for a dialect whatever a provider sends.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/fuzz_check.hpp"
#include "proxy/dialects/answer_json.hpp"
#include "proxy/dialects/dialect.hpp"
#include "tests/support/odd_answers.hpp"

namespace llm_edge_cache {

// data: an answer, as a stream or as a body.
inline void fuzz_dialect(const proxy::Dialect& dialect, const std::uint8_t* data,
                         std::size_t size) {
  using proxy::AnswerForm;
  const std::string_view answer(reinterpret_cast<const char*>(data), size);
  const proxy::AnswerWish json = {};
  const proxy::AnswerWish stream = {.form = AnswerForm::kStream};
  proxy::AnswerWish bare = stream;
  bare.without_padding = true;

  (void)dialect.read_wish(answer);
  const auto of_stream = dialect.review(AnswerForm::kStream, answer).refusal;
  fuzz_check(of_stream != proxy::StoreRefusal::kUnforeseen, "no stream is a surprise");
  fuzz_check(dialect.review(AnswerForm::kJson, answer).refusal != proxy::StoreRefusal::kUnforeseen,
             "no body is one");
  const bool is_whole_stream = !of_stream;
  const auto body = dialect.adapt(AnswerForm::kStream, answer, json);
  if (body.ok()) {
    fuzz_check(is_whole_stream, "what is put together is complete");
    fuzz_check(!dialect.review(AnswerForm::kJson, **body).refusal, "and its body is");
    const auto stripped = dialect.adapt(AnswerForm::kStream, answer, bare);
    if (stripped.ok() && stripped->has_value()) {
      const auto again = dialect.adapt(AnswerForm::kStream, **stripped, json);
      fuzz_check(again.ok(), "a stream without padding is still one");
    }
  }
  const std::string_view whole = body.ok() ? std::string_view(**body) : answer;
  const auto split = dialect.adapt(AnswerForm::kJson, whole, stream);
  if (split.ok()) {
    const auto joined = dialect.adapt(AnswerForm::kStream, **split, json);
    fuzz_check(joined.ok(), "what is split can be put together");
    const auto split_again = dialect.adapt(AnswerForm::kJson, **joined, stream);
    fuzz_check(split_again.ok(), "and split again");
    const auto joined_again = dialect.adapt(AnswerForm::kStream, **split_again, json);
    fuzz_check(joined_again.ok() && proxy::says_the_same(*proxy::parse_answer_json(**joined),
                                                         *proxy::parse_answer_json(**joined_again)),
               "and says the same");
  }
}

}  // namespace llm_edge_cache

// Every other time the answer is changed as JSON; bytes alone seldom put a member where another is
// expected.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  if (seed % 2 == 0) return LLVMFuzzerMutate(data, size, max_size);
  const std::string_view answer(reinterpret_cast<const char*>(data), size);
  llm_edge_cache::test::OddAnswers odd(seed);
  const std::string changed =
      answer.starts_with('{') ? odd.change_body(answer) : odd.change_stream(answer);
  if (changed.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::copy(changed.begin(), changed.end(), data);
  return changed.size();
}
