// bench/hit_ratio's reader of the published hit ratios.

#include "bench/hit_ratio/reference_table.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <stdexcept>

namespace llm_edge_cache::bench {
namespace {

ReferenceTable read(const std::string& markdown) {
  std::istringstream in(markdown);
  return read_reference_table(in);
}

TEST(ReferenceTableTest, reads_columns_and_cells_by_name) {
  const ReferenceTable table = read(
      "# Traces\n\n| other |\n|---|\n| 1 |\n\n| trace | size | moka | OPT |\n|---|--:|---|---|\n"
      "| oltp | 1000 | 35.71 | 53.61 |\n| web | 20 | 1 | 2.5 |\n\n| web | 30 | 1 | 2.5 |\n");
  EXPECT_EQ(table.columns, (std::vector<std::string>{"moka", "OPT"}));
  ASSERT_EQ(table.cells.size(), 2U);
  EXPECT_EQ(table.cells[0].trace, "oltp");
  EXPECT_EQ(table.cells[0].size, 1000U);
  EXPECT_DOUBLE_EQ(table.cells[1].percent.at("OPT"), 2.5);
}

TEST(ReferenceTableTest, refuses_a_file_without_the_table) {
  EXPECT_THROW((void)read("# Nothing\n"), std::runtime_error);
  EXPECT_THROW((void)read("| trace | size | moka |\n|---|---|---|\n"), std::runtime_error);
}

TEST(ReferenceTableTest, refuses_short_rows_and_cells_that_are_no_numbers) {
  const std::string head = "| trace | size | moka |\n|---|---|---|\n";
  EXPECT_THROW((void)read(head + "| oltp | 1000 |\n"), std::runtime_error);
  EXPECT_THROW((void)read(head + "| oltp | 1000 | n/a |\n"), std::runtime_error);
}

}  // namespace
}  // namespace llm_edge_cache::bench
