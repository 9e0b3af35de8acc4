// Packing and scratch of products of 8-bit matrices.
#include "cpu/loops/integer_product.h"

#include <algorithm>
#include <vector>

#include "base/checked.h"
#include "base/kernel_memory.h"

namespace onnxrun::cpu {
namespace {

uint64_t rounded(int64_t bytes) { return (static_cast<uint64_t>(bytes) + 63) & ~uint64_t{63}; }

ProductGeometry geometry_of(const onnxrun_tensor& a, const onnxrun_tensor& b, bool transpose_a, bool transpose_b) {
  if (!transpose_a && !transpose_b) return {a, b};
  const auto ad = provider::dims(a), bd = provider::dims(b);
  ProductGeometry g;
  g.m = ad[transpose_a ? 1 : 0];
  g.k = ad[transpose_a ? 0 : 1];
  g.n = bd[transpose_b ? 0 : 1];
  g.a = g.b = {0};
  return g;
}

}  // namespace

PackedRight::PackedRight(const onnxrun_tensor& b, bool transposed) : type_(dtype(b)), transposed_(transposed) {
  const auto dims = provider::dims(b);
  k_ = dims.size() == 1 ? dims[0] : dims[dims.size() - 2];
  if (dims.size() > 1) n_ = dims.back();
  if (transposed) std::swap(k_, n_);
  for (size_t d = 0; d + 2 < dims.size(); ++d) matrices_ = base::checked_mul(matrices_, dims[d]);
}

uint64_t PackedRight::panel_bytes() const { return rounded(base::checked_mul(matrices_, integer_panel_bytes(k_, n_))); }
uint64_t PackedRight::bytes() const { return panel_bytes() + rounded(base::checked_mul(matrices_, n_ * 4)); }

const int32_t* PackedRight::sums(const void* packed, int64_t matrix) const {
  return reinterpret_cast<const int32_t*>(static_cast<const char*>(packed) + panel_bytes()) + matrix * n_;
}

void PackedRight::pack(const uint8_t* b, int64_t matrix, void* packed) const {
  const uint8_t flip = type_ == DType::kUint8 ? 0x80 : 0;
  int8_t* to = const_cast<int8_t*>(panels(packed, matrix));
  int32_t* column_sums = const_cast<int32_t*>(sums(packed, matrix));
  b += matrix * k_ * n_;
  if (!transposed_) return pack_integer_panels(b, n_, k_, n_, flip, to, column_sums);
  const int64_t panel_size = base::checked_mul(k_, std::min(kPanel, n_));
  base::take_kernel_memory(panel_size);
  std::vector<uint8_t> panel(static_cast<size_t>(panel_size));
  for (int64_t first = 0; first < n_; first += kPanel) {
    const int64_t columns = std::min(kPanel, n_ - first);
    for (int64_t j = 0; j < columns; ++j)
      for (int64_t i = 0; i < k_; ++i) panel[static_cast<size_t>(i * columns + j)] = b[(first + j) * k_ + i];
    pack_integer_panels(panel.data(), columns, k_, columns, flip, to + first * grouped_depth(k_), column_sums + first);
  }
}

uint64_t PackedRight::rest_bytes() const { return rounded(start_bytes() + most_rest() * kRestGroupBytes); }

uint64_t PackedRight::constant_bytes() const {
  if (!integer_panels_in_parts()) return bytes();
  return bytes() + static_cast<uint64_t>(base::checked_mul(matrices_, static_cast<int64_t>(rest_bytes())));
}

void PackedRight::pack_constant(const onnxrun_tensor& b, void* packed) const {
  for (int64_t i = 0; i < matrices_; ++i) {
    pack(static_cast<const uint8_t*>(b.data), i, packed);
    if (!integer_panels_in_parts()) continue;
    char* at = static_cast<char*>(packed) + bytes() + static_cast<uint64_t>(i) * rest_bytes();
    auto* starts = reinterpret_cast<int32_t*>(at);
    if (!take_panels_apart(const_cast<int8_t*>(panels(packed, i)), k_, n_, most_rest(), starts, at + start_bytes()))
      *starts = kWhole;
  }
}

IntegerPanelRest PackedRight::rest(const void* packed, int64_t matrix) const {
  if (!integer_panels_in_parts()) return {};
  const char* at = static_cast<const char*>(packed) + bytes() + static_cast<uint64_t>(matrix) * rest_bytes();
  const auto* starts = reinterpret_cast<const int32_t*>(at);
  return *starts == kWhole ? IntegerPanelRest{} : IntegerPanelRest{starts, at + start_bytes()};
}

Acceptance IntegerProduct::accepts(const Node& node, size_t a, size_t b, bool transpose_b) {
  if (!is_byte(node.input(a)) || !is_byte(node.input(b)))
    return Acceptance::decline("operands that are not 8-bit integers");
  Acceptance acceptance;
  const onnxrun_tensor& right = node.input(b);
  if (right.data != nullptr && provider::shape_known(right) && provider::count(right) > 0)
    acceptance.pack(PackedRight(right, transpose_b).constant_bytes(), {b});
  return acceptance;
}

IntegerProduct::IntegerProduct(const Node& node, size_t a, DType a_type, size_t b, size_t b_zero, const void* packed,
                               bool transpose_a, bool transpose_b)
    : b_input_(b),
      b_zero_input_(b_zero),
      packed_(packed),
      right_(node.input(b), transpose_b),
      g_(geometry_of(node.input(a), node.input(b), transpose_a, transpose_b)),
      a_signed_(a_type == DType::kInt8),
      transpose_a_(transpose_a),
      slots_(base::available_cpus()) {
  const onnxrun_tensor& zero = node.input(b_zero);
  if (provider::present(zero)) zeros_ = provider::count(zero);
  if (zeros_ != 1 && zeros_ != g_.n) throw provider::Declined{"a zero point for each column of each matrix"};
  const auto dims = provider::dims(node.input(a));
  a_rows_ = g_.m;
  for (size_t d = 0; d + 2 < dims.size(); ++d) a_rows_ = base::checked_mul(a_rows_, dims[d]);
  if (g_.batch > 1 && g_.one_b() && g_.each_a()) {
    g_.m = base::checked_mul(g_.m, g_.batch);
    g_.batch = 1;
    g_.a = {0};
    g_.b.resize(1);
  }
  depth_ = grouped_depth(g_.k);
  row_block_ = std::clamp<int64_t>(g_.m, 1, 96);
  column_block_ = std::clamp<int64_t>((g_.n + kPanel - 1) / kPanel, 1, 4) * kPanel;
}

size_t IntegerProduct::scratch_bytes() const {
  return rounded(base::checked_mul(a_rows_, depth_)) + rounded(a_rows_ * 4) + rounded(zeros_ * 4) +
         (packed_ == nullptr ? right_.bytes() : 0) + rounded(slots_ * block_sums() * 4);
}

IntegerProduct::Memory IntegerProduct::prepare(RunContext& context) const {
  Memory memory{};
  char* at = static_cast<char*>(context.scratch());
  memory.rows = reinterpret_cast<uint8_t*>(at);
  memory.row_sums = reinterpret_cast<int32_t*>(at += rounded(a_rows_ * depth_));
  memory.zeros = reinterpret_cast<int32_t*>(at += rounded(a_rows_ * 4));
  at += rounded(zeros_ * 4);
  memory.right = packed_ != nullptr ? packed_ : at;
  if (packed_ == nullptr) {
    void* to = at;
    at += right_.bytes();
    context.parallel(right_.matrices(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) right_.pack(context.in<uint8_t>(b_input_), i, to);
    });
  }
  memory.blocks = reinterpret_cast<int32_t*>(at);
  const bool given = context.has_input(b_zero_input_);
  for (int64_t i = 0; i < zeros_; ++i)
    memory.zeros[i] = (given ? zero_point(context.input(b_zero_input_), i) : 0) - right_.move();
  memory.b_zero = {memory.zeros, zeros_ == 1 ? 0 : 1};
  return memory;
}

int32_t IntegerProduct::finish_row(uint8_t* row, uint8_t flip) const {
  std::fill(row + g_.k, row + depth_, uint8_t{0});
  return static_cast<int32_t>(quantized_rows().flip(row, flip, g_.k));
}

}  // namespace onnxrun::cpu
