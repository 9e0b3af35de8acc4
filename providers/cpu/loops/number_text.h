// Numbers as text and back, for casts from and to strings.
#pragma once

#include <cstdint>
#include <string>

#include "base/dtype.h"

namespace onnxrun::cpu {

// Writes `count` elements of a numeric type as text: integers in decimal, booleans as True and False, floats with the
// fewest digits that read back the same and at least one after the point ("1.0", "1e-05", "nan", "-inf"), as numpy
// does. Elements [first, first + count) of packed types.
void format_numbers(base::DType type, const void* from, int64_t first, std::string* to, int64_t count);

// Reads one number from the whole of `text`, surrounding blanks apart. Signs, exponents, "inf", "infinity", "nan",
// "true" (1) and "false" (0) in any case are understood, for integers also fractions (truncated). Throws kRunFailed
// quoting the text where it is no number.
double parse_double(const std::string& text);
float parse_float(const std::string& text);
// Wraps where a uint64 is meant and the value is beyond int64.
int64_t parse_integer(const std::string& text);
// Whether the number is other than 0.
bool parse_bool(const std::string& text);

}  // namespace onnxrun::cpu
