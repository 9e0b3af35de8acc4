// Elementwise: chains of steps, compiled for the chain where NVRTC is at hand, interpreted otherwise.
#include "ops/attributes/elementwise_steps.h"

#include <optional>

#include "cuda/device/chain.h"
#include "cuda/host/broadcast.h"
#include "cuda/host/chain_source.h"
#include "cuda/kernel.h"

namespace onnxrun::cuda {
namespace {

using ops::attributes::ElementwiseStep;

static_assert(kMaxChainInputs == ops::attributes::kMaxElementwiseInputs);
static_assert(kMaxChainSteps == ops::attributes::kMaxElementwiseSteps);

class Elementwise {
 public:
  static Acceptance accepts(const Node& node) {
    for (const ElementwiseStep& step : ops::attributes::read_elementwise_steps(node, node.input_count()))
      if (chain_operator(step.op->name) < 0) return Acceptance::decline(fmt::format("no {} in chains", step.op->name));
    Acceptance result;
    for (size_t i = 0; i < node.input_count(); ++i) result.alias(static_cast<int32_t>(i), 0);
    return result;
  }

  explicit Elementwise(const Node& node) : type_(dtype(node.output(0))) {
    for (const ElementwiseStep& step : ops::attributes::read_elementwise_steps(node, node.input_count())) {
      ChainStep& own = chain_.steps[chain_.count++];
      own.op = chain_operator(step.op->name);
      for (int k = 0; k < step.op->operands; ++k) own.operands[k] = static_cast<int32_t>(step.operands[k]);
      own.numbers[0] = step.alpha;
      own.numbers[1] = step.beta;
    }
    chain_.inputs = static_cast<int32_t>(node.input_count());
    const auto out = provider::dims(node.output(0));
    std::array<base::Dims, kMaxChainInputs> steps;
    for (base::Dims& own : steps) own.assign(out.size(), 0);
    for (size_t k = 0; k < node.input_count(); ++k)
      steps[k] = base::broadcast_strides(provider::dims(node.input(k)), out);
    const auto axes = walk<kMaxChainInputs>(out, steps);
    if (!axes) throw provider::Declined{fmt::format("a broadcast over more than {} axes", kMaxAxes)};
    rank_ = axes->rank;
    arguments_.count = axes->count;
    for (int d = 0; d < rank_; ++d) arguments_.dims[d] = axes->dims[d];
    for (int k = 0; k < chain_.inputs; ++k) {
      for (int d = 0; d < rank_; ++d) arguments_.steps[k][d] = axes->steps[k][d];
      const int64_t elements = provider::count(node.input(static_cast<size_t>(k)));
      forms_[k] = elements == axes->count ? ChainForm::kWhole
                  : elements == 1         ? ChainForm::kSingle
                                          : ChainForm::kStrided;
    }
  }

  void run(RunContext& context) const {
    ChainArguments arguments = arguments_;
    for (int k = 0; k < chain_.inputs; ++k) arguments.in[k] = context.input(static_cast<size_t>(k)).data;
    arguments.out = context.output(0).data;
    Stream& stream = stream_of(context);
    if (arguments.count == 0) return;
    if (Compiler* compiler = has_chain_source(type_) ? stream.device().compiler() : nullptr) {
      if (kernel_ == nullptr) kernel_ = compiler->kernel(chain_source(chain_, type_, rank_, forms_), kChainKernel);
      find_packs(arguments);
      launch_compiled_chain(queue_of(stream), kernel_, arguments);
    } else {
      launch_chain(queue_of(stream), type_, chain_, rank_, arguments);
    }
  }

 private:
  // What can be read and written by packs, which depends on where the tensors lie.
  void find_packs(ChainArguments& arguments) const {
    const int pack = chain_pack(type_), last = rank_ - 1;
    const auto aligned = [](const void* data) { return reinterpret_cast<uintptr_t>(data) % 16 == 0; };
    bool all = aligned(arguments.out);
    for (int k = 0; k < chain_.inputs; ++k) {
      if (forms_[k] == ChainForm::kWhole) all &= aligned(arguments.in[k]);
      if (forms_[k] != ChainForm::kStrided) continue;
      // A pack lies in one row.
      all &= arguments.dims[last] % pack == 0;
      bool packed = aligned(arguments.in[k]) && arguments.steps[k][last] == 1;
      for (int d = 0; d < last; ++d) packed &= arguments.steps[k][d] % pack == 0;
      if (packed) arguments.packed |= 1ll << k;
    }
    arguments.packs = all ? arguments.count / pack : 0;
  }

  const DType type_;
  Chain chain_;
  int rank_ = 0;
  ChainArguments arguments_{};
  ChainForm forms_[kMaxChainInputs] = {};
  mutable cudaKernel_t kernel_ = nullptr;  // compiled in the first run, of the one device that there is
};

}  // namespace

void kernels_onnxrun_elementwise(provider::KernelTable& table) {
  add<Elementwise>(table, "onnxrun", "Elementwise", "chain");
}

}  // namespace onnxrun::cuda
