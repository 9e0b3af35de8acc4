// Weights to codes and to tensors of codes.
#include "quantise/matrix.h"

#include <cmath>
#include <cstring>

#include "base/checked.h"
#include "base/packed.h"

namespace onnxrun::quantise {

using base::DType;
using base::Tensor;

GridSearch search_for(const Settings& s, Codes codes) {
  GridSearch search;
  search.allowance = s.allowance;
  const int bits = s.bits(), half = 1 << (bits - 1);
  search.symmetric = !s.with_zeros();
  search.refine = s.rounding.value_or(Rounding::kRefined) != Rounding::kNearest;
  if (codes == Codes::kUnsigned) {
    search.range = {0, 2 * half - 1};
    search.middle = half;
  } else if (s.type == DType::kUint8) {
    search.range = {0, 255};
    search.middle = 128;
  } else {
    search.range = {-half, half - 1};
    search.middle = 0;
    // With the lowest code two products of bytes exceed 16 bits, which processors without 8-bit dot products sum in.
    search.full = bits < 8;
    if (bits == 8) search.range.low = -127;
  }
  return search;
}

Matrix rows_of(const Tensor& tensor) {
  Matrix result;
  result.rows = tensor.dims().front();
  result.length = result.rows == 0 ? 0 : tensor.count() / result.rows;
  const auto from = tensor.span<float>();
  result.data.assign(from.begin(), from.end());
  return result;
}

Matrix columns_of(const Tensor& tensor) {
  Matrix result;
  result.length = tensor.dims().front();
  result.rows = tensor.dims().back();
  result.data.resize(static_cast<size_t>(tensor.count()));
  const float* from = tensor.data<float>();
  constexpr int64_t kTile = 32;
  for (int64_t top = 0; top < result.length; top += kTile)
    for (int64_t n = 0; n < result.rows; ++n)
      for (int64_t k = top; k < std::min(top + kTile, result.length); ++k)
        result.data[static_cast<size_t>(n * result.length + k)] = from[k * result.rows + n];
  return result;
}

base::Charge charge_codes(const Matrix& matrix, const Allowance& allowance) {
  constexpr int64_t kBytes = 2 * sizeof(float) + sizeof(int16_t);
  return allowance.charge(static_cast<int64_t>(matrix.data.size()) * kBytes);
}

Coded empty_code(const Matrix& matrix, const GridSearch& search, int64_t block) {
  Coded result;
  result.rows = matrix.rows;
  result.length = matrix.length;
  result.block = block == 0 ? std::max<int64_t>(matrix.length, 1) : block;
  result.range = search.range;
  result.codes.resize(matrix.data.size());
  result.grids.resize(static_cast<size_t>(result.rows * result.blocks()));
  return result;
}

void measure(Coded& coded, const Matrix& matrix) {
  double error = 0, size = 0;
  const Matrix found = decode(coded);
  for (size_t i = 0; i < matrix.data.size(); ++i) {
    const double apart = static_cast<double>(found.data[i]) - matrix.data[i];
    error += apart * apart;
    size += static_cast<double>(matrix.data[i]) * matrix.data[i];
  }
  coded.error = size > 0 ? std::sqrt(error / size) : 0;
}

Coded encode(const Matrix& matrix, const Settings& settings, int64_t block, Codes codes,
             std::span<const float> importance, bool single) {
  const GridSearch search = search_for(settings, codes);
  const base::Charge room = charge_codes(matrix, settings.allowance);
  Coded result = empty_code(matrix, search, block);
  const Grid common = single ? find_grid(matrix.data, {}, search) : Grid();
  for (int64_t r = 0; r < result.rows; ++r)
    for (int64_t b = 0; b < result.blocks(); ++b) {
      const int64_t begin = b * result.block, count = std::min(result.block, result.length - begin);
      const auto values = matrix.row(r).subspan(static_cast<size_t>(begin), static_cast<size_t>(count));
      const auto weights =
          importance.empty() ? importance : importance.subspan(static_cast<size_t>(begin), static_cast<size_t>(count));
      const Grid grid = single ? common : find_grid(values, weights, search);
      result.grids[static_cast<size_t>(r * result.blocks() + b)] = grid;
      result.zeros = result.zeros || grid.zero != search.middle;
      int16_t* to = &result.codes[static_cast<size_t>(r * result.length + begin)];
      for (size_t i = 0; i < values.size(); ++i) to[i] = static_cast<int16_t>(code_of(values[i], grid, search.range));
    }
  measure(result, matrix);
  return result;
}

Matrix decode(const Coded& coded) {
  Matrix result{coded.rows, coded.length, std::vector<float>(coded.codes.size())};
  for (int64_t r = 0; r < coded.rows; ++r)
    for (int64_t i = 0; i < coded.length; ++i) {
      const Grid& grid = coded.grids[static_cast<size_t>(r * coded.blocks() + i / coded.block)];
      const auto at = static_cast<size_t>(r * coded.length + i);
      result.data[at] = static_cast<float>(coded.codes[at] - grid.zero) * grid.scale;
    }
  return result;
}

PackedBlocks pack_blocks(const Coded& coded, int bits) {
  const int64_t blocks = coded.blocks(), bytes = coded.block * bits / 8, zero_bytes = (blocks * bits + 7) / 8;
  PackedBlocks result;
  result.codes = Tensor(DType::kUint8, {coded.rows, blocks, bytes});
  result.scales = Tensor(DType::kFloat32, {coded.rows, blocks});
  auto* codes = result.codes.mutable_data<uint8_t>();
  float* scales = result.scales.mutable_data<float>();
  std::memset(codes, 0, result.codes.bytes());
  uint8_t* zeros = nullptr;
  if (coded.zeros) {
    result.zeros = Tensor(DType::kUint8, {coded.rows, zero_bytes});
    zeros = result.zeros.mutable_data<uint8_t>();
    std::memset(zeros, 0, result.zeros.bytes());
  }
  const auto put = [&](uint8_t* to, int64_t index, int code) {
    if (bits == 8) to[index] = static_cast<uint8_t>(code);
    else base::packed_set(to, bits, index, static_cast<uint8_t>(code));
  };
  for (int64_t r = 0; r < coded.rows; ++r)
    for (int64_t b = 0; b < blocks; ++b) {
      const Grid& grid = coded.grids[static_cast<size_t>(r * blocks + b)];
      scales[r * blocks + b] = grid.scale;
      if (zeros != nullptr) put(zeros + r * zero_bytes, b, grid.zero);
      uint8_t* to = codes + (r * blocks + b) * bytes;
      for (int64_t i = 0; i < coded.block; ++i) {
        const int64_t at = b * coded.block + i;
        put(to, i, at < coded.length ? coded.codes[static_cast<size_t>(r * coded.length + at)] : grid.zero);
      }
    }
  return result;
}

Tensors to_tensors(const Coded& coded, DType dtype, bool turned) {
  const int64_t blocks = coded.blocks();
  const auto shape = [&](int64_t rows, int64_t length) {
    return turned ? base::Dims{length, rows} : base::Dims{rows, length};
  };
  const base::Dims grid_shape =
      blocks == 1 && coded.block >= coded.length ? base::Dims{coded.rows} : shape(coded.rows, blocks);
  Tensors result;
  result.codes = Tensor(dtype, shape(coded.rows, coded.length));
  result.scales = Tensor(DType::kFloat32, grid_shape);
  if (coded.zeros) result.zeros = Tensor(dtype, grid_shape);
  const int bits = base::dtype_bits(dtype);
  const auto put = [&](Tensor& to, int64_t index, int code) {
    auto* bytes = static_cast<uint8_t*>(to.mutable_raw());
    if (bits == 8) bytes[index] = static_cast<uint8_t>(code);
    else base::packed_set(bytes, bits, index, static_cast<uint8_t>(code));
  };
  if (bits < 8) {
    std::memset(result.codes.mutable_raw(), 0, result.codes.bytes());
    if (result.zeros) std::memset(result.zeros.mutable_raw(), 0, result.zeros.bytes());
  }
  const auto place = [&](int64_t row, int64_t at, int64_t length) {
    return turned ? at * coded.rows + row : row * length + at;
  };
  for (int64_t r = 0; r < coded.rows; ++r) {
    for (int64_t b = 0; b < blocks; ++b) {
      const Grid& grid = coded.grids[static_cast<size_t>(r * blocks + b)];
      result.scales.mutable_data<float>()[place(r, b, blocks)] = grid.scale;
      if (coded.zeros) put(result.zeros, place(r, b, blocks), grid.zero);
    }
    for (int64_t i = 0; i < coded.length; ++i)
      put(result.codes, place(r, i, coded.length), coded.codes[static_cast<size_t>(r * coded.length + i)]);
  }
  return result;
}

}  // namespace onnxrun::quantise
