// Geometry and plain loops of batched matrix products.
#pragma once

#include <algorithm>
#include <type_traits>
#include <vector>

#include "base/checked.h"
#include "base/kernel_memory.h"
#include "base/shape.h"
#include "cpu/cpu.h"

namespace onnxrun::cpu {

// numpy.matmul of a and b, or with `turned` of a and of b with its last two axes exchanged: `batch` products [m, k] x [k, n], each of one matrix of a and one of b.
struct ProductGeometry {
  int64_t batch = 1, m = 1, n = 1, k = 1;
  std::vector<int64_t> a, b;  // by product: which matrix

  ProductGeometry() = default;
  ProductGeometry(const onnxrun_tensor& left, const onnxrun_tensor& right, bool turned = false) {
    const auto ad = provider::dims(left), bd = provider::dims(right);
    k = ad.back();
    if (ad.size() > 1) m = ad[ad.size() - 2];
    if (bd.size() > 1) n = turned ? bd[bd.size() - 2] : bd.back();
    const base::DimsView a_batch = ad.first(ad.size() > 2 ? ad.size() - 2 : 0),
                         b_batch = bd.first(bd.size() > 2 ? bd.size() - 2 : 0);
    const base::Dims out = base::broadcast(a_batch, b_batch);
    batch = base::element_count(out);
    a = offsets(out, base::broadcast_strides(a_batch, out));
    b = offsets(out, base::broadcast_strides(b_batch, out));
  }
  // Whether every product uses the same matrix of b.
  bool one_b() const {
    return std::all_of(b.begin(), b.end(), [this](int64_t i) { return i == b.front(); });
  }
  // Whether product i uses matrix i of a.
  bool each_a() const {
    for (size_t i = 0; i < a.size(); ++i)
      if (a[i] != static_cast<int64_t>(i)) return false;
    return true;
  }

 private:
  static std::vector<int64_t> offsets(const base::Dims& dims, const base::Dims& strides) {
    const int64_t count = base::element_count(dims);
    base::take_kernel_memory(base::checked_mul(count, sizeof(int64_t)));
    std::vector<int64_t> result(static_cast<size_t>(count));
    for (size_t i = 0; i < result.size(); ++i) {
      int64_t rest = static_cast<int64_t>(i);
      for (size_t d = dims.size(); d-- > 0;) {
        result[i] += rest % dims[d] * strides[d];
        rest /= dims[d];
      }
    }
    return result;
  }
};

// The type in which sums of products are kept: double for floats, integers wrap in their own.
template <class T>
using ProductSum = std::conditional_t<std::is_floating_point_v<T>, double, T>;

inline constexpr int64_t kProductRow = 256;

// Sums of row `row` of a (element (i, j) at a[i * a_row + j * a_column]) with b, columns [first, first + count), count <= kProductRow.
template <class T>
void product_row(const T* a, int64_t a_row, int64_t a_column, const T* b, int64_t b_row, int64_t b_column, int64_t k,
                 int64_t row, int64_t first, int64_t count, ProductSum<T>* sums) {
  using Sum = ProductSum<T>;
  std::fill_n(sums, count, Sum(0));
  for (int64_t p = 0; p < k; ++p) {
    const Sum left = static_cast<Sum>(a[row * a_row + p * a_column]);
    const T* right = b + p * b_row + first * b_column;
    if (b_column == 1) {
      for (int64_t j = 0; j < count; ++j) sums[j] += left * static_cast<Sum>(right[j]);
    } else {
      for (int64_t j = 0; j < count; ++j) sums[j] += left * static_cast<Sum>(right[j * b_column]);
    }
  }
}

// All products of `g`; store(product, row, first, sums, count) gets pieces of rows.
template <class T, class Store>
void multiply_all(RunContext& context, const ProductGeometry& g, const T* a, const T* b, Store store) {
  if (g.n == 0) return;
  const int64_t work = std::max<int64_t>(1, g.n * g.k);
  context.parallel(g.batch * g.m, std::max<int64_t>(1, 16384 / work), [&](int64_t begin, int64_t end) {
    ProductSum<T> sums[kProductRow];
    for (int64_t item = begin; item < end; ++item) {
      if ((item & 15) == 0 && context.cancelled()) return;
      const int64_t product = item / g.m, row = item % g.m;
      const size_t which = static_cast<size_t>(product);
      for (int64_t first = 0; first < g.n; first += kProductRow) {
        const int64_t count = std::min(kProductRow, g.n - first);
        product_row(a + g.a[which] * g.m * g.k, g.k, 1, b + g.b[which] * g.k * g.n, g.n, 1, g.k, row, first, count,
                    sums);
        store(product, row, first, static_cast<const ProductSum<T>*>(sums), count);
      }
    }
  });
  context.check_cancelled();
}

}  // namespace onnxrun::cpu
