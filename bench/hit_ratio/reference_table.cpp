#include "reference_table.hpp"

#include <algorithm>
#include <istream>
#include <stdexcept>

namespace llm_edge_cache::bench {

namespace {

/// The trimmed cells of `| a | b |`; none for any other line.
std::vector<std::string> split_row(const std::string& line) {
  std::vector<std::string> cells;
  if (line.empty() || line.front() != '|') return cells;
  for (std::size_t from = 1; from < line.size();) {
    const std::size_t bar = std::min(line.find('|', from), line.size());
    const std::string cell = line.substr(from, bar - from);
    const std::size_t first = cell.find_first_not_of(" \r");
    const std::size_t last = cell.find_last_not_of(" \r");
    if (first != std::string::npos) cells.push_back(cell.substr(first, last - first + 1));
    from = bar + 1;
  }
  return cells;
}

ReferenceCell parse_cell(const std::vector<std::string>& columns,
                         const std::vector<std::string>& row) {
  if (row.size() != columns.size() + 2) {
    throw std::runtime_error("reference table: a row of another length: " + row.front());
  }
  ReferenceCell cell{.trace = row[0], .size = std::stoull(row[1]), .percent = {}};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    cell.percent[columns[i]] = std::stod(row[i + 2]);
  }
  return cell;
}

bool is_header(const std::vector<std::string>& row) {
  return row.size() > 2 && row[0] == "trace" && row[1] == "size";
}

}  // namespace

ReferenceTable read_reference_table(std::istream& markdown) try {
  ReferenceTable table;
  for (std::string line; std::getline(markdown, line);) {
    const std::vector<std::string> row = split_row(line);
    if (table.columns.empty()) {
      if (is_header(row)) table.columns.assign(row.begin() + 2, row.end());
    } else if (row.empty()) {
      break;
    } else if (row[0].find_first_not_of("-:") != std::string::npos) {
      table.cells.push_back(parse_cell(table.columns, row));
    }
  }
  if (table.cells.empty()) throw std::runtime_error("no table of reference hit ratios");
  return table;
} catch (const std::logic_error&) {
  throw std::runtime_error("reference table: a cell is not a number");
}

}  // namespace llm_edge_cache::bench
