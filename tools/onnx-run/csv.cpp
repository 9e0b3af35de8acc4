// Reading tables.
#include "csv.h"

#include <algorithm>

#include "cells.h"
#include "outcome.h"

namespace cli {
namespace {

using onnxrun::Port;
using onnxrun::Shape;
using onnxrun::Tensor;

char separator_of(std::string_view bytes) {
  bool quoted = false;
  for (const char c : bytes) {
    if (c == '"') quoted = !quoted;
    else if (!quoted && (c == ',' || c == ';' || c == '\t')) return c;
    else if (!quoted && (c == '\n' || c == '\r')) break;
  }
  return ',';
}

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& what)
      : left_(bytes), what_(what), separator_(separator_of(bytes)) {}

  bool at_end() const { return left_.empty(); }

  std::vector<std::string> record() {
    std::vector<std::string> fields;
    ++line_;
    for (;;) {
      fields.push_back(field());
      if (left_.empty()) return fields;
      const char c = left_.front();
      left_.remove_prefix(1);
      if (c == separator_) continue;
      if (c == '\r' && left_.starts_with('\n')) left_.remove_prefix(1);
      return fields;
    }
  }
  size_t line() const { return line_; }

 private:
  std::string field() {
    if (!left_.starts_with('"')) {
      const size_t end = std::min(left_.find_first_of(std::string{separator_, '\n', '\r'}), left_.size());
      std::string text(left_.substr(0, end));
      left_.remove_prefix(end);
      return text;
    }
    left_.remove_prefix(1);
    std::string text;
    for (;;) {
      const size_t quote = left_.find('"');
      if (quote == std::string_view::npos)
        throw Failure(what_ + ": a quote in record " + std::to_string(line_) + " never ends");
      text += left_.substr(0, quote);
      left_.remove_prefix(quote + 1);
      if (!left_.starts_with('"')) break;
      text += '"';
      left_.remove_prefix(1);
    }
    if (!left_.empty() && left_.front() != separator_ && left_.front() != '\n' && left_.front() != '\r')
      throw Failure(what_ + ": text after a quoted field in record " + std::to_string(line_));
    return text;
  }

  std::string_view left_;
  const std::string& what_;
  char separator_;
  size_t line_ = 0;
};

bool has_heading(const std::vector<std::vector<std::string>>& rows) {
  const auto is_number = [](const std::string& field) { return number_of(field).has_value(); };
  const auto is_data = [&](const std::string& field) { return field.empty() || is_number(field); };
  return std::none_of(rows[0].begin(), rows[0].end(), is_data) &&
         std::any_of(rows.begin() + 1, rows.end(),
                     [&](const auto& row) { return std::any_of(row.begin(), row.end(), is_number); });
}

Tensor shaped(const Port& port, const std::vector<std::string>& cells, int64_t rows, int64_t columns,
              const std::string& what) {
  if (port.kind != ONNXRUN_KIND_TENSOR)
    throw Failure(what + ": the input is a " + port.type + ", which a table cannot be");
  const size_t rank = port.rank_known ? port.dims.size() : 2;
  if (rank == 2) return tensor_of_cells(port.dtype, {rows, columns}, cells, what);
  if (rank == 1 && (rows == 1 || columns == 1)) return tensor_of_cells(port.dtype, {rows * columns}, cells, what);
  throw Failure(what + ": a table of " + std::to_string(rows) + " rows and " + std::to_string(columns) +
                " columns does not fit input '" + port.name + "' (" + port.type + "); use .npy");
}

}  // namespace

Table read_csv(std::string_view bytes, const std::string& what, Heading heading, Taken& taken) {
  // The table, its cells in a row, and the value, each with all of the text.
  const auto fields = static_cast<uint64_t>(std::count_if(
      bytes.begin(), bytes.end(), [](char c) { return c == ',' || c == ';' || c == '\t' || c == '\n' || c == '\r'; }));
  taken.add(3 * (bytes_of_strings(fields + 1) + bytes.size()));
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  Table table;
  Reader reader(bytes, what);
  while (!reader.at_end()) {
    std::vector<std::string> fields = reader.record();
    if (fields.size() == 1 && fields[0].empty()) continue;  // an empty line
    if (!table.rows.empty() && fields.size() != table.rows[0].size())
      throw Failure(what + ": record " + std::to_string(reader.line()) + " has " + std::to_string(fields.size()) +
                    " fields, the first has " + std::to_string(table.rows[0].size()));
    table.rows.push_back(std::move(fields));
  }
  if (table.rows.empty()) throw Failure(what + " has no records");
  if (heading == Heading::kNone || (heading == Heading::kGuess && !has_heading(table.rows))) return table;
  table.names = table.rows[0];
  table.rows.erase(table.rows.begin());
  if (table.rows.empty()) throw Failure(what + " has a heading but no records");
  return table;
}

Tensor tensor_of_table(const Table& table, const Port& port, const std::string& what) {
  std::vector<std::string> cells;
  for (const auto& row : table.rows) cells.insert(cells.end(), row.begin(), row.end());
  return shaped(port, cells, static_cast<int64_t>(table.rows.size()), static_cast<int64_t>(table.rows[0].size()), what);
}

Tensor tensor_of_column(const Table& table, size_t column, const Port& port, const std::string& what) {
  std::vector<std::string> cells;
  for (const auto& row : table.rows) cells.push_back(row[column]);
  return shaped(port, cells, static_cast<int64_t>(table.rows.size()), 1, what);
}

}  // namespace cli
