// MatMul, Gemm, FusedMatMul and FusedGemm with the right operand in panels, packed ahead where it is constant, in scratch where it is not: in float32, or with operands
// rounded to bfloat16 or in two bfloat16 parts where that is exact or was asked for; and in float64.
#include "cpu/kernels/fast_products.h"

#include <algorithm>
#include <optional>
#include <type_traits>

#include "base/charge.h"
#include "base/kernel_memory.h"
#include "cpu/loops/block_end.h"
#include "cpu/loops/panel_product.h"
#include "cpu/loops/thin_product.h"
#include "cpu/loops/work_operands.h"

namespace onnxrun::cpu {
namespace {

// Constants in two bfloat16 parts: products are of them only.
template <class Element>
constexpr bool kInParts = std::is_same_v<Element, FloatParts>;

bool computes_in_float(const onnxrun_tensor& tensor) {
  const DType type = dtype(tensor);
  return type == DType::kFloat32 || type == DType::kFloat16 || type == DType::kBfloat16;
}

// Whether the kernel on Element may compute `node`, and why not.
template <class Element>
std::optional<Acceptance> declined(const Node& node) {
  if constexpr (std::is_same_v<Element, double>) {
    if (dtype(node.input(0)) != DType::kFloat64) return Acceptance::decline("computes in float64 only");
    return std::nullopt;
  }
  if (!computes_in_float(node.input(0))) return Acceptance::decline("computes in float32 only");
  if constexpr (std::is_same_v<Element, Bfloat16Pair>) {
    const bool exact = dtype(node.input(0)) == DType::kBfloat16 && dtype(node.input(1)) == DType::kBfloat16;
    if (!exact && node.precision() != ONNXRUN_PRECISION_MEDIUM)
      return Acceptance::decline("rounds operands to bfloat16, which float32_matmul_precision does not allow");
    if (!multiplies_pairs()) return Acceptance::decline("the machine does not multiply bfloat16");
  }
  if constexpr (kInParts<Element>) {
    if (parts_of_products(node.precision()) == 0) return Acceptance::decline("no tiles at this instruction set level");
    if (node.precision() == ONNXRUN_PRECISION_HIGHEST)
      return Acceptance::decline("packs numbers in two parts, which float32_matmul_precision does not allow");
  }
  return std::nullopt;
}

// The type that operands are converted to.
template <class Element>
constexpr DType kWork = std::is_same_v<Element, double> ? DType::kFloat64 : DType::kFloat32;

// Whether operands that are not packed are converted, which may turn out not to be possible.
template <class Element>
bool converts(const Node& node) {
  for (size_t i = 0; i < node.input_count(); ++i)
    if (i != 1 && node.has_input(i) && dtype(node.input(i)) != kWork<Element>) return true;
  return dtype(node.output(0)) != kWork<Element>;
}

size_t rounded(size_t bytes) { return (bytes + 63) & ~size_t{63}; }

// Constant matrices [.., k, n] (or, transposed, [n, k]) of any of the narrow types, packed.
template <class Element>
struct ConstantMatrices {
  int64_t count = 1, k = 1, n = 1;
  bool transposed = false;

  ConstantMatrices(const onnxrun_tensor& b, bool transpose) : transposed(transpose) {
    const auto dims = provider::dims(b);
    if (dims.size() == 1) {
      k = dims[0];
    } else {
      k = dims[dims.size() - 2];
      n = dims.back();
      if (transpose) std::swap(k, n);
    }
    for (size_t d = 0; d + 2 < dims.size(); ++d) count *= dims[d];
  }
  int64_t elements() const {
    if constexpr (kInParts<Element>) return PartPanels(k, n).elements();
    else return panel_floats(panel_depth<Element>(k), n);
  }
  uint64_t bytes() const {
    return static_cast<uint64_t>(base::checked_mul(base::checked_mul(count, elements()), sizeof(Element)));
  }

  void pack(const onnxrun_tensor& b, float scale, void* bytes) const {
    using Number = PanelNumber<Element>;
    const Converter convert = converter(dtype(b), kWork<Element>);
    base::Charge copy;
    std::vector<Number> values;
    const Number* from = static_cast<const Number*>(b.data);
    if (dtype(b) != kWork<Element> || scale != 1) {
      copy = base::Charge(base::kernel_budget(), base::checked_mul(provider::count(b), sizeof(Number)));
      values.resize(static_cast<size_t>(provider::count(b)));
      convert(b.data, values.data(), provider::count(b));
      for (Number& value : values) value *= static_cast<Number>(scale);
      from = values.data();
    }
    for (int64_t i = 0; i < count; ++i) {
      const Number* matrix = from + i * k * n;
      Element* to = static_cast<Element*>(bytes) + i * elements();
      if constexpr (kInParts<Element>) PartPanels(k, n).pack(matrix, transposed ? 1 : n, transposed ? k : 1, to);
      else if constexpr (std::is_same_v<Element, Number>)
        pack_panels(matrix, transposed ? 1 : n, transposed ? k : 1, k, n, to);
      else pack_panels(matrix, transposed ? 1 : n, transposed ? k : 1, k, n, 1, to);
    }
  }
};

// Whether the kernel may compute `node` as far as its right operand is concerned, which is packed where it is constant.
template <class Element>
Acceptance accept_right(const Node& node, bool transposed) {
  Acceptance acceptance;
  const onnxrun_tensor& b = node.input(1);
  if (b.data == nullptr || !provider::shape_known(b) || provider::count(b) == 0)
    return kInParts<Element> ? Acceptance::decline("the right operand is not constant") : acceptance;
  const ConstantMatrices<Element> matrices(b, transposed);
  if (kInParts<Element> && !SplitProduct::takes_parts(matrices.k, matrices.n))
    return Acceptance::decline(fmt::format("{} x {} constants are not for tiles", matrices.k, matrices.n));
  return acceptance.pack(matrices.bytes(), {1});
}

// The rows of a, as they are or in pairs that it writes to `scratch`.
template <class Element>
const Element* row_elements(RunContext& context, const PanelNumber<Element>* a, int64_t rows, int64_t k,
                            void* scratch) {
  if constexpr (std::is_same_v<Element, PanelNumber<Element>>) {
    return a;
  } else if constexpr (kInParts<Element>) {
    return nullptr;
  } else {
    const int64_t depth = panel_depth<Element>(k);
    auto* to = static_cast<Element*>(scratch);
    context.parallel(rows, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, k)), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) pack_row(a + row * k, k, to + row * depth);
    });
    return to;
  }
}
template <class Element>
size_t row_bytes(int64_t rows, int64_t k) {
  if (std::is_same_v<Element, PanelNumber<Element>> || kInParts<Element>) return 0;
  return rounded(
      static_cast<size_t>(base::checked_mul(base::checked_mul(rows, panel_depth<Element>(k)), sizeof(Element))));
}

// By parts, where that is faster; `k` elements deep.
template <class Element>
SplitProduct split_of(const Node& node, const ProductGeometry& g, int64_t k) {
  if (std::is_same_v<Element, double>) return {};
  if (kInParts<Element>) return SplitProduct::of_parts(g, k, node.threads());
  if (std::is_same_v<Element, Bfloat16Pair>) return {g, k, 1, node.threads()};
  return {g, k, parts_of_products(node.precision()), node.threads()};
}
template <class Number>
Split split_in(const SplitProduct& product, const Number* a, char* scratch) {
  if constexpr (std::is_same_v<Number, float>)
    if (product.worth()) return {&product, a, scratch};
  return {};
}

// Whether to multiply with the right operand as it lies in memory.
template <class Element>
bool is_thin(const Element* packed, int64_t rows) {
  return std::is_same_v<PanelNumber<Element>, float> && packed == nullptr && rows <= kThinRows;
}

// Also FusedMatMul with nothing but transB: MatMul has none of its attributes.
template <class Element>
class MatMul {
  using Number = PanelNumber<Element>;

 public:
  static Acceptance accepts(const Node& node) {
    if (const auto reason = declined<Element>(node)) return *reason;
    for (const char* other : {"transA", "transBatchA", "transBatchB"})
      if (node.get_int(other, 0) != 0) return Acceptance::decline("transposes the right operand only");
    if (node.get_float("alpha", 1) != 1) return Acceptance::decline("multiplies by no factor");
    Acceptance acceptance = accept_right<Element>(node, turned(node));
    if (acceptance.declined()) return acceptance;
    return converts<Element>(node) ? acceptance : acceptance.takes_all_shapes();
  }
  static void pack(const Node& node, void* bytes) {
    ConstantMatrices<Element>(node.input(1), turned(node)).pack(node.input(1), 1, bytes);
  }

  MatMul(const Node& node, const void* packed)
      : packed_(static_cast<const Element*>(packed)),
        turned_(turned(node)),
        geometry_(node.input(0), node.input(1), turned_),
        operands_(node, 2, 1, kWork<Element>, packed != nullptr ? 2 : 0),
        matrices_(ConstantMatrices<Element>(node.input(1), turned_).count) {
    if (geometry_.batch > 1 && geometry_.one_b() && geometry_.each_a()) {
      geometry_.m *= geometry_.batch;
      geometry_.batch = 1;
      geometry_.a = {0};
      geometry_.b.resize(1);
    }
    k_ = geometry_.k;
    rows_ = k_ == 0 ? 0 : provider::count(node.input(0)) / k_;
    geometry_.k = panel_depth<Element>(k_);
    thin_ = is_thin(packed_, geometry_.m);
    if (thin_) return;
    split_ = split_of<Element>(node, geometry_, k_);
    if (!split_.worth()) a_bytes_ = row_bytes<Element>(rows_, k_);
    if (packed_ == nullptr)
      b_bytes_ =
          rounded(static_cast<size_t>(loose_scratch_floats(matrices_, geometry_.k, geometry_.n)) * sizeof(Element));
  }
  size_t scratch_bytes() const { return operands_.scratch_bytes() + a_bytes_ + b_bytes_ + split_.scratch_bytes(); }
  size_t table_bytes() const { return (geometry_.a.capacity() + geometry_.b.capacity()) * sizeof(int64_t); }
  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    char* scratch = static_cast<char*>(context.scratch()) + operands_.scratch_bytes();
    const Number* rows = arrays.template in<Number>(0);
    if constexpr (std::is_same_v<Number, float>) {
      if (thin_) {
        multiply_thin(context, geometry_, k_, rows, arrays.template in<float>(1), turned_ ? 1 : geometry_.n,
                      turned_ ? k_ : 1, false, arrays.template out<float>(0));
        return operands_.store(context, arrays);
      }
    }
    const Element* a = split_.worth() ? nullptr : row_elements<Element>(context, rows, rows_, k_, scratch);
    const Split split = split_in(split_, rows, scratch + a_bytes_ + b_bytes_);
    if constexpr (kInParts<Element>) {
      split_.run(context, geometry_, rows, packed_, false, arrays.template out<Number>(0), geometry_.n, scratch);
    } else if (packed_ != nullptr) {
      multiply_packed(context, geometry_, a, packed_, false, arrays.template out<Number>(0), split);
    } else {
      const LooseMatrices<Element> b{arrays.template in<Number>(1), matrices_, k_, turned_ ? 1 : geometry_.n,
                                     turned_ ? k_ : 1};
      multiply_loose(context, geometry_, a, b, reinterpret_cast<Element*>(scratch + a_bytes_), false,
                     arrays.template out<Number>(0), split);
    }
    operands_.store(context, arrays);
  }

 private:
  static bool turned(const Node& node) {
    return node.get_int("transB", 0) != 0 && provider::dims(node.input(1)).size() >= 2;
  }

  const Element* packed_;
  bool turned_, thin_ = false;
  ProductGeometry geometry_;
  WorkOperands operands_;
  int64_t matrices_, k_ = 0, rows_ = 0;
  size_t a_bytes_ = 0, b_bytes_ = 0;
  SplitProduct split_;
};

template <class Element>
class Gemm {
  using Number = PanelNumber<Element>;

 public:
  static Acceptance accepts(const Node& node) {
    if (const auto reason = declined<Element>(node)) return *reason;
    if (!end_of_product(node))
      return Acceptance::decline(fmt::format("no activation '{}'", node.get_string("activation")));
    Acceptance acceptance = accept_right<Element>(node, node.get_int("transB", 0) != 0);
    if (acceptance.declined()) return acceptance;
    return converts<Element>(node) ? acceptance : acceptance.takes_all_shapes();
  }
  static void pack(const Node& node, void* bytes) {
    ConstantMatrices<Element>(node.input(1), node.get_int("transB", 0) != 0)
        .pack(node.input(1), node.get_float("alpha", 1), bytes);
  }

  Gemm(const Node& node, const void* packed)
      : packed_(static_cast<const Element*>(packed)),
        operands_(node, 3, 1, kWork<Element>, packed != nullptr ? 2 : 0),
        alpha_(node.get_float("alpha", 1)),
        beta_(node.get_float("beta", 1)),
        transpose_a_(node.get_int("transA", 0) != 0),
        transpose_b_(node.get_int("transB", 0) != 0),
        end_(*end_of_product(node)) {
    const auto a = provider::dims(node.input(0)), b = provider::dims(node.input(1));
    g_.m = a[transpose_a_ ? 1 : 0];
    k_ = a[transpose_a_ ? 0 : 1];
    g_.k = panel_depth<Element>(k_);
    g_.n = b[transpose_b_ ? 0 : 1];
    g_.a = g_.b = {0};
    thin_ = is_thin(packed_, g_.m) && alpha_ == 1;
    if (!thin_) split_ = split_of<Element>(node, g_, k_);
    const int64_t dims[] = {g_.m, g_.n};
    if (!node.has_input(2) || beta_ == 0) return;
    adds_ = true;
    const base::Dims strides = base::broadcast_strides(provider::dims(node.input(2)), dims);
    c_row_ = strides[0];
    c_column_ = strides[1];
  }
  size_t scratch_bytes() const {
    return operands_.scratch_bytes() + a_bytes() + pair_bytes() + b_bytes() + split_.scratch_bytes();
  }

  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    char* scratch = static_cast<char*>(context.scratch()) + operands_.scratch_bytes();
    const Number* rows = arrays.template in<Number>(0);
    if (transpose_a_) {
      Number* to = reinterpret_cast<Number*>(scratch);
      for (int64_t i = 0; i < g_.m; ++i)
        for (int64_t p = 0; p < k_; ++p) to[i * k_ + p] = rows[p * g_.m + i];
      rows = to;
    }
    scratch += a_bytes();
    Number* y = arrays.template out<Number>(0);
    if (adds_) start_with_c(arrays.template in<Number>(2), y);
    multiply(context, arrays, rows, scratch, y);
    if constexpr (std::is_same_v<Number, float>) {
      if (end_.present())
        context.parallel(g_.m, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, g_.n)),
                         [&](int64_t begin, int64_t end) { end_.finish(y + begin * g_.n, (end - begin) * g_.n); });
    }
    operands_.store(context, arrays);
  }

 private:
  void multiply(RunContext& context, const WorkOperands::Arrays& arrays, const Number* rows, char* scratch,
                Number* y) const {
    if constexpr (std::is_same_v<Number, float>) {
      if (thin_)
        return multiply_thin(context, g_, k_, rows, arrays.template in<float>(1), transpose_b_ ? 1 : g_.n,
                             transpose_b_ ? k_ : 1, adds_, y);
    }
    const Element* a = split_.worth() ? nullptr : row_elements<Element>(context, rows, g_.m, k_, scratch);
    const Split split = split_in(split_, rows, scratch + pair_bytes() + b_bytes());
    if constexpr (kInParts<Element>) {
      split_.run(context, g_, rows, packed_, adds_, y, g_.n, scratch);
    } else if (packed_ != nullptr) {
      multiply_packed(context, g_, a, packed_, adds_, y, split);
    } else {
      const LooseMatrices<Element> b{arrays.template in<Number>(1), 1,     k_, transpose_b_ ? 1 : g_.n,
                                     transpose_b_ ? k_ : 1,         alpha_};
      multiply_loose(context, g_, a, b, reinterpret_cast<Element*>(scratch + pair_bytes()), adds_, y, split);
    }
  }
  size_t a_bytes() const { return transpose_a_ ? rounded(static_cast<size_t>(g_.m * k_) * sizeof(Number)) : 0; }
  size_t pair_bytes() const { return thin_ || split_.worth() ? 0 : row_bytes<Element>(g_.m, k_); }
  size_t b_bytes() const {
    if (thin_ || packed_ != nullptr) return 0;
    return rounded(static_cast<size_t>(loose_scratch_floats(1, g_.k, g_.n)) * sizeof(Element));
  }

  void start_with_c(const Number* c, Number* y) const {
    if (g_.n == 0) return;
    for (int64_t i = 0; i < g_.m; ++i, y += g_.n) {
      const Number* from = c + i * c_row_;
      if (c_column_ == 0) std::fill_n(y, g_.n, *from * static_cast<Number>(beta_));
      else if (beta_ == 1) std::copy_n(from, g_.n, y);
      else
        for (int64_t j = 0; j < g_.n; ++j) y[j] = from[j] * static_cast<Number>(beta_);
    }
  }

  const Element* packed_;
  WorkOperands operands_;
  float alpha_, beta_;
  bool transpose_a_, transpose_b_, adds_ = false, thin_ = false;
  BlockEnd end_;
  ProductGeometry g_;  // its k is the depth in elements
  SplitProduct split_;
  int64_t k_ = 0;
  int64_t c_row_ = 0, c_column_ = 0;
};

// Where rows are float32 and constant weights are narrower. What the machine multiplies as it is stored is not worth widening.
template <class Element>
class WideMatMul : public MatMul<Element> {
 public:
  using MatMul<Element>::MatMul;
  static Acceptance accepts(const Node& node) {
    if (node.input(1).data == nullptr) return Acceptance::decline("the right operand is not constant");
    if (dtype(node.input(1)) == DType::kBfloat16 && multiplies_pairs())
      return Acceptance::decline("the machine multiplies bfloat16");
    return MatMul<Element>::accepts(node);
  }
};

}  // namespace

void add_panel_products(provider::KernelTable& table) {
  table.add<MatMul<Bfloat16Pair>>("", "MatMul", "bfloat16");
  table.add<MatMul<FloatParts>>("", "MatMul", "parts");
  table.add<MatMul<float>>("", "MatMul", "panels");
  table.add<MatMul<double>>("", "MatMul", "double panels");
}
void add_panel_turned_products(provider::KernelTable& table) {
  table.add<MatMul<Bfloat16Pair>>("com.microsoft", "FusedMatMul", "bfloat16");
  table.add<MatMul<FloatParts>>("com.microsoft", "FusedMatMul", "parts");
  table.add<MatMul<float>>("com.microsoft", "FusedMatMul", "panels");
}
void add_panel_wide_products(provider::KernelTable& table) {
  table.add<WideMatMul<Bfloat16Pair>>("onnxrun", "WideMatMul", "bfloat16");
  table.add<WideMatMul<FloatParts>>("onnxrun", "WideMatMul", "parts");
  table.add<WideMatMul<float>>("onnxrun", "WideMatMul", "panels");
}
void add_panel_fused_gemm(provider::KernelTable& table) {
  table.add<Gemm<Bfloat16Pair>>("com.microsoft", "FusedGemm", "bfloat16");
  table.add<Gemm<FloatParts>>("com.microsoft", "FusedGemm", "parts");
  table.add<Gemm<float>>("com.microsoft", "FusedGemm", "panels");
}
void add_panel_gemm(provider::KernelTable& table) {
  table.add<Gemm<Bfloat16Pair>>("", "Gemm", "bfloat16");
  table.add<Gemm<FloatParts>>("", "Gemm", "parts");
  table.add<Gemm<float>>("", "Gemm", "panels");
  table.add<Gemm<double>>("", "Gemm", "double panels");
}

}  // namespace onnxrun::cpu
