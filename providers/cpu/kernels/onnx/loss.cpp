// NegativeLogLikelihoodLoss, in double.
#include "cpu/cpu.h"
#include "cpu/loops/axis.h"
#include "cpu/loops/index.h"
#include "cpu/loops/scalar.h"

namespace onnxrun::cpu {
namespace {

class NegativeLogLikelihoodLoss {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit NegativeLogLikelihoodLoss(const Node& node)
      : view_(provider::dims(node.input(0)), 1),
        ignores_(node.has("ignore_index")),
        ignored_(node.get_int("ignore_index", 0)),
        reduction_(node.get_string("reduction", "mean")),
        load_(scalar_load(dtype(node.input(0)))),
        save_(scalar_save(dtype(node.output(0)))) {}

  void run(RunContext& context) const {
    const onnxrun_tensor& target = context.input(1);
    void* out = context.output(0).data;
    double total = 0, weights = 0;
    for (int64_t i = 0; i < view_.outer * view_.inner; ++i) {
      if ((i & 0xfffff) == 0) context.check_cancelled();
      const int64_t label = int_at(target, i);
      double loss = 0, weight = 0;
      if (!ignores_ || label != ignored_) {
        if (label < 0 || label >= view_.size)
          base::fail(base::Code::kRunFailed, "NegativeLogLikelihoodLoss: target {} at {} is not one of the {} classes",
                     label, i, view_.size);
        weight = context.has_input(2) ? load_(context.input(2).data, label) : 1.0;
        const int64_t at = (i / view_.inner * view_.size + label) * view_.inner + i % view_.inner;
        loss = -load_(context.input(0).data, at) * weight;
      }
      if (reduction_ == "none") save_(out, i, loss);
      total += loss;
      weights += weight;
    }
    if (reduction_ == "sum") save_(out, 0, total);
    if (reduction_ == "mean") save_(out, 0, total / weights);
  }

 private:
  AxisView view_;
  bool ignores_;
  int64_t ignored_;
  std::string reduction_;
  Load load_;
  Save save_;
};

}  // namespace

void kernels_onnx_loss(provider::KernelTable& table) {
  table.add<NegativeLogLikelihoodLoss>("", "NegativeLogLikelihoodLoss", "reference");
}

}  // namespace onnxrun::cpu
