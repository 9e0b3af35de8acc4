// MatMulInteger and QLinearMatMul on 8-bit panels: products of bytes as they are, then the terms of the zero points.
#include "cpu/kernels/fast_products.h"
#include "cpu/loops/integer_panels.h"
#include "cpu/loops/product.h"
#include "cpu/loops/quantized.h"

namespace onnxrun::cpu {
namespace {

bool is_byte(const onnxrun_tensor& tensor) { return dtype(tensor) == DType::kInt8 || dtype(tensor) == DType::kUint8; }
uint64_t rounded(int64_t bytes) { return (static_cast<uint64_t>(bytes) + 63) & ~uint64_t{63}; }

// Where the left operand is unsigned and the right one signed, as the panels want them, nothing is flipped; otherwise the sign bits
// are, which moves the zero points by 128.
uint8_t left_flip(DType type) { return type == DType::kInt8 ? 0x80 : 0; }
uint8_t right_flip(DType type) { return type == DType::kUint8 ? 0x80 : 0; }

int32_t zero_point(const onnxrun_tensor& point, int64_t index) {
  return dtype(point) == DType::kInt8 ? static_cast<const int8_t*>(point.data)[index] : static_cast<const uint8_t*>(point.data)[index];
}

// A packed right operand: panels of each matrix, then the sums of its columns.
struct PackedB {
  int64_t matrices = 1, k = 1, n = 1;
  DType type = DType::kInt8;

  explicit PackedB(const onnxrun_tensor& b) : type(dtype(b)) {
    const auto dims = provider::dims(b);
    k = dims.size() == 1 ? dims[0] : dims[dims.size() - 2];
    if (dims.size() > 1) n = dims.back();
    for (size_t d = 0; d + 2 < dims.size(); ++d) matrices *= dims[d];
  }
  uint64_t panel_bytes() const { return rounded(base::checked_mul(matrices, integer_panel_bytes(k, n))); }
  uint64_t bytes() const { return panel_bytes() + rounded(matrices * n * 4); }
  const int8_t* panels(const void* packed, int64_t matrix) const {
    return static_cast<const int8_t*>(packed) + matrix * integer_panel_bytes(k, n);
  }
  const int32_t* sums(const void* packed, int64_t matrix) const {
    return reinterpret_cast<const int32_t*>(static_cast<const char*>(packed) + panel_bytes()) + matrix * n;
  }
  void pack(const uint8_t* b, int64_t matrix, void* packed) const {
    pack_integer_panels(b + matrix * k * n, n, k, n, right_flip(type), const_cast<int8_t*>(panels(packed, matrix)),
                        const_cast<int32_t*>(sums(packed, matrix)));
  }
};

// The inputs' places: those of MatMulInteger and QLinearMatMul differ.
struct Places {
  size_t a, b, a_zero, b_zero;
};

class IntegerProduct {
 public:
  static Acceptance accepts(const Node& node, const Places& places) {
    if (!is_byte(node.input(places.a)) || !is_byte(node.input(places.b))) return Acceptance::decline("operands that are not 8-bit integers");
    Acceptance acceptance;
    const onnxrun_tensor& b = node.input(places.b);
    if (b.data != nullptr && provider::shape_known(b) && provider::count(b) > 0) acceptance.pack(PackedB(b).bytes(), {places.b});
    return acceptance;
  }
  static void pack(const Node& node, const Places& places, void* bytes) {
    const PackedB packing(node.input(places.b));
    for (int64_t i = 0; i < packing.matrices; ++i) packing.pack(static_cast<const uint8_t*>(node.input(places.b).data), i, bytes);
  }

  IntegerProduct(const Node& node, const Places& places, const void* packed)
      : places_(places), packed_(packed), g_(node.input(places.a), node.input(places.b)), packing_(node.input(places.b)),
        a_type_(dtype(node.input(places.a))) {
    if (g_.k == 0 || provider::count(node.output(0)) == 0) throw provider::Declined{"nothing to multiply"};
    a_rows_ = provider::count(node.input(places.a)) / g_.k;
    const onnxrun_tensor &a_zero = node.input(places.a_zero), &b_zero = node.input(places.b_zero);
    if (provider::present(a_zero) && provider::count(a_zero) != 1) throw provider::Declined{"a zero point for each row"};
    if (provider::present(b_zero) && provider::count(b_zero) != 1 && (provider::count(b_zero) != g_.n))
      throw provider::Declined{"a zero point for each column of each matrix"};
    if (g_.batch > 1 && g_.one_b() && g_.each_a()) {
      g_.m *= g_.batch;
      g_.batch = 1;
      g_.a = {0};
      g_.b.resize(1);
    }
    depth_ = grouped_depth(g_.k);
    row_block_ = std::min<int64_t>(g_.m, 96);
    column_block_ = std::min<int64_t>((g_.n + kPanel - 1) / kPanel, 4) * kPanel;
  }
  size_t scratch_bytes() const {
    return rounded(a_rows_ * depth_) + rounded(a_rows_ * 4) + (packed_ == nullptr ? packing_.bytes() : 0) +
           rounded(base::checked_mul(g_.batch * g_.m, g_.n * 4));
  }
  const ProductGeometry& geometry() const { return g_; }

  // store(product, row, first, sums, count) gets pieces of rows. `direct`: where int32 results go, null for scratch.
  template <class Store>
  void run(RunContext& context, int32_t* direct, Store store) const {
    char* at = static_cast<char*>(context.scratch());
    uint8_t* rows = reinterpret_cast<uint8_t*>(at);
    int32_t* row_sums = reinterpret_cast<int32_t*>(at += rounded(a_rows_ * depth_));
    void* b = at += rounded(a_rows_ * 4);
    if (packed_ == nullptr) at += packing_.bytes();
    int32_t* results = direct != nullptr ? direct : reinterpret_cast<int32_t*>(at);
    const uint8_t* a = context.in<uint8_t>(places_.a);
    context.parallel(a_rows_, std::max<int64_t>(1, 32768 / depth_), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) row_sums[r] = pack_integer_row(a + r * g_.k, g_.k, left_flip(a_type_), rows + r * depth_);
    });
    if (packed_ == nullptr)
      context.parallel(packing_.matrices, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) packing_.pack(context.in<uint8_t>(places_.b), i, b);
      });
    const void* packed = packed_ != nullptr ? packed_ : b;
    const int64_t row_blocks = (g_.m + row_block_ - 1) / row_block_, column_blocks = (g_.n + column_block_ - 1) / column_block_;
    const int64_t work = row_block_ * column_block_ * depth_;
    context.parallel(g_.batch * row_blocks * column_blocks, std::max<int64_t>(1, 262144 / work), [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        if (context.cancelled()) return;
        const int64_t product = item / (row_blocks * column_blocks), row = item / column_blocks % row_blocks * row_block_;
        const int64_t column = item % column_blocks * column_block_;
        block(context, product, row, column, rows, row_sums, packed, results, store);
      }
    });
    context.check_cancelled();
  }

 private:
  template <class Store>
  void block(RunContext& context, int64_t product, int64_t row, int64_t column, const uint8_t* rows, const int32_t* row_sums,
             const void* packed, int32_t* results, Store store) const {
    const size_t which = static_cast<size_t>(product);
    const int64_t m = std::min(row_block_, g_.m - row), n = std::min(column_block_, g_.n - column), a_row = g_.a[which] * g_.m + row;
    int32_t* c = results + (product * g_.m + row) * g_.n + column;
    multiply_integer_panels(rows + a_row * depth_, depth_, packing_.panels(packed, g_.b[which]) + column * depth_, m, g_.k, n, c, g_.n);
    const bool a_given = context.has_input(places_.a_zero), b_given = context.has_input(places_.b_zero);
    const bool many = b_given && provider::count(context.input(places_.b_zero)) > 1;
    const uint32_t a_zero = static_cast<uint32_t>((a_given ? zero_point(context.input(places_.a_zero), 0) : 0) + left_flip(a_type_));
    const uint32_t b_move = right_flip(packing_.type);
    const uint32_t b_first = static_cast<uint32_t>(b_given ? zero_point(context.input(places_.b_zero), 0) : 0) - b_move;
    const int32_t* column_sums = packing_.sums(packed, g_.b[which]) + column;
    for (int64_t i = 0; i < m; ++i) {
      int32_t* to = c + i * g_.n;
      const uint32_t row_term = static_cast<uint32_t>(row_sums[a_row + i]) - static_cast<uint32_t>(g_.k) * a_zero;
      for (int64_t j = 0; j < n; ++j) {
        const uint32_t b_zero = many ? static_cast<uint32_t>(zero_point(context.input(places_.b_zero), column + j)) - b_move : b_first;
        to[j] = static_cast<int32_t>(static_cast<uint32_t>(to[j]) - a_zero * static_cast<uint32_t>(column_sums[j]) - b_zero * row_term);
      }
      store(product, row + i, column, static_cast<const int32_t*>(to), n);
    }
  }

  Places places_;
  const void* packed_;
  ProductGeometry g_;
  PackedB packing_;
  DType a_type_;
  int64_t a_rows_ = 0, depth_ = 0, row_block_ = 1, column_block_ = 1;
};

class MatMulInteger {
 public:
  static constexpr Places kPlaces{0, 1, 2, 3};
  static Acceptance accepts(const Node& node) { return IntegerProduct::accepts(node, kPlaces); }
  static void pack(const Node& node, void* bytes) { IntegerProduct::pack(node, kPlaces, bytes); }
  MatMulInteger(const Node& node, const void* packed) : product_(node, kPlaces, packed) {}
  size_t scratch_bytes() const { return product_.scratch_bytes(); }
  void run(RunContext& context) const {
    product_.run(context, context.out<int32_t>(0), [](int64_t, int64_t, int64_t, const int32_t*, int64_t) {});
  }

 private:
  IntegerProduct product_;
};

class QLinearMatMul {
 public:
  static constexpr Places kPlaces{0, 3, 2, 5};
  static Acceptance accepts(const Node& node) {
    if (!is_byte(node.output(0))) return Acceptance::decline("a result that is not an 8-bit integer");
    return IntegerProduct::accepts(node, kPlaces);
  }
  static void pack(const Node& node, void* bytes) { IntegerProduct::pack(node, kPlaces, bytes); }
  QLinearMatMul(const Node& node, const void* packed) : product_(node, kPlaces, packed), quantize_(dtype(node.output(0))) {
    const int64_t b_scales = provider::count(node.input(4));
    if (provider::count(node.input(1)) != 1 || (b_scales != 1 && b_scales != product_.geometry().n))
      throw provider::Declined{"a scale for each row or for each column of each matrix"};
    many_ = b_scales != 1;
  }
  size_t scratch_bytes() const { return product_.scratch_bytes(); }
  void run(RunContext& context) const {
    const ProductGeometry& g = product_.geometry();
    const float left = read_scale(context.input(1), 0), y_scale = read_scale(context.input(6), 0);
    const float zero = quantize_.zero_point(context.input(7).data);
    void* y = context.out<void>(0);
    product_.run(context, nullptr, [&](int64_t product, int64_t row, int64_t first, const int32_t* sums, int64_t count) {
      for (int64_t j = 0; j < count; ++j) {
        const float scale = left * read_scale(context.input(4), many_ ? first + j : 0) / y_scale;
        quantize_.store(static_cast<double>(sums[j]) * static_cast<double>(scale), zero, y, (product * g.m + row) * g.n + first + j);
      }
    });
  }

 private:
  IntegerProduct product_;
  Requantizer quantize_;
  bool many_ = false;
};

}  // namespace

void add_integer_products(provider::KernelTable& table) {
  table.add<MatMulInteger>("", "MatMulInteger", "panels");
  table.add<QLinearMatMul>("", "QLinearMatMul", "panels");
}

}  // namespace onnxrun::cpu
