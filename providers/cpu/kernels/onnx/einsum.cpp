// Einsum: every output element sums the products of the inputs over the labels that it lacks.
#include <algorithm>
#include <map>

#include "base/shape.h"
#include "cpu/loops/work_operands.h"
#include "ops/attributes/einsum.h"

namespace onnxrun::cpu {
namespace {

// Integers wrap in 64 bits whatever their width and sign.
DType einsum_type(const Node& node) {
  return base::is_integer(dtype(node.input(0))) ? DType::kUint64 : work_float(node, node.input_count());
}

class Einsum {
 public:
  static Acceptance accepts(const Node& node) {
    if (node.input_count() > WorkOperands::kMax) return Acceptance::decline("more than 8 inputs");
    return {};
  }
  explicit Einsum(const Node& node)
      : type_(einsum_type(node)), operands_(node, node.input_count(), 1, type_), inputs_(node.input_count()) {
    std::vector<int64_t> ranks;
    for (size_t i = 0; i < inputs_; ++i) ranks.push_back(node.input(i).rank);
    const ops::EinsumTerms terms = ops::parse_einsum(node.get_string("equation"), ranks);
    std::map<int, int64_t> sizes;
    for (size_t i = 0; i < inputs_; ++i)
      for (size_t d = 0; d < terms.inputs[i].size(); ++d) {
        int64_t& size = sizes.emplace(terms.inputs[i][d], 1).first->second;
        if (size == 1) size = provider::dims(node.input(i))[d];
      }
    for (int label : terms.output) add_axis(node, terms, label, sizes[label], output_);
    for (const auto& [label, size] : sizes)
      if (std::find(terms.output.begin(), terms.output.end(), label) == terms.output.end())
        add_axis(node, terms, label, size, summed_);
  }
  size_t scratch_bytes() const { return operands_.scratch_bytes(); }

  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    dispatch(Types<float, double, uint64_t>{}, type_, [&](auto type) {
      using T = typename decltype(type)::type;
      using Sum = std::conditional_t<std::is_floating_point_v<T>, double, T>;
      T* y = arrays.template out<T>(0);
      const int64_t terms = count(summed_);
      context.parallel(count(output_), std::max<int64_t>(1, 8192 / std::max<int64_t>(1, terms)),
                       [&](int64_t begin, int64_t end) {
                         for (int64_t item = begin; item < end; ++item) {
                           if ((item & 255) == 0 && context.cancelled()) return;
                           int64_t at[WorkOperands::kMax] = {};
                           place(output_, item, at);
                           y[item] = static_cast<T>(sum<T, Sum>(arrays, at, terms));
                         }
                       });
      context.check_cancelled();
    });
    operands_.store(context, arrays);
  }

 private:
  struct Axis {
    int64_t size = 1;
    int64_t strides[WorkOperands::kMax] = {};  // of each input
  };

  void add_axis(const Node& node, const ops::EinsumTerms& terms, int label, int64_t size,
                std::vector<Axis>& axes) const {
    Axis axis;
    axis.size = size;
    for (size_t i = 0; i < inputs_; ++i) {
      const auto dims = provider::dims(node.input(i));
      const auto strides = base::contiguous_strides(dims);
      for (size_t d = 0; d < dims.size(); ++d)
        if (terms.inputs[i][d] == label && dims[d] != 1) axis.strides[i] += strides[d];
    }
    axes.push_back(axis);
  }
  static int64_t count(const std::vector<Axis>& axes) {
    int64_t result = 1;
    for (const Axis& axis : axes) result = base::checked_mul(result, axis.size);
    return result;
  }
  void place(const std::vector<Axis>& axes, int64_t flat, int64_t* at) const {
    for (size_t d = axes.size(); d-- > 0;) {
      const int64_t index = flat % axes[d].size;
      flat /= axes[d].size;
      for (size_t i = 0; i < inputs_; ++i) at[i] += index * axes[d].strides[i];
    }
  }

  template <class T, class Sum>
  Sum sum(const WorkOperands::Arrays& arrays, const int64_t* base, int64_t terms) const {
    Sum total = 0;
    const int64_t length = summed_.empty() ? 1 : summed_.back().size;
    for (int64_t first = 0; first < terms; first += length) {
      int64_t at[WorkOperands::kMax];
      std::copy_n(base, inputs_, at);
      place(summed_, first, at);
      for (int64_t s = 0; s < length; ++s) {
        Sum product = static_cast<Sum>(arrays.template in<T>(0)[at[0]]);
        for (size_t i = 1; i < inputs_; ++i) product *= static_cast<Sum>(arrays.template in<T>(i)[at[i]]);
        total += product;
        if (!summed_.empty())
          for (size_t i = 0; i < inputs_; ++i) at[i] += summed_.back().strides[i];
      }
    }
    return total;
  }

  DType type_;
  WorkOperands operands_;
  size_t inputs_;
  std::vector<Axis> output_, summed_;
};

}  // namespace

void kernels_onnx_einsum(provider::KernelTable& table) { table.add<Einsum>("", "Einsum", "reference"); }

}  // namespace onnxrun::cpu
