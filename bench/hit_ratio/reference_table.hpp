// The published hit ratios that ours are compared with, read from the traces' README.md.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

namespace llm_edge_cache::bench {

/// One line of the table.
struct ReferenceCell {
  std::string trace;
  std::uint64_t size = 0;
  std::map<std::string, double> percent;  ///< By column.
};

struct ReferenceTable {
  std::vector<std::string> columns;  ///< Without `trace` and `size`, in their order.
  std::vector<ReferenceCell> cells;
};

/// Reads the first Markdown table whose columns begin with `trace` and `size`. Throws
/// std::runtime_error if there is none or a cell is no number.
[[nodiscard]] ReferenceTable read_reference_table(std::istream& markdown);

}  // namespace llm_edge_cache::bench
