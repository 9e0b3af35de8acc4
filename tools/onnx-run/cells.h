// Tensors from text: what CSV and JSON files hold.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

// A number as C++ writes it, or nan, inf, infinity with a sign; nothing for other text.
std::optional<double> number_of(std::string_view text);

// The cells in row-major order as a tensor of `dtype`: strings as they are; true, false, 1, 0; whole numbers, which must fit; numbers, where an empty cell is NaN.
// Throws Failure naming `what` and the cell.
onnxrun::Tensor tensor_of_cells(onnxrun_dtype dtype, const onnxrun::Shape& shape, const std::vector<std::string>& cells,
                                const std::string& what);

}  // namespace cli
