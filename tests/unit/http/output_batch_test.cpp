#include "http/output_batch.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace llm_edge_cache::http {
namespace {

std::vector<std::string> texts_of(OutputBatch& batch) {
  std::vector<std::string> texts;
  for (const auto& part : batch.parts()) texts.emplace_back(part.bytes);
  return texts;
}

TEST(OutputBatchTest, text_and_pieces_keep_their_order) {
  std::string memory = "what an earlier one left";
  OutputBatch batch(memory);
  const OutputPiece one("one");
  const OutputPiece two("two");
  batch.text().append("head;");
  batch.text().append("3:");
  batch.add(one);
  batch.text().append(";3:");
  batch.add(two);
  batch.text().append(";end");
  EXPECT_EQ(texts_of(batch), (std::vector<std::string>{"head;3:", "one", ";3:", "two", ";end"}));
}

TEST(OutputBatchTest, pieces_alone_have_nothing_between_them) {
  std::string memory;
  OutputBatch batch(memory);
  const SharedBytes shared("shared");
  const OutputPiece one(shared);
  batch.add(one);
  batch.add(one);
  const auto parts = batch.parts();
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].bytes.data(), shared.view().data());
  EXPECT_EQ(parts[1].owner, &shared);
}

TEST(OutputBatchTest, text_may_outgrow_its_memory_after_a_piece_was_added) {
  std::string memory;
  OutputBatch batch(memory);
  const OutputPiece piece("piece");
  batch.text().append("before");
  batch.add(piece);
  batch.text().append(10'000, 'x');
  EXPECT_EQ(texts_of(batch),
            (std::vector<std::string>{"before", "piece", std::string(10'000, 'x')}));
}

TEST(OutputBatchTest, nothing_is_no_part) {
  std::string memory = "x";
  OutputBatch batch(memory);
  EXPECT_TRUE(batch.parts().empty());
}

TEST(OutputBatchTest, as_many_pieces_as_may_be_fit_into_one_write) {
  std::string memory;
  OutputBatch batch(memory);
  const OutputPiece piece("p");
  for (std::size_t i = 0; i < OutputBatch::kMaxPieces; ++i) {
    batch.text().append("t");
    batch.add(piece);
  }
  batch.text().append("t");
  EXPECT_EQ(batch.parts().size(), 2 * OutputBatch::kMaxPieces + 1);
  EXPECT_LE(batch.parts().size(), StreamWriter::kMaxPieces);
}

}  // namespace
}  // namespace llm_edge_cache::http
