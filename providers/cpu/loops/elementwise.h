// The loop that all elementwise kernels share: rows of broadcast operands go to a row kernel, narrow types through
// blocks of a wider one.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "cpu/cpu.h"
#include "cpu/loops/broadcast.h"
#include "cpu/loops/convert.h"
#include "cpu/loops/row.h"

namespace onnxrun::cpu {

// The type in which float16, bfloat16 and float8 are computed (float32); others in their own.
DType work_type(DType type);

// A row kernel and the types its operands have there; those that are stored in another type are converted on the way.
// An `out` of kNone means a result stored as the kernel writes it.
struct RowChoice {
  RowKernel kernel = nullptr;
  DType in[Row::kMaxInputs] = {DType::kNone, DType::kNone, DType::kNone};  // kNone: as stored
  DType out = DType::kNone;                                                // kNone: as stored
};

// A kernel whose operands all work in `type`.
inline RowChoice all_in(DType type, RowKernel kernel) { return {kernel, {type, type, type}, type}; }

// A node bound for elementwise computation of output 0 from its first inputs.
class ElementwiseLoop {
 public:
  ElementwiseLoop() = default;
  // Takes the shapes and types of the node's first `inputs` inputs and output 0. `cost` is the rough work of an
  // element, an addition being 1. Throws Declined where an operand cannot be converted.
  ElementwiseLoop(const Node& node, size_t inputs, const RowChoice& choice, int cost = 1);
  // The same for given operands; their data is not read.
  ElementwiseLoop(std::span<const onnxrun_tensor> inputs, const onnxrun_tensor& output, const RowChoice& choice,
                  int cost = 1);

  // In parallel over the threads of the run. `parameters` goes to the row kernel.
  void run(RunContext& context, const void* parameters = nullptr) const;
  // The same on given operands (as many as inputs).
  void run(RunContext& context, const void* const* in, void* out, const void* parameters) const;

  int64_t count() const { return plan_.count(); }

 private:
  static constexpr int64_t kBlock = 256;
  static constexpr int64_t kLongestPeriod = 64;

  void row(const void* const* in, const int64_t* offsets, void* out, int64_t at, int64_t count,
           const void* parameters) const;
  void row_in_blocks(Row& row) const;
  void repeating_row(const Row& row, int64_t phase) const;

  BroadcastPlan plan_;
  RowKernel kernel_ = nullptr;
  int64_t in_bytes_[Row::kMaxInputs] = {};
  int64_t out_bytes_ = 0;
  Converter load_[Row::kMaxInputs] = {};
  Converter store_ = nullptr;
  bool converts_ = false;
  int64_t grain_ = 16384;
};

// Acceptance of a node whose output 0 may take the place of input 0 or 1 when their elements have one size.
Acceptance accept_elementwise(const Node& node, size_t inputs);

// A kernel class for a family of operators: Family has `kInputs`, `choose(node)`, and may have `Parameters` with
// `static Parameters parameters(const Node&)` and `static int cost(const Node&)`. A choice without a kernel declines
// the node.
template <class Family>
class ElementwiseKernel {
 public:
  static Acceptance accepts(const Node& node) {
    if (Family::choose(node).kernel == nullptr)
      return Acceptance::decline(fmt::format("no {} for {}", node.op(), base::dtype_name(dtype(node.input(0)))));
    return accept_elementwise(node, Family::kInputs);
  }

  explicit ElementwiseKernel(const Node& node) : loop_(node, Family::kInputs, Family::choose(node), cost(node)) {
    if constexpr (kParameters) parameters_ = Family::parameters(node);
  }

  void run(RunContext& context) const {
    if constexpr (kParameters) loop_.run(context, &parameters_);
    else loop_.run(context);
  }

 private:
  static constexpr bool kParameters = requires(const Node& node) { Family::parameters(node); };
  struct Nothing {};
  template <class F, bool>
  struct ParametersOf {
    using type = Nothing;
  };
  template <class F>
  struct ParametersOf<F, true> {
    using type = typename F::Parameters;
  };

  static int cost(const Node& node) {
    if constexpr (requires { Family::cost(node); }) return Family::cost(node);
    else return 1;
  }

  ElementwiseLoop loop_;
  [[no_unique_address]] typename ParametersOf<Family, kParameters>::type parameters_;
};

}  // namespace onnxrun::cpu
