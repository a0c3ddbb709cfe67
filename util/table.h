// Plain text tables for terminals.
#ifndef SEEDTUNE_UTIL_TABLE_H_
#define SEEDTUNE_UTIL_TABLE_H_

#include <string>
#include <utility>
#include <vector>

namespace seedtune {

enum class Align { kLeft, kRight };

// Columns as wide as their widest cell, two spaces apart. Cells are ASCII. Not thread-safe.
class Table {
 public:
  struct Column {
    std::string heading;
    Align align = Align::kLeft;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // One cell a column.
  void AddRow(std::vector<std::string> cells);
  // The headings, a rule, and the rows, each line ended by a line feed and without trailing spaces.
  std::string ToString() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_UTIL_TABLE_H_
