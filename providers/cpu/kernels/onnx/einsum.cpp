// Einsum: every output element sums the products of the inputs over the labels that it lacks. Two operands at a time are contracted; the plain
// loop over all of them comes last.
#include <algorithm>
#include <map>
#include <utility>

#include "base/shape.h"
#include "cpu/loops/contraction.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/work_operands.h"
#include "ops/attributes/einsum.h"

namespace onnxrun::cpu {
namespace {

// Integers wrap in 64 bits whatever their width and sign.
DType einsum_type(const Node& node) {
  return base::is_integer(dtype(node.input(0))) ? DType::kUint64 : work_float(node, node.input_count());
}

Acceptance accepts_inputs(const Node& node) {
  if (node.input_count() > WorkOperands::kMax) return Acceptance::decline("more than 8 inputs");
  return {};
}

ops::EinsumTerms parse_terms(const Node& node) {
  std::vector<int64_t> ranks;
  for (size_t i = 0; i < node.input_count(); ++i) ranks.push_back(node.input(i).rank);
  return ops::parse_einsum(node.get_string("equation"), ranks);
}

// What every label stands for; an input's dimension of 1 is broadcast.
std::map<int, int64_t> label_sizes(const Node& node, const ops::EinsumTerms& terms) {
  std::map<int, int64_t> sizes;
  for (size_t i = 0; i < terms.inputs.size(); ++i)
    for (size_t d = 0; d < terms.inputs[i].size(); ++d) {
      int64_t& size = sizes.emplace(terms.inputs[i][d], 1).first->second;
      if (size == 1) size = provider::dims(node.input(i))[d];
    }
  return sizes;
}

class Contractions {
 public:
  static Acceptance accepts(const Node& node) { return accepts_inputs(node); }

  explicit Contractions(const Node& node)
      : type_(einsum_type(node)),
        operands_(node, node.input_count(), 1, type_),
        scratch_bytes_(operands_.scratch_bytes()),
        outputs_(provider::count(node.output(0))) {
    const ops::EinsumTerms terms = parse_terms(node);
    const std::map<int, int64_t> sizes = label_sizes(node, terms);
    if (std::any_of(sizes.begin(), sizes.end(), [](const auto& label) { return label.second == 0; })) return;
    for (int label : terms.output)
      if (const auto size = sizes.find(label); size != sizes.end() && size->second != 1) output_.push_back(label);
    std::vector<Operand> operands;
    for (size_t i = 0; i < terms.inputs.size(); ++i) {
      operands.push_back({static_cast<int>(i), axes_of(provider::dims(node.input(i)), terms.inputs[i])});
      largest_ = std::max(largest_, provider::count(node.input(i)));
    }
    largest_ = std::max(largest_, outputs_);
    if (operands.size() > 1)
      for (size_t i = 0; i < operands.size(); ++i) {
        const std::vector<int> kept = kept_labels(operands, i, i);
        if (kept.size() < operands[i].axes.size()) operands[i] = contract(operands[i], nullptr, kept);
      }
    while (operands.size() > 2) {
      const auto [a, b] = smallest_pair(operands);
      operands[a] = contract(operands[a], &operands[b], kept_labels(operands, a, b));
      operands.erase(operands.begin() + static_cast<std::ptrdiff_t>(b));
    }
    contract(operands[0], operands.size() == 2 ? &operands[1] : nullptr, output_, true);
  }
  size_t scratch_bytes() const { return scratch_bytes_; }

  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    dispatch(Types<float, double, uint64_t>{}, type_, [&](auto type) {
      using T = typename decltype(type)::type;
      char* scratch = static_cast<char*>(context.scratch());
      const auto place = [&](int from) -> const T* {
        if (from == kNone) return nullptr;
        const auto at = static_cast<size_t>(from);
        return at < WorkOperands::kMax ? arrays.template in<T>(at)
                                       : reinterpret_cast<const T*>(scratch + steps_[at - WorkOperands::kMax].at);
      };
      for (const Step& step : steps_) {
        T* to = &step == &steps_.back() ? arrays.template out<T>(0) : reinterpret_cast<T*>(scratch + step.at);
        step.contraction.run(context, place(step.a), place(step.b), to, scratch + step.work);
      }
      if (steps_.empty()) std::fill_n(arrays.template out<T>(0), outputs_, T(0));  // sums of nothing
    });
    operands_.store(context, arrays);
  }

 private:
  static constexpr int kNone = -1;
  static constexpr int64_t kSmall = 1 << 20;  // elements that an intermediate array may always have

  // An input, or from kMax on the result of a step.
  struct Operand {
    int from = kNone;
    LabelAxes axes;
  };
  struct Step {
    Contraction contraction;
    int a, b;
    size_t at, work;  // in scratch: the result, and what the step itself needs
  };

  // Dims of 1 have no axis; a label that is repeated walks the diagonal.
  static LabelAxes axes_of(base::DimsView dims, const std::vector<int>& labels) {
    LabelAxes axes;
    const base::Dims strides = base::contiguous_strides(dims);
    for (size_t d = 0; d < labels.size(); ++d) {
      if (dims[d] == 1) continue;
      const auto same =
          std::find_if(axes.begin(), axes.end(), [&](const auto& axis) { return axis.label == labels[d]; });
      if (same != axes.end()) same->stride += strides[d];
      else axes.push_back({labels[d], dims[d], strides[d]});
    }
    return axes;
  }

  // The labels of operands a and b that the output or another operand still needs.
  std::vector<int> kept_labels(const std::vector<Operand>& operands, size_t a, size_t b) const {
    std::vector<int> result;
    for (size_t of : {a, b})
      for (const LabelAxis& axis : operands[of].axes) {
        bool needed = std::find(output_.begin(), output_.end(), axis.label) != output_.end();
        for (size_t i = 0; i < operands.size(); ++i)
          needed = needed || (i != a && i != b && find_axis(operands[i].axes, axis.label) != nullptr);
        if (needed && std::find(result.begin(), result.end(), axis.label) == result.end()) result.push_back(axis.label);
      }
    return result;
  }

  // The two whose contraction has the fewest elements.
  std::pair<size_t, size_t> smallest_pair(const std::vector<Operand>& operands) const {
    std::pair<size_t, size_t> best;
    double least = -1;
    for (size_t a = 0; a < operands.size(); ++a)
      for (size_t b = a + 1; b < operands.size(); ++b) {
        double elements = 1;
        for (int label : kept_labels(operands, a, b)) {
          const LabelAxis* axis = find_axis(operands[a].axes, label);
          elements *= static_cast<double>((axis != nullptr ? axis : find_axis(operands[b].axes, label))->size);
        }
        if (least < 0 || elements < least) least = elements, best = {a, b};
      }
    return best;
  }

  Operand contract(const Operand& a, const Operand* b, const std::vector<int>& kept, bool last = false) {
    Step step{Contraction(a.axes, b == nullptr ? nullptr : &b->axes, kept, type_), a.from,
              b == nullptr ? kNone : b->from, scratch_bytes_, 0};
    if (!last && step.contraction.count() > std::max(kSmall, 4 * largest_))
      throw provider::Declined{"an intermediate product is much larger than inputs and output"};
    if (!last) scratch_bytes_ += (static_cast<size_t>(step.contraction.count()) * sizeof(uint64_t) + 63) & ~size_t{63};
    step.work = scratch_bytes_;
    scratch_bytes_ += step.contraction.scratch_bytes();
    steps_.push_back(std::move(step));
    return {static_cast<int>(WorkOperands::kMax + steps_.size() - 1), steps_.back().contraction.result()};
  }

  DType type_;
  WorkOperands operands_;
  size_t scratch_bytes_;
  int64_t outputs_, largest_ = 0;
  std::vector<int> output_;
  std::vector<Step> steps_;  // the last one makes the output; none where a label is of size 0
};

class Einsum {
 public:
  static Acceptance accepts(const Node& node) { return accepts_inputs(node); }
  explicit Einsum(const Node& node)
      : type_(einsum_type(node)), operands_(node, node.input_count(), 1, type_), inputs_(node.input_count()) {
    const ops::EinsumTerms terms = parse_terms(node);
    std::map<int, int64_t> sizes = label_sizes(node, terms);
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
                         Pacer pacer(context);
                         for (int64_t item = begin; item < end; ++item) {
                           int64_t at[WorkOperands::kMax] = {};
                           place(output_, item, at);
                           y[item] = static_cast<T>(sum<T, Sum>(arrays, at, terms, pacer));
                         }
                       });
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
  Sum sum(const WorkOperands::Arrays& arrays, const int64_t* base, int64_t terms, Pacer& pacer) const {
    Sum total = 0;
    const int64_t length = summed_.empty() ? 1 : summed_.back().size;
    for (int64_t first = 0; first < terms; first += length) {
      int64_t at[WorkOperands::kMax];
      std::copy_n(base, inputs_, at);
      place(summed_, first, at);
      pacer.did(length * static_cast<int64_t>(inputs_));
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

void kernels_onnx_einsum(provider::KernelTable& table) {
  table.add<Contractions>("", "Einsum", "contractions");
  table.add<Einsum>("", "Einsum", "reference");
}

}  // namespace onnxrun::cpu
