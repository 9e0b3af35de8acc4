// Comma-separated values (RFC 4180).
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "room.h"

namespace cli {

struct Table {
  std::vector<std::string> names;              // of the columns; none without a heading
  std::vector<std::vector<std::string>> rows;  // all as long as the first
};

enum class Heading { kNone, kGuess, kRequired };

// Fields are separated by commas, semicolons or tabs, whichever the first line has first; they may be in double quotes. Guessed, the first
// line is a heading when none of its fields is a number or empty and a later line has a number. Throws Failure naming `what` and the record.
// What the table takes, and what is made of it until that has its value, is added to `taken`.
Table read_csv(std::string_view bytes, const std::string& what, Heading heading, Taken& taken);

// The table as the value of an input: [rows, columns], or [n] of one row or column where the input has one dimension.
onnxrun::Tensor tensor_of_table(const Table& table, const onnxrun::Port& port, const std::string& what);

// A column as the value of an input: [rows, 1], or [rows].
onnxrun::Tensor tensor_of_column(const Table& table, size_t column, const onnxrun::Port& port, const std::string& what);

}  // namespace cli
