// Einsum: two inputs as products of matrices by cuBLASLt, with copies where their axes lie in another order; all else as plain sums.
#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "base/checked.h"
#include "cuda/device/contract.h"
#include "cuda/device/copy.h"
#include "cuda/host/product.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/scratch_layout.h"
#include "ops/attributes/einsum.h"

namespace onnxrun::cuda {
namespace {

// The axes of an operand by label; those of one element have none. A label that stands twice walks the diagonal.
struct LabelAxis {
  int64_t size = 1, step = 0;
};
using LabelAxes = std::map<int, LabelAxis>;

struct Equation {
  std::vector<LabelAxes> inputs;
  std::vector<int> output;  // labels of more than one element
  std::map<int, int64_t> sizes;
  LabelAxes output_axes;

  explicit Equation(const Node& node) {
    std::vector<int64_t> ranks;
    for (size_t i = 0; i < node.input_count(); ++i) ranks.push_back(node.input(i).rank);
    const ops::EinsumTerms terms = ops::parse_einsum(node.get_string("equation"), ranks);
    for (size_t i = 0; i < terms.inputs.size(); ++i) inputs.push_back(axes_of(node.input(i), terms.inputs[i]));
    output_axes = axes_of(node.output(0), terms.output);
    for (const int label : terms.output)
      if (output_axes.count(label) != 0) output.push_back(label);
    for (const LabelAxes& axes : inputs)
      for (const auto& [label, axis] : axes) sizes[label] = axis.size;
  }
  bool has(size_t input, int label) const { return inputs[input].count(label) != 0; }
  bool gives(int label) const { return output_axes.count(label) != 0; }

 private:
  static LabelAxes axes_of(const onnxrun_tensor& tensor, const std::vector<int>& labels) {
    const auto dims = provider::dims(tensor);
    const base::Dims steps = base::contiguous_strides(dims);
    LabelAxes axes;
    for (size_t d = 0; d < labels.size(); ++d) {
      if (dims[d] == 1) continue;
      LabelAxis& axis = axes[labels[d]];
      axis.size = dims[d];
      axis.step += steps[d];
    }
    return axes;
  }
};

int64_t elements(const Equation& equation, const std::vector<int>& labels) {
  int64_t result = 1;
  for (const int label : labels) result = base::checked_mul(result, equation.sizes.at(label));
  return result;
}

// The walk over labels through an operand (0 where it lacks one).
base::Dims steps_of(const LabelAxes& axes, const std::vector<int>& labels) {
  base::Dims steps;
  for (const int label : labels) {
    const auto axis = axes.find(label);
    steps.push_back(axis == axes.end() ? 0 : axis->second.step);
  }
  return steps;
}
base::Dims dims_of(const Equation& equation, const std::vector<int>& labels) {
  base::Dims dims;
  for (const int label : labels) dims.push_back(equation.sizes.at(label));
  return dims;
}

std::vector<int> joined(std::vector<int> a, const std::vector<int>& b, const std::vector<int>& c) {
  a.insert(a.end(), b.begin(), b.end());
  a.insert(a.end(), c.begin(), c.end());
  return a;
}

class Products {
 public:
  static Acceptance accepts(const Node& node) {
    if (node.input_count() != 2) return Acceptance::decline("takes two inputs");
    return Product::serves(dtype(node.input(0))) ? Acceptance() : no_kernel(node);
  }

  explicit Products(const Node& node) : bytes_(base::dtype_bits(dtype(node.input(0))) / 8) {
    const Equation equation(node);
    std::vector<int> batch, rows, columns, summed;
    for (const int label : equation.output)
      (!equation.has(1, label) ? rows : !equation.has(0, label) ? columns : batch).push_back(label);
    for (const auto& [label, size] : equation.sizes) {
      if (equation.gives(label)) continue;
      if (!equation.has(0, label) || !equation.has(1, label))
        throw provider::Declined{"a label that one input alone sums up"};
      summed.push_back(label);
    }
    if (summed.empty() || provider::count(node.output(0)) == 0 || elements(equation, summed) == 0)
      throw provider::Declined{"nothing to sum up"};
    ProductShape shape;
    shape.batch = elements(equation, batch), shape.m = elements(equation, rows);
    shape.n = elements(equation, columns), shape.k = elements(equation, summed);
    shape.a_step = base::checked_mul(shape.m, shape.k), shape.b_step = base::checked_mul(shape.k, shape.n);
    shape.y_step = base::checked_mul(shape.m, shape.n);
    a_ = place(equation, equation.inputs[0], batch, rows, summed, shape.a_transposed);
    b_ = place(equation, equation.inputs[1], batch, summed, columns, shape.b_transposed);
    const std::vector<int> order = joined(batch, rows, columns);
    const base::Dims dims = dims_of(equation, order), made = base::contiguous_strides(dims);
    y_ = copy(dims, made, steps_of(equation.output_axes, order), equation.output == order);
    product_.emplace_back(dtype(node.input(0)), node.precision(), shape);
  }
  size_t scratch_bytes() const { return layout_.bytes(); }

  void run(RunContext& context) const {
    Stream& stream = stream_of(context);
    const Queue queue = queue_of(stream);
    auto* scratch = static_cast<char*>(context.scratch());
    const auto in_order = [&](const Copy& how, const void* data) -> const void* {
      if (!how.needed) return data;
      launch_copy(queue, how.axes, bytes_, data, scratch + how.at);
      return scratch + how.at;
    };
    const void* a = in_order(a_, context.input(0).data);
    const void* b = in_order(b_, context.input(1).data);
    void* y = context.output(0).data;
    void* made = y_.needed ? scratch + y_.at : y;
    product_[0].run(stream, a, b, nullptr, made, scratch);
    if (y_.needed) launch_copy(queue, y_.axes, bytes_, made, y);
  }

 private:
  // An operand that is copied to scratch memory, or from it.
  struct Copy {
    bool needed = false;
    Axes<2> axes;
    size_t at = 0;
  };

  Copy copy(const base::Dims& dims, const base::Dims& from, const base::Dims& to, bool in_place) {
    Copy result;
    result.needed = !in_place;
    if (in_place) return result;
    const auto axes = walk<2>(dims, {from, to});
    if (!axes) throw provider::Declined{"too many axes"};
    result.axes = *axes;
    result.at = layout_.reserve(base::element_count(dims), bytes_);
    return result;
  }

  // An operand as matrices of `rows` and `columns`, or the other way round where it lies so.
  Copy place(const Equation& equation, const LabelAxes& axes, const std::vector<int>& batch,
             const std::vector<int>& rows, const std::vector<int>& columns, bool& transposed) {
    const auto lies_so = [&](const std::vector<int>& labels) {
      const auto through = walk<1>(dims_of(equation, labels), {steps_of(axes, labels)});
      return through && runs_through(*through, 0);
    };
    const std::vector<int> order = joined(batch, rows, columns);
    transposed = !lies_so(order) && lies_so(joined(batch, columns, rows));
    const base::Dims dims = dims_of(equation, order);
    return copy(dims, steps_of(axes, order), base::contiguous_strides(dims), transposed || lies_so(order));
  }

  int bytes_;
  Copy a_, b_, y_;
  ScratchLayout layout_{Product::kWorkspace};
  std::vector<Product> product_;  // one
};

template <int N>
class Sums {
 public:
  static Acceptance accepts(const Node& node) {
    if (node.input_count() > N) return Acceptance::decline(fmt::format("more than {} inputs", N));
    return find_contract<N>(dtype(node.input(0))) == nullptr ? no_kernel(node) : Acceptance();
  }
  explicit Sums(const Node& node) : launch_(find_contract<N>(dtype(node.input(0)))) {
    const Equation equation(node);
    std::vector<int> summed;
    for (const auto& [label, size] : equation.sizes)
      if (!equation.gives(label)) summed.push_back(label);
    how_.terms = static_cast<int>(node.input_count());
    how_.kept = axes(equation, equation.output);
    how_.summed = axes(equation, summed);
  }
  void run(RunContext& context) const {
    Contraction<N> how = how_;
    for (size_t i = 0; i < context.input_count(); ++i) how.inputs[i] = context.input(i).data;
    launch_(queue_of(context), how, context.output(0).data);
  }

 private:
  static Axes<N> axes(const Equation& equation, const std::vector<int>& labels) {
    std::array<base::Dims, N> steps;
    steps.fill(base::Dims(labels.size(), 0));
    for (size_t i = 0; i < equation.inputs.size(); ++i) steps[i] = steps_of(equation.inputs[i], labels);
    const auto result = walk<N>(dims_of(equation, labels), steps);
    if (!result) throw provider::Declined{fmt::format("more than {} axes", kMaxAxes)};
    return *result;
  }
  ContractLaunch<N> launch_;
  Contraction<N> how_;
};

}  // namespace

void kernels_onnx_einsum(provider::KernelTable& table) {
  add<Products>(table, "", "Einsum", "cublaslt");
  add<Sums<2>>(table, "", "Einsum", "sums");
  add<Sums<kMaxTerms>>(table, "", "Einsum", "sums-of-many");
}

}  // namespace onnxrun::cuda
